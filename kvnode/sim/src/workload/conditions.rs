//! Conditions of every kind, with versions low enough and contents plain enough to be right now and then.

use kvnode_core::store::attributes::Version;
use kvnode_core::store::condition::{Condition, ExpiryRule};
use kvnode_core::time::UnixMillis;
use rand::RngExt;
use rand::rngs::StdRng;

use super::Workload;
use super::writes::near;

impl Workload {
    pub(super) fn conditions(&self, now: UnixMillis, random: &mut StdRng) -> Vec<Condition> {
        let version = |random: &mut StdRng| Version::new(random.random_range(0..8));
        match random.random_range(0..20) {
            0 | 1 => vec![Condition::IfVersion(version(random))],
            2 => vec![Condition::IfMatch(vec![version(random), version(random)])],
            3 => vec![Condition::IfNoneMatchAny],
            4 => vec![Condition::IfMatchAny, Condition::IfNoneMatch(vec![version(random)])],
            5 => vec![Condition::IfContent(self.value(random).content().into())],
            6 => vec![Condition::IfExpiry(expiry_rule(now, random))],
            7 => vec![Condition::IfMatchAny, Condition::IfExpiry(expiry_rule(now, random))],
            _ => vec![],
        }
    }
}

fn expiry_rule(now: UnixMillis, random: &mut StdRng) -> ExpiryRule {
    match random.random_range(0..4) {
        0 => ExpiryRule::None,
        1 => ExpiryRule::Some,
        2 => ExpiryRule::Before(near(now, random)),
        _ => ExpiryRule::After(near(now, random)),
    }
}
