//! Who has an email address. Two entries in two partitions cannot be written at once, so the address is claimed first,
//! with an entry that counts for nothing until the account it names says the same. What a crash leaves behind is
//! therefore a claim without an account, never an account without its address:
//!
//! - A claim whose account does not stand behind it is an orphan once it is old; then anyone may take the address.
//! - Whoever took an orphan looks once more whether its account has come to life meanwhile, and gives the address back.
//! - Whoever wrote an account looks once more whether its claim is still there.
//!
//! Writer and taker each look after they have written, so at least one of them sees the other.

use kvnode_core::store::attributes::Version;
use kvnode_core::store::condition::Condition;
use kvnode_core::time::UnixMillis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::AccountError;
use super::directory::{self, Account, Found, Place};
use crate::shared::Shared;
use crate::store::SharedStore;

/// From a claim to its account it takes two writes; after so long nobody is between them any more.
const CLAIM_MILLIS: u64 = 60_000;

#[derive(Serialize, Deserialize)]
pub(super) struct Claim {
    /// Folded.
    pub(super) username: Box<str>,
    pub(super) tenant_id: Uuid,
}

impl Claim {
    fn of(account: &Account) -> Self {
        Self { username: account.folded_username().into(), tenant_id: account.tenant_id }
    }

    /// Whether this account stands behind the claim to the address.
    pub(super) fn is_of(&self, account: &Account, email: &str) -> bool {
        account.tenant_id == self.tenant_id && account.folded_email() == email
    }

    fn same(&self, other: &Self) -> bool {
        self.tenant_id == other.tenant_id && self.username == other.username
    }
}

/// The account that has this address, or is about to: none when anyone may have it.
pub(super) fn holder(store: &SharedStore, email: &str, now: UnixMillis) -> Option<Holder> {
    let claim = directory::read::<Claim>(store, Place::Email(email), now)?;
    if let Some(account) = account_behind(store, &claim.record, email, now) {
        return Some(Holder::Account(account));
    }
    let fresh = claim.updated_at.plus_millis(CLAIM_MILLIS) > now;
    fresh.then_some(Holder::SomebodyNew)
}

pub(super) enum Holder {
    Account(Box<Account>),
    /// Whose account is being made at this moment.
    SomebodyNew,
}

fn account_behind(store: &SharedStore, claim: &Claim, email: &str, now: UnixMillis) -> Option<Box<Account>> {
    let found = directory::read::<Account>(store, Place::Account(&claim.username), now)?;
    claim.is_of(&found.record, email).then(|| Box::new(found.record))
}

/// Takes the account's address for it, before the account itself is written.
pub(super) async fn claim(shared: &Shared, account: &Account) -> Result<(), AccountError> {
    let email = account.folded_email();
    let (place, now) = (Place::Email(&email), shared.clock.now());
    if holder(&shared.store, &email, now).is_some() {
        return Err(AccountError::email_taken());
    }
    let orphan = directory::read::<Claim>(&shared.store, place, now);
    let version = orphan.as_ref().map_or(Version::ABSENT, |orphan| orphan.version);
    let taken = directory::write(shared, place, &Claim::of(account), Condition::IfVersion(version)).await?;
    let Some(version) = taken else { return Err(AccountError::email_taken()) };
    let Some(Found { record: orphan, .. }) = orphan else { return Ok(()) };
    if account_behind(&shared.store, &orphan, &email, shared.clock.now()).is_some() {
        // Should this be refused, the address is another's already, who looked for that account as we did.
        directory::write(shared, place, &orphan, Condition::IfVersion(version)).await?;
        return Err(AccountError::email_taken());
    }
    Ok(())
}

/// Whether the claim is still there, now that the account is written.
pub(super) fn holds(shared: &Shared, account: &Account) -> bool {
    let email = account.folded_email();
    let claim = directory::read::<Claim>(&shared.store, Place::Email(&email), shared.clock.now());
    claim.is_some_and(|claim| claim.record.same(&Claim::of(account)))
}

/// Gives the address up, if it is this account's.
pub(super) async fn release(shared: &Shared, account: &Account) -> Result<(), AccountError> {
    let email = account.folded_email();
    let place = Place::Email(&email);
    let claim = directory::read::<Claim>(&shared.store, place, shared.clock.now());
    if let Some(Found { record, version, .. }) = claim
        && record.same(&Claim::of(account))
    {
        directory::delete(shared, place, Condition::IfVersion(version)).await?;
    }
    Ok(())
}
