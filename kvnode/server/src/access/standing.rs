//! Who a connection is that says so once and then asks many things, as a Redis client does. What was proven at the
//! beginning holds until something ends it: a new password, a deleted account or key, another master key.

use std::net::IpAddr;

use kvnode_core::store::key::Namespace;
use kvnode_core::time::UnixMillis;

use super::audit::Event;
use super::directory::{self, Account};
use super::{Access, AccountError, Caller, Denied, Who, api_keys, is_master};
use crate::accounts::api_key::PresentedApiKey;
use crate::accounts::password::{Password, PasswordHash};
use crate::accounts::revocations::Stamp;
use crate::settings::secret::Secret;
use crate::store::SharedStore;

/// Proof that somebody was known, and when.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) caller: Caller,
    proof: Proof,
    since: Stamp,
}

#[derive(Clone, Debug)]
enum Proof {
    Nothing,
    Account { username: Box<str>, generation: u64 },
    ApiKey,
    Master(Secret),
}

impl Standing {
    fn of_account(account: &Account, since: Stamp) -> Self {
        let proof = Proof::Account { username: account.username.clone(), generation: account.generation };
        Self { caller: Caller::account(account.tenant_id), proof, since }
    }

    pub(crate) fn namespace(&self) -> Namespace {
        self.caller.namespace
    }
}

impl Access {
    /// Of a connection that has said nothing yet, if strangers are let in.
    pub(crate) fn standing_of_stranger(&self) -> Option<Standing> {
        let since = self.tokens.stamp();
        let anonymous = self.live.now().access.anonymous;
        anonymous.then(|| Standing { caller: Caller::anonymous(), proof: Proof::Nothing, since })
    }

    /// Of who presents a token, an API key or the master key.
    pub(crate) fn standing_of(
        &self,
        store: &SharedStore,
        secret: &str,
        address: IpAddr,
        now: UnixMillis,
    ) -> Result<Standing, Denied> {
        let live = self.live.now();
        let settings = &live.access;
        self.rates.admit_address(settings.address_rate, address, now)?;
        let since = self.tokens.stamp();
        if let Some(key) = PresentedApiKey::parse(secret) {
            let caller = api_keys::holder(store, &key, now).ok_or(Denied::Unknown)?;
            return Ok(Standing { caller, proof: Proof::ApiKey, since });
        }
        if let Some(key) = settings.admin_key.as_ref().filter(|_| is_master(settings, secret)) {
            return Ok(Standing { caller: Caller::of(Who::Master), proof: Proof::Master(key.clone()), since });
        }
        let account = self.token_holder(store, settings, secret, now)?;
        Ok(Standing::of_account(&account, since))
    }

    /// Whether it still holds. While nothing was ended, that is two looks at numbers; then it is proven anew.
    pub(crate) fn still_stands(&self, store: &SharedStore, standing: &mut Standing, now: UnixMillis) -> bool {
        if self.tokens.holds(standing.since, standing.caller.who) {
            return true;
        }
        let since = self.tokens.stamp();
        let live = self.live.now();
        let stands = match (&standing.proof, standing.caller.who) {
            (Proof::Account { username, generation }, Who::Account(tenant_id)) => {
                let found = directory::account_named(store, username, now).map(|found| found.record);
                found.is_some_and(|account| {
                    account.tenant_id == tenant_id && account.generation == *generation && account.is_active
                })
            }
            (Proof::ApiKey, Who::ApiKey(id)) => match api_keys::scope_of(store, id, now) {
                Some(scope) => {
                    standing.caller.scope = scope;
                    true
                }
                None => false,
            },
            (Proof::Master(key), _) => live.access.admin_key.as_ref() == Some(key),
            _ => live.access.anonymous,
        };
        standing.since = since;
        stands
    }

    /// Opens an account for who does not wait, but is told by the thread that has checked the password.
    pub(crate) fn log_in_and_tell(
        &self,
        store: &SharedStore,
        name: &str,
        password: String,
        now: UnixMillis,
        tell: impl FnOnce(Option<Standing>) + Send + 'static,
    ) -> Result<(), AccountError> {
        let hashing = self.hashing()?;
        let password = Password::presented(password).map_err(|_| AccountError::WrongLogin)?;
        // Taken before the account is looked at: what ends in between is noticed at the first command.
        let since = self.tokens.stamp();
        let account = directory::account_named(store, name, now).map(|found| found.record);
        let stored = account.as_ref().and_then(|account| PasswordHash::parse(&account.password_hash).ok());
        let standing = account.filter(|account| account.is_active).map(|account| Standing::of_account(&account, since));
        Ok(hashing.verify_and_tell(password, stored, move |right| tell(standing.filter(|_| right)))?)
    }

    /// To be called when a login that was told of is taken over.
    pub(crate) fn note_login(&self, standing: &Standing, now: UnixMillis) {
        self.audit.note(Event::new(standing.namespace(), "login", now));
    }

    /// Whether this caller may do one thing more at this moment. Where there are no rates, it costs a look at a flag.
    #[inline]
    pub(crate) fn admit(
        &self,
        caller: Caller,
        address: impl FnOnce() -> IpAddr,
        now: UnixMillis,
    ) -> Result<(), Denied> {
        if !self.rates.are_set() {
            return Ok(());
        }
        let live = self.live.now();
        self.rates.admit_address(live.access.address_rate, address(), now)?;
        Ok(self.rates.admit_account(live.access.account_rate, caller, now)?)
    }
}
