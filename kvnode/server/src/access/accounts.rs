//! Making accounts, and opening them: what a name and a password are exchanged for. Passwords are hashed by the pool, so
//! all of this waits without holding up a thread.

use kvnode_core::store::attributes::Version;
use kvnode_core::store::condition::Condition;
use kvnode_core::store::key::Namespace;
use zeroize::Zeroizing;

use super::account_error::Taken;
use super::audit::Event;
use super::directory::{self, Account, Place};
use super::emails::{self, Holder};
use super::{AccountError, Denied, leaving};
use crate::accounts::entropy;
use crate::accounts::names::{Email, Username};
use crate::accounts::password::{Password, PasswordHash};
use crate::accounts::token::{Claims, Holder as TokenHolder, TokenKind};
use crate::shared::Shared;

/// What somebody who registers asks for.
pub(crate) struct NewAccount {
    pub(crate) username: Username,
    pub(crate) email: Email,
    pub(crate) password: Password,
}

/// An open account, and the tokens that open it again.
pub(crate) struct Session {
    pub(crate) account: Account,
    pub(crate) tokens: Tokens,
}

pub(crate) struct Tokens {
    pub(crate) access: Zeroizing<String>,
    pub(crate) refresh: Zeroizing<String>,
    /// Seconds until the access token expires.
    pub(crate) expires_in: u64,
}

pub(crate) async fn register(shared: &Shared, wanted: NewAccount) -> Result<Session, AccountError> {
    let hashing = shared.access.hashing()?;
    if !shared.live().access.registration {
        return Err(AccountError::RegistrationOff);
    }
    // Asked before the password is hashed, which is the costly part, and decided after it by the writes.
    taken(shared, &wanted).await?.refuse_any()?;
    let password_hash = hashing.hash(wanted.password).await?;
    let account = Account {
        tenant_id: entropy::tenant_id(),
        username: wanted.username.as_str().into(),
        email: wanted.email.as_str().into(),
        password_hash: password_hash.as_str().into(),
        generation: 1,
        is_active: true,
    };
    emails::claim(shared, &account).await?;
    if let Err(error) = enrol(shared, &account).await {
        emails::release(shared, &account).await?;
        return Err(error);
    }
    shared.access.audit.note(Event::of(&account, "register", shared.clock.now()));
    open(shared, account)
}

/// Which of the names somebody has. Accounts whose deletion was cut short are in nobody's way: it is brought to its end.
async fn taken(shared: &Shared, wanted: &NewAccount) -> Result<Taken, AccountError> {
    let (username, email) = (wanted.username.folded(), wanted.email.folded());
    let now = shared.clock.now();
    let mut holders = Vec::new();
    if let Some(found) = directory::read::<Account>(&shared.store, Place::Account(&username), now) {
        holders.push(found.record);
    }
    if let Some(Holder::Account(account)) = emails::holder(&shared.store, &email, now) {
        holders.push(*account);
    }
    for holder in holders.iter().filter(|holder| !holder.is_active) {
        leaving::finish(shared, holder).await?;
    }
    let now = shared.clock.now();
    Ok(Taken {
        username: directory::read::<Account>(&shared.store, Place::Account(&username), now).is_some(),
        email: emails::holder(&shared.store, &email, now).is_some(),
    })
}

/// From here on the account exists.
async fn enrol(shared: &Shared, account: &Account) -> Result<(), AccountError> {
    let username = account.folded_username();
    let place = Place::Account(&username);
    let created = directory::write(shared, place, account, Condition::IfVersion(Version::ABSENT)).await?;
    let Some(version) = created else { return Err(AccountError::username_taken()) };
    if emails::holds(shared, account) {
        return Ok(());
    }
    directory::delete(shared, place, Condition::IfVersion(version)).await?;
    Err(AccountError::email_taken())
}

/// `name` is a user name or an email address. That it is unknown is answered like a wrong password, and as late.
pub(crate) async fn login(shared: &Shared, name: &str, password: Password) -> Result<Session, AccountError> {
    let hashing = shared.access.hashing()?;
    let account = directory::account_named(&shared.store, name, shared.clock.now()).map(|found| found.record);
    let stored = account.as_ref().and_then(|account| match PasswordHash::parse(&account.password_hash) {
        Ok(hash) => Some(hash),
        Err(error) => {
            tracing::error!(tenant_id = %account.tenant_id, reason = %error, "an account cannot be opened");
            None
        }
    });
    let right = hashing.verify(password, stored).await?;
    let Some(account) = account else { return Err(AccountError::WrongLogin) };
    let now = shared.clock.now();
    if !right {
        shared.access.audit.note(Event::of(&account, "login_failed", now));
        return Err(AccountError::WrongLogin);
    }
    if !account.is_active {
        return Err(Denied::Inactive.into());
    }
    shared.access.audit.note(Event::of(&account, "login", now));
    open(shared, account)
}

/// Exchanges a refresh token for a pair of tokens. The old one stays valid until it expires or the password changes: a
/// client whose answer got lost can ask again.
pub(crate) fn refresh(shared: &Shared, token: &str) -> Result<Session, AccountError> {
    let keys = shared.live().access.token_keys.clone().ok_or(AccountError::Off)?;
    let now = shared.clock.now();
    let claims = keys.verify(token, TokenKind::Refresh, now).map_err(Denied::Token)?;
    let account = directory::account_of(&shared.store, &claims, now)?;
    shared.access.audit.note(Event::of(&account, "refresh", now));
    open(shared, account)
}

/// Signs tokens for an account that has proven itself.
pub(super) fn open(shared: &Shared, account: Account) -> Result<Session, AccountError> {
    let live = shared.live();
    let settings = &live.access;
    let keys = settings.token_keys.as_ref().ok_or(AccountError::Off)?;
    let username = account.username.parse().expect("it was a user name when it was stored");
    let holder = TokenHolder { tenant_id: account.tenant_id, username: &username, generation: account.generation };
    let now = shared.clock.now();
    let sign = |kind| Zeroizing::new(keys.sign(&Claims::new(holder, kind, &settings.lifetimes, now)));
    let (access, refresh) = (sign(TokenKind::Access), sign(TokenKind::Refresh));
    Ok(Session { tokens: Tokens { access, refresh, expires_in: settings.lifetimes.access.as_secs() }, account })
}

/// The account's own keys.
pub(super) fn namespace(account: &Account) -> Namespace {
    Namespace::Account(account.tenant_id.as_u128())
}
