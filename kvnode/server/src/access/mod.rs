//! Who may do what: from what a request presents (a token, a key, an address) to the [`Caller`] every command is made
//! for. Nothing reaches the store without one, and what a caller presented is never kept longer than its hash.

mod account_error;
pub(crate) mod accounts;
pub(crate) mod api_keys;
pub(crate) mod audit;
mod caller;
pub(crate) mod changing;
mod denied;
mod directory;
mod emails;
pub(crate) mod leaving;
mod presented;
mod rates;
mod standing;
mod tokens;

pub(crate) use account_error::AccountError;
pub(crate) use caller::{Caller, Who};
pub(crate) use denied::{Denial, Denied};
pub(crate) use directory::{Account, LIMITS as DIRECTORY_LIMITS};
pub(crate) use presented::Presented;
pub(crate) use standing::Standing;

use std::io;
use std::net::IpAddr;

use kvnode_core::store::attributes::Version;
use kvnode_core::time::UnixMillis;
use uuid::Uuid;

use crate::accounts::api_key::{PresentedApiKey, Scope};
use crate::accounts::hashing::HashingPool;
use crate::settings::access::AccessSettings;
use crate::settings::live::Live;
use crate::settings::{Environment, Settings};
use crate::store::SharedStore;
use audit::{Audit, Event};
use rates::Rates;
use tokens::Tokens;

/// What a path asks of whoever comes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// The tenant's own keys: open to strangers, if the tenant wants that.
    Data,
    /// Only for who shows a token or a key.
    User,
}

#[derive(Debug)]
pub(crate) struct Access {
    live: Live,
    tokens: Tokens,
    rates: Rates,
    /// None: there are no accounts.
    hashing: Option<HashingPool>,
    pub(crate) audit: Audit,
}

impl Access {
    pub(crate) fn new(settings: &Settings) -> io::Result<Self> {
        let accounts = settings.live.now().access.token_keys.is_some();
        let rates = Rates::default();
        rates.take_over(&settings.live.now().access);
        Ok(Self {
            tokens: Tokens::new(accounts, settings.threads),
            rates,
            hashing: accounts.then(|| HashingPool::start(settings.threads)).transpose()?,
            audit: Audit::new(settings.memory_limit, settings.environment == Environment::Development),
            live: settings.live.clone(),
        })
    }

    /// Notes what a caller did with data. Strangers are not noted: nobody could be asked about it.
    pub(crate) fn audit_of(
        &self,
        caller: Caller,
        operation: &'static str,
        key: Option<&str>,
        version: Option<Version>,
        now: impl FnOnce() -> UnixMillis,
    ) {
        if caller.who != Who::Anonymous {
            let event = Event::new(caller.namespace, operation, now());
            self.audit.note(match key {
                Some(key) => event.about(key, version),
                None => event,
            });
        }
    }

    /// To be called when the settings have changed: keys and rules may be others.
    pub(crate) fn settings_changed(&self) {
        self.rates.take_over(&self.live.now().access);
        self.revoke_all();
    }

    /// To be called when accounts or keys were put back: those who were known may be others now.
    pub(crate) fn directory_restored(&self) {
        self.revoke_all();
    }

    /// Whoever was known is looked at again.
    fn revoke_all(&self) {
        self.tokens.revoke_all();
    }

    fn hashing(&self) -> Result<&HashingPool, AccountError> {
        self.hashing.as_ref().ok_or(AccountError::Off)
    }

    fn revoke(&self, tenant_id: Uuid) {
        self.tokens.revoke(tenant_id);
    }

    /// Whose request this is. The address is asked first, so that nobody can guess faster than the rate allows.
    pub(crate) fn caller(
        &self,
        store: &SharedStore,
        door: Door,
        presented: Presented<'_>,
        address: IpAddr,
        now: UnixMillis,
    ) -> Result<Caller, Denied> {
        let live = self.live.now();
        self.rates.admit_address(live.access.address_rate, address, now)?;
        let caller = match presented {
            Presented::Nothing if door == Door::Data && live.access.anonymous => Caller::anonymous(),
            Presented::Nothing => return Err(Denied::Nobody),
            Presented::Unclear => return Err(Denied::BadAuthorization),
            Presented::Secret(text) => self.holder(store, &live.access, text, now)?,
        };
        self.rates.admit_account(live.access.account_rate, caller, now)?;
        Ok(caller)
    }

    /// Tokens are looked for first: they come with every request of an account, and the cache answers for nearly all.
    fn holder(
        &self,
        store: &SharedStore,
        settings: &AccessSettings,
        text: &str,
        now: UnixMillis,
    ) -> Result<Caller, Denied> {
        if let Some(tenant_id) = self.tokens.known(text, now) {
            return Ok(Caller::account(tenant_id));
        }
        if let Some(key) = PresentedApiKey::parse(text) {
            return api_keys::holder(store, &key, now).ok_or(Denied::Unknown);
        }
        if is_master(settings, text) {
            return Ok(Caller { scope: Scope::ReadWriteDelete, ..Caller::of(Who::Master) });
        }
        self.token_holder(store, settings, text, now).map(|account| Caller::account(account.tenant_id))
    }

    fn token_holder(
        &self,
        store: &SharedStore,
        settings: &AccessSettings,
        token: &str,
        now: UnixMillis,
    ) -> Result<Account, Denied> {
        let keys = settings.token_keys.as_deref().ok_or(Denied::Unknown)?;
        self.tokens.holder(store, keys, token, now)
    }

    /// The account this request is about: that of its token, looked up anew.
    pub(crate) fn account(
        &self,
        store: &SharedStore,
        presented: Presented<'_>,
        address: IpAddr,
        now: UnixMillis,
    ) -> Result<Account, Denied> {
        let caller = self.caller(store, Door::User, presented, address, now)?;
        match (caller.who, presented) {
            (Who::Account(_), Presented::Secret(token)) => {
                self.token_holder(store, &self.live.now().access, token, now)
            }
            _ => Err(Denied::NoAccount),
        }
    }

    /// For requests that come before anyone is known: to register, to log in.
    pub(crate) fn admit_stranger(&self, address: IpAddr, now: UnixMillis) -> Result<(), Denied> {
        Ok(self.rates.admit_address(self.live.now().access.address_rate, address, now)?)
    }

    /// Whether this caller may administer the node: the master key or a peer token, from anywhere; without a master key
    /// also whoever is on the same machine.
    pub(crate) fn admin(&self, presented: Presented<'_>, address: IpAddr) -> Result<(), Denied> {
        let live = self.live.now();
        let settings = &live.access;
        match presented {
            Presented::Secret(text) if is_master(settings, text) || is_peer(settings, text) => Ok(()),
            _ if settings.admin_key.is_some() => Err(Denied::NoAdmin),
            _ if address.to_canonical().is_loopback() => Ok(()),
            _ => Err(Denied::Elsewhere),
        }
    }
}

fn is_master(settings: &AccessSettings, text: &str) -> bool {
    settings.admin_key.as_ref().is_some_and(|key| key.is(text.as_bytes()))
}

fn is_peer(settings: &AccessSettings, text: &str) -> bool {
    settings.peer_tokens.iter().any(|token| token.is(text.as_bytes()))
}

#[cfg(test)]
mod tests;
