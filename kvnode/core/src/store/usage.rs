//! What each account has stored, over all partitions, and how much it may. The tenant's own keys and those of the node
//! have no quota but the memory limit, and are not counted here.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use thiserror::Error;

use super::key::Namespace;

/// What one account may have at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    pub keys_max: u64,
    /// Bytes of keys, values and tags, as they were given.
    pub bytes_max: u64,
}

/// The part of a quota that a write would have broken.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum QuotaExceeded {
    #[error("The account has {max} keys, as many as its quota allows; delete some, or ask for more.")]
    Keys { max: u64 },
    #[error("The account would have {bytes} bytes in keys, values and tags; its quota allows {max}.")]
    Bytes { bytes: u64, max: u64 },
}

/// What an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    pub keys: u64,
    pub bytes: u64,
}

/// Shared by the keyspaces of one account.
#[derive(Debug, Default)]
pub(super) struct Usage {
    keys: AtomicU64,
    bytes: AtomicU64,
}

/// All accounts that have anything, and the quota of each.
#[derive(Debug)]
pub(super) struct Accounts {
    keys_max: AtomicU64,
    bytes_max: AtomicU64,
    usages: Mutex<HashMap<u128, Arc<Usage>>>,
}

impl Quota {
    pub const NONE: Self = Self { keys_max: u64::MAX, bytes_max: u64::MAX };
}

impl Accounts {
    pub(super) fn new() -> Self {
        let Quota { keys_max, bytes_max } = Quota::NONE;
        Self { keys_max: AtomicU64::new(keys_max), bytes_max: AtomicU64::new(bytes_max), usages: Mutex::default() }
    }

    pub(super) fn quota(&self) -> Quota {
        Quota { keys_max: self.keys_max.load(Ordering::Relaxed), bytes_max: self.bytes_max.load(Ordering::Relaxed) }
    }

    pub(super) fn set_quota(&self, quota: Quota) {
        self.keys_max.store(quota.keys_max, Ordering::Relaxed);
        self.bytes_max.store(quota.bytes_max, Ordering::Relaxed);
    }

    pub(super) fn used(&self, account: u128) -> Used {
        self.usages().get(&account).map(|usage| usage.used()).unwrap_or_default()
    }

    /// For an account's first entry in a partition.
    pub(super) fn usage_of(&self, namespace: Namespace) -> Option<Arc<Usage>> {
        let Namespace::Account(account) = namespace else { return None };
        Some(self.usages().entry(account).or_default().clone())
    }

    /// To be called when a partition has nothing more of an account.
    pub(super) fn forget_unused(&self, namespace: Namespace) {
        let Namespace::Account(account) = namespace else { return };
        let mut usages = self.usages();
        if usages.get(&account).is_some_and(|usage| Arc::strong_count(usage) == 1) {
            usages.remove(&account);
        }
    }

    fn usages(&self) -> MutexGuard<'_, HashMap<u128, Arc<Usage>>> {
        self.usages.lock().expect("nothing in here panics while it is locked")
    }
}

impl Usage {
    fn used(&self) -> Used {
        Used { keys: self.keys.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }

    /// Puts what is `after` in place of what was `before`, unless that grows the account beyond its quota. What shrinks
    /// is always allowed: a quota may have been lowered below what is there.
    pub(super) fn exchange(&self, before: Used, after: Used, quota: Quota) -> Result<(), QuotaExceeded> {
        if after.keys > before.keys {
            let grown = |keys: u64| keys.checked_add(after.keys - before.keys).filter(|&keys| keys <= quota.keys_max);
            let keys = self.keys.try_update(Ordering::Relaxed, Ordering::Relaxed, grown);
            keys.map_err(|_| QuotaExceeded::Keys { max: quota.keys_max })?;
        }
        if after.bytes > before.bytes {
            let more = after.bytes - before.bytes;
            let grown = |bytes: u64| bytes.checked_add(more).filter(|&bytes| bytes <= quota.bytes_max);
            if let Err(bytes) = self.bytes.try_update(Ordering::Relaxed, Ordering::Relaxed, grown) {
                self.keys.fetch_sub(after.keys.saturating_sub(before.keys), Ordering::Relaxed);
                return Err(QuotaExceeded::Bytes { bytes: bytes.saturating_add(more), max: quota.bytes_max });
            }
        } else {
            self.bytes.fetch_sub(before.bytes - after.bytes, Ordering::Relaxed);
        }
        self.keys.fetch_sub(before.keys.saturating_sub(after.keys), Ordering::Relaxed);
        Ok(())
    }

    /// The same for what has to happen.
    pub(super) fn replace(&self, before: Used, after: Used) {
        self.exchange(before, after, Quota::NONE).expect("nothing is beyond no quota");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(keys: u64, bytes: u64) -> Used {
        Used { keys, bytes }
    }

    #[test]
    fn growth_stops_exactly_at_the_quota_and_shrinking_never_does() {
        let quota = Quota { keys_max: 2, bytes_max: 100 };
        let usage = Usage::default();
        assert_eq!(usage.exchange(used(0, 0), used(1, 60), quota), Ok(()));
        let refused = usage.exchange(used(0, 0), used(1, 41), quota);
        assert_eq!(refused, Err(QuotaExceeded::Bytes { bytes: 101, max: 100 }));
        assert_eq!(usage.used(), used(1, 60), "what was refused left nothing behind");
        assert_eq!(usage.exchange(used(0, 0), used(1, 40), quota), Ok(()));
        assert_eq!(usage.exchange(used(0, 0), used(1, 0), quota), Err(QuotaExceeded::Keys { max: 2 }));
        let lower = Quota { keys_max: 1, bytes_max: 10 };
        assert_eq!(usage.exchange(used(1, 60), used(1, 50), lower), Ok(()));
        assert!(usage.exchange(used(1, 50), used(1, 51), lower).is_err());
        usage.replace(used(1, 50), used(0, 0));
        assert_eq!(usage.used(), used(1, 40));
    }

    #[test]
    fn only_accounts_are_counted_and_only_while_they_have_something() {
        let accounts = Accounts::new();
        assert!(accounts.usage_of(Namespace::Shared).is_none() && accounts.usage_of(Namespace::System).is_none());
        let usage = accounts.usage_of(Namespace::Account(7)).expect("an account");
        usage.replace(used(0, 0), used(3, 9));
        accounts.forget_unused(Namespace::Account(7));
        assert_eq!(accounts.used(7), used(3, 9), "a partition has something of it");
        drop(usage);
        accounts.forget_unused(Namespace::Account(7));
        assert_eq!(accounts.used(7), used(0, 0));
    }
}
