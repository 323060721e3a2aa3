//! Making room: which entry goes when memory is full and a write needs more.

use super::Partition;
use crate::store::Eviction;
use crate::store::arena::Handle;
use crate::store::key::Namespace;
use crate::store::ledger::Ledger;
use crate::time::UnixMillis;

/// Entries an eviction compares. With ten, the one that goes is hardly ever among the more used half.
const EVICTION_SAMPLE: usize = 10;

/// Lots drawn for one sample. Some fall on tombstones, of which there can be more than entries where those are large.
const EVICTION_DRAWS_MAX: usize = 16 * EVICTION_SAMPLE;

/// Of a linear congruential generator: the lots need not be secret, only spread.
const LOT_FACTOR: u64 = 6_364_136_223_846_793_005;

impl Partition {
    /// Deletes one entry to make room, if that is what the store is to do; from this namespace, if it has any. Entries of
    /// the node itself never go.
    pub fn evict(&mut self, namespace: Namespace, now: UnixMillis, ledger: &Ledger) -> bool {
        // The retention of the tombstone begins now, not when this partition was last asked something.
        self.advance(now);
        self.evict_but(None, namespace, ledger)
    }

    /// Spares the entry that is being replaced: its write was decided by what it holds now.
    pub(super) fn evict_but(&mut self, spared: Option<Handle>, namespace: Namespace, ledger: &Ledger) -> bool {
        if self.eviction == Eviction::None {
            return false;
        }
        let others = self.others.keys().copied().chain([Namespace::Shared]).filter(|&other| other != namespace);
        let others = others.map(|other| (other, None));
        let candidates = [(namespace, spared)].into_iter().chain(others);
        let candidates: Vec<_> = candidates.filter(|(candidate, _)| *candidate != Namespace::System).collect();
        let victim = candidates.into_iter().find_map(|(namespace, spared)| {
            let victim = match self.eviction {
                Eviction::None => None,
                Eviction::VolatileTtl => self.keyspace(namespace)?.next_to_expire(spared),
                Eviction::AllKeysLru => self.little_used(namespace, spared),
            };
            victim.map(|handle| (namespace, handle))
        });
        let Some((namespace, handle)) = victim else { return false };
        let hash = self.existing(namespace).hash_at(handle);
        self.bury(namespace, hash, handle, None, ledger);
        ledger.add_evicted();
        true
    }

    fn little_used(&mut self, namespace: Namespace, spared: Option<Handle>) -> Option<Handle> {
        let mut lot = self.lot;
        let keyspace = self.keyspace(namespace)?;
        let draws = (0..EVICTION_DRAWS_MAX).filter_map(|_| {
            lot = lot.wrapping_mul(LOT_FACTOR).wrapping_add(1);
            keyspace.any_live(usize::try_from(lot >> 33).expect("31 bits"))
        });
        let sample = draws.filter(|&handle| Some(handle) != spared).take(EVICTION_SAMPLE);
        let victim = sample.min_by_key(|&handle| keyspace.view(handle).used()).or_else(|| keyspace.first_live(spared));
        self.lot = lot;
        victim
    }
}
