//! What an account can change about itself.

use kvnode_core::store::condition::Condition;

use super::accounts::{Session, open};
use super::audit::Event;
use super::directory::{self, Account, Place};
use super::{AccountError, Denied, emails};
use crate::accounts::names::Email;
use crate::accounts::password::{Password, PasswordHash};
use crate::shared::Shared;

/// An account is changed by one person; who is overtaken so often by others is not that person.
const TRIES_MAX: usize = 4;

pub(crate) struct Changes {
    pub(crate) email: Option<Email>,
    pub(crate) password: Option<Password>,
}

pub(crate) enum Changed {
    /// The tokens go on.
    Account(Account),
    /// A new password ends all tokens, so here are others.
    Session(Session),
}

/// `account` is what the caller has proven to be.
pub(crate) async fn change(shared: &Shared, account: &Account, changes: Changes) -> Result<Changed, AccountError> {
    let hashing = shared.access.hashing()?;
    let password_hash = match changes.password {
        Some(password) => Some(hashing.hash(password).await?),
        None => None,
    };
    let email = changes.email.as_ref().map(Email::as_str);
    let claiming = email.filter(|email| email.to_ascii_lowercase() != account.folded_email());
    if let Some(email) = claiming {
        emails::claim(shared, &Account { email: email.into(), ..account.clone() }).await?;
    }
    let changed = match rewrite(shared, account, email, password_hash.as_ref()).await {
        Ok(changed) => changed,
        Err(error) => {
            if let Some(email) = claiming {
                emails::release(shared, &Account { email: email.into(), ..account.clone() }).await?;
            }
            return Err(error);
        }
    };
    if claiming.is_some() && !emails::holds(shared, &changed) {
        rewrite(shared, &changed, Some(&account.email), None).await?;
        return Err(AccountError::email_taken());
    }
    if claiming.is_some() {
        emails::release(shared, account).await?;
    }
    shared.access.audit.note(Event::of(&changed, "account_update", shared.clock.now()));
    if password_hash.is_none() {
        return Ok(Changed::Account(changed));
    }
    shared.access.revoke(changed.tenant_id);
    open(shared, changed).map(Changed::Session)
}

/// Writes the account with what is new, as long as it is still the one that was proven.
async fn rewrite(
    shared: &Shared,
    proven: &Account,
    email: Option<&str>,
    password_hash: Option<&PasswordHash>,
) -> Result<Account, AccountError> {
    let username = proven.folded_username();
    let place = Place::Account(&username);
    for _ in 0..TRIES_MAX {
        let found = directory::read::<Account>(&shared.store, place, shared.clock.now());
        let same = |account: &Account| {
            account.tenant_id == proven.tenant_id && account.generation == proven.generation && account.is_active
        };
        let found = found.filter(|found| same(&found.record)).ok_or(Denied::Void)?;
        let mut account = found.record;
        if let Some(email) = email {
            account.email = email.into();
        }
        if let Some(hash) = password_hash {
            account.password_hash = hash.as_str().into();
            account.generation += 1;
        }
        if directory::write(shared, place, &account, Condition::IfVersion(found.version)).await?.is_some() {
            return Ok(account);
        }
    }
    Err(AccountError::Contended)
}
