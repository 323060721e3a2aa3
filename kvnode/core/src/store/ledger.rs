//! The counters all partitions of one store share: memory in use, memory of tombstones, keys expired. They are atomic
//! because partitions are locked one by one, and a write in one must see at once what a write in another took.

use std::sync::atomic::{AtomicU64, Ordering};

use super::slot::PARTITIONS;
use super::usage::{Accounts, Quota, Used};

/// Answers kept for retries may take this part of the memory limit: one twentieth, 5 %.
const ANSWER_PART: u64 = 20;

/// Tombstones may take this part of the memory limit: one twentieth, 5 %.
const TOMBSTONE_PART: u64 = 20;

#[derive(Debug)]
pub struct Ledger {
    limit: u64,
    used: AtomicU64,
    tombstones: AtomicU64,
    answers: AtomicU64,
    expired: AtomicU64,
    evicted: AtomicU64,
    accounts: Accounts,
}

impl Ledger {
    pub fn new(memory_limit: u64) -> Self {
        Self {
            limit: memory_limit,
            used: AtomicU64::new(0),
            tombstones: AtomicU64::new(0),
            answers: AtomicU64::new(0),
            expired: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            accounts: Accounts::new(),
        }
    }

    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Bytes of entries, tombstones and answers.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Bytes of tombstones alone.
    pub fn tombstones(&self) -> u64 {
        self.tombstones.load(Ordering::Relaxed)
    }

    /// Bytes of answers kept for retries.
    pub fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    pub fn answer_limit(&self) -> u64 {
        self.limit / ANSWER_PART
    }

    /// Keys that went because their time was over, since the store was made.
    pub fn expired(&self) -> u64 {
        self.expired.load(Ordering::Relaxed)
    }

    /// Keys that went to make room for others.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// How much each account may have. Accounts that have more already keep it, and may only shrink.
    pub fn set_account_quota(&self, quota: Quota) {
        self.accounts.set_quota(quota);
    }

    pub fn account_quota(&self) -> Quota {
        self.accounts.quota()
    }

    /// What an account has, with what has expired and awaits the sweep.
    pub fn used_by_account(&self, account: u128) -> Used {
        self.accounts.used(account)
    }

    pub(super) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    pub fn tombstone_limit(&self) -> u64 {
        self.limit / TOMBSTONE_PART
    }

    /// What one partition may keep for itself even when all together are over the limit. Without it a partition that
    /// deletes little would lose its fresh tombstones to another that deletes much.
    pub(super) fn tombstone_share(&self) -> u64 {
        self.tombstone_limit() / PARTITIONS as u64
    }

    /// Takes so many bytes, unless that grows the store beyond its limit; then says how many are in use.
    pub(super) fn reserve(&self, bytes: u64) -> Result<(), u64> {
        if bytes == 0 {
            return Ok(());
        }
        let grown = |used: u64| used.checked_add(bytes).filter(|&grown| grown <= self.limit);
        self.used.try_update(Ordering::Relaxed, Ordering::Relaxed, grown).map(drop)
    }

    /// Puts `taken` bytes in place of `released` ones, whatever the limit: for what has to happen, as deletes and expiry,
    /// and for what was reserved.
    pub(super) fn settle(&self, released: u64, taken: u64) {
        if taken == released {
            return;
        }
        if taken > released {
            self.used.fetch_add(taken - released, Ordering::Relaxed);
        } else {
            let before = self.used.fetch_sub(released - taken, Ordering::Relaxed);
            debug_assert!(before >= released - taken, "more bytes were released than were ever taken");
        }
    }

    /// Takes so many bytes of the part that answers may have, if it has them; the memory itself is reserved apart.
    pub(super) fn reserve_answer(&self, bytes: u64) -> bool {
        let grown = |answers: u64| answers.checked_add(bytes).filter(|&grown| grown <= self.answer_limit());
        self.answers.try_update(Ordering::Relaxed, Ordering::Relaxed, grown).is_ok()
    }

    pub(super) fn release_answer(&self, bytes: u64) {
        self.answers.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Puts `taken` bytes in place of `released` ones, of the memory and of the answers' part of it.
    pub(super) fn settle_answers(&self, released: u64, taken: u64) {
        self.settle(released, taken);
        if taken > released {
            self.answers.fetch_add(taken - released, Ordering::Relaxed);
        } else {
            self.answers.fetch_sub(released - taken, Ordering::Relaxed);
        }
    }

    pub(super) fn add_tombstones(&self, bytes: u64) {
        self.tombstones.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn remove_tombstones(&self, bytes: u64) {
        if bytes > 0 {
            let before = self.tombstones.fetch_sub(bytes, Ordering::Relaxed);
            debug_assert!(before >= bytes, "more tombstone bytes were released than were ever taken");
        }
    }

    pub(super) fn settle_tombstones(&self, before: u64, after: u64) {
        self.add_tombstones(after.saturating_sub(before));
        self.remove_tombstones(before.saturating_sub(after));
    }

    pub(super) fn add_evicted(&self) {
        self.evicted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_expired(&self) {
        self.expired.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_stops_exactly_at_the_limit_and_what_must_happen_does_not() {
        let ledger = Ledger::new(100);
        assert_eq!(ledger.reserve(100), Ok(()));
        assert_eq!(ledger.reserve(1), Err(100));
        ledger.settle(0, 20);
        assert_eq!(ledger.reserve(0), Ok(()), "what takes nothing fits always");
        ledger.settle(120, 0);
        assert_eq!(ledger.used(), 0);
    }
}
