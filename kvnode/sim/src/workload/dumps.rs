//! Entries as some dump could have them: older and newer than what is there, some of them over by now.

use std::num::NonZeroU32;

use kvnode_core::store::dumped::{Dumped, DumpedExpiry};
use kvnode_core::time::UnixMillis;
use rand::RngExt;
use rand::rngs::StdRng;

use super::Workload;
use super::writes::near;

/// About as often as a key is written in a life.
const VERSIONS_USUAL: u64 = 25;

/// Of a history that went on for longer.
const VERSIONS_HIGH: u64 = 1 << 33;

impl Workload {
    pub(super) fn dumped(&self, now: UnixMillis, random: &mut StdRng) -> Dumped<'static> {
        let versions = if random.random_bool(0.05) { VERSIONS_HIGH } else { VERSIONS_USUAL };
        let updated_at = near(now, random);
        let dumped = Dumped::new(self.value(random), random.random_range(1..versions), updated_at);
        let mut dumped = dumped.expect("a version within bounds");
        dumped.tags = self.tags(random);
        dumped.created_at = UnixMillis::new(updated_at.get() - random.random_range(0..60_000));
        dumped.expiry = random.random_bool(0.3).then(|| DumpedExpiry {
            at: near(now, random),
            ttl_seconds: NonZeroU32::new(random.random_range(1..200)).expect("one at least"),
        });
        dumped
    }
}
