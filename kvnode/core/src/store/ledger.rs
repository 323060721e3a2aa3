//! The counters all partitions of one store share: memory in use, memory of tombstones, keys expired. They are atomic
//! because partitions are locked one by one, and a write in one must see at once what a write in another took.

use std::sync::atomic::{AtomicU64, Ordering};

use super::slot::PARTITIONS;

/// Tombstones may take this part of the memory limit: one twentieth, 5 %.
const TOMBSTONE_PART: u64 = 20;

#[derive(Debug)]
pub struct Ledger {
    limit: u64,
    used: AtomicU64,
    tombstones: AtomicU64,
    expired: AtomicU64,
}

/// A growth that the memory limit does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full {
    pub(super) needed: u64,
    pub(super) used: u64,
}

impl Ledger {
    pub fn new(memory_limit: u64) -> Self {
        Self { limit: memory_limit, used: AtomicU64::new(0), tombstones: AtomicU64::new(0), expired: AtomicU64::new(0) }
    }

    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Bytes of entries and tombstones.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Bytes of tombstones alone.
    pub fn tombstones(&self) -> u64 {
        self.tombstones.load(Ordering::Relaxed)
    }

    /// Keys that went because their time was over, since the store was made.
    pub fn expired(&self) -> u64 {
        self.expired.load(Ordering::Relaxed)
    }

    pub fn tombstone_limit(&self) -> u64 {
        self.limit / TOMBSTONE_PART
    }

    /// What one partition may keep for itself even when all together are over the limit. Without it a partition that
    /// deletes little would lose its fresh tombstones to another that deletes much.
    pub(super) fn tombstone_share(&self) -> u64 {
        self.tombstone_limit() / PARTITIONS as u64
    }

    /// Takes `taken` bytes in place of `released` ones, unless that grows the store beyond its limit. A change that
    /// shrinks the store, or keeps it, always passes: a full store must still let its contents be made smaller.
    pub(super) fn exchange(&self, released: u64, taken: u64) -> Result<(), Full> {
        let Some(needed) = taken.checked_sub(released).filter(|&needed| needed > 0) else {
            self.settle(released, taken);
            return Ok(());
        };
        self.used
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(needed).filter(|&grown| grown <= self.limit)
            })
            .map(|_| ())
            .map_err(|used| Full { needed, used })
    }

    /// As [`Self::exchange`], for what has to happen whatever the limit: deletes and expiry.
    pub(super) fn settle(&self, released: u64, taken: u64) {
        if taken >= released {
            self.used.fetch_add(taken - released, Ordering::Relaxed);
        } else {
            let before = self.used.fetch_sub(released - taken, Ordering::Relaxed);
            debug_assert!(before >= released - taken, "more bytes were released than were ever taken");
        }
    }

    pub(super) fn add_tombstone(&self, bytes: u64) {
        self.tombstones.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn remove_tombstone(&self, bytes: u64) {
        let before = self.tombstones.fetch_sub(bytes, Ordering::Relaxed);
        debug_assert!(before >= bytes, "more tombstone bytes were released than were ever taken");
    }

    /// For a tombstone that goes without an entry in its place.
    pub(super) fn drop_tombstone(&self, bytes: u64) {
        self.settle(bytes, 0);
        self.remove_tombstone(bytes);
    }

    pub(super) fn add_expired(&self) {
        self.expired.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_stops_exactly_at_the_limit_and_shrinking_never_does() {
        let ledger = Ledger::new(100);
        assert_eq!(ledger.exchange(0, 100), Ok(()));
        assert_eq!(ledger.exchange(0, 1), Err(Full { needed: 1, used: 100 }));
        assert_eq!(ledger.exchange(50, 50), Ok(()));
        ledger.settle(0, 20);
        assert_eq!(ledger.exchange(40, 30), Ok(()), "over the limit, but smaller than before");
        assert_eq!(ledger.used(), 110);
    }
}
