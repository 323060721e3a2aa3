//! Access tokens: verified once, then remembered, by each thread for itself.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use kvnode_core::time::UnixMillis;
use uuid::Uuid;

use super::directory::{self, Account};
use super::{Denied, Who};
use crate::accounts::revocations::{Revocations, Stamp};
use crate::accounts::token::TokenKind;
use crate::accounts::token_cache::TokenCache;
use crate::accounts::token_keys::TokenKeys;
use crate::store::SharedStore;

thread_local! {
    /// The thread's number, given when it first asks.
    static NUMBER: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Numbers given so far, in this process.
static NUMBERS: AtomicUsize = AtomicUsize::new(0);

#[derive(Debug)]
pub(super) struct Tokens {
    revocations: Arc<Revocations>,
    /// As many as there are serving threads, so that none waits for another's lock. Which of them a thread uses changes
    /// nothing but how often a signature is looked at.
    caches: Box<[Mutex<TokenCache>]>,
}

impl Tokens {
    /// Without accounts there are no tokens to remember.
    pub(super) fn new(accounts: bool, threads: usize) -> Self {
        let revocations = Arc::<Revocations>::default();
        let caches = if accounts { threads } else { 0 };
        Self {
            caches: (0..caches).map(|_| Mutex::new(TokenCache::new(Arc::clone(&revocations)))).collect(),
            revocations,
        }
    }

    /// No token of this account that was looked at before is believed any more.
    pub(super) fn revoke(&self, tenant_id: Uuid) {
        self.revocations.forget(tenant_id);
    }

    /// For other keys: tokens that were believed by the old ones are looked at again.
    pub(super) fn revoke_all(&self) {
        self.revocations.forget_all();
    }

    /// To be taken before anybody is looked at.
    pub(super) fn stamp(&self) -> Stamp {
        self.revocations.stamp()
    }

    /// Whether nothing has ended since then that could concern this caller.
    pub(super) fn holds(&self, since: Stamp, who: Who) -> bool {
        match who {
            Who::Account(tenant_id) => self.revocations.hold(since, tenant_id),
            Who::Anonymous | Who::ApiKey(_) | Who::Master => self.revocations.all_hold(since),
        }
    }

    /// Whose token this is, if it was verified a while ago and nothing has ended it since.
    pub(super) fn known(&self, token: &str, now: UnixMillis) -> Option<Uuid> {
        self.cache()?.get(token, now).map(|bearer| bearer.tenant_id)
    }

    /// Looks at the signature and at the account.
    pub(super) fn holder(
        &self,
        store: &SharedStore,
        keys: &TokenKeys,
        token: &str,
        now: UnixMillis,
    ) -> Result<Account, Denied> {
        let stamp = self.revocations.stamp();
        let claims = keys.verify(token, TokenKind::Access, now)?;
        let account = directory::account_of(store, &claims, now)?;
        if let Some(mut cache) = self.cache() {
            cache.insert(token, &claims, stamp);
        }
        Ok(account)
    }

    fn cache(&self) -> Option<MutexGuard<'_, TokenCache>> {
        let number = NUMBER.get().unwrap_or_else(|| {
            let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
            NUMBER.set(Some(number));
            number
        });
        let cache = self.caches.get(number.checked_rem(self.caches.len())?)?;
        Some(cache.lock().expect("nothing that could panic runs under this lock"))
    }
}
