//! What ends tokens before their time: a deleted account, a new password, a changed set of keys. One per node, shared by
//! the caches of all its threads, so that no thread goes on believing what another one has heard is over.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

/// Accounts are told apart by this many classes: ending one account's tokens makes the caches ask again for every
/// 256th other, which costs each of them one signature.
const CLASSES: usize = 256;

/// The moment, counted in revocations, at which a verification began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(u64);

/// A belief that began before the latest revocation that concerns it is void.
#[derive(Debug)]
pub struct Revocations {
    count: AtomicU64,
    latest_of_all: AtomicU64,
    latest_of_class: Box<[AtomicU64]>,
}

impl Default for Revocations {
    fn default() -> Self {
        Self {
            count: AtomicU64::new(0),
            latest_of_all: AtomicU64::new(0),
            latest_of_class: (0..CLASSES).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Revocations {
    /// Taken before a token's signature and account are looked at: were it taken after, an account deleted in between
    /// would be believed in until its token expires.
    pub fn stamp(&self) -> Stamp {
        Stamp(self.count.load(Ordering::SeqCst))
    }

    /// Call it when the change can be seen by whoever looks the account up. When it returns, no cache believes in a
    /// token of this account that was verified before.
    pub fn forget(&self, tenant_id: Uuid) {
        let revocation = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        self.class(tenant_id).fetch_max(revocation, Ordering::SeqCst);
    }

    /// For a change that concerns every token: the keys.
    pub fn forget_all(&self) {
        let revocation = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        self.latest_of_all.fetch_max(revocation, Ordering::SeqCst);
    }

    /// Whether nothing has ended since then that concerns everybody.
    pub fn all_hold(&self, since: Stamp) -> bool {
        since.0 >= self.latest_of_all.load(Ordering::SeqCst)
    }

    /// Whether nothing has ended since then that concerns this account.
    pub fn hold(&self, since: Stamp, tenant_id: Uuid) -> bool {
        let latest_of_class = self.class(tenant_id).load(Ordering::SeqCst);
        since.0 >= latest_of_class.max(self.latest_of_all.load(Ordering::SeqCst))
    }

    /// The first byte of a UUID of version 4 comes from chance, so the classes are of equal size.
    fn class(&self, tenant_id: Uuid) -> &AtomicU64 {
        &self.latest_of_class[usize::from(tenant_id.as_bytes()[0]) % CLASSES]
    }
}
