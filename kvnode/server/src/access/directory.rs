//! Accounts and API keys as entries of the store, in the node's own namespace: persisted, replicated and counted like
//! data, never evicted, and out of reach of every command a client can send.
//!
//! ```text
//! account/<user name>   the account; creating it is the moment at which the account exists
//! email/<address>       which account claims the address; means nothing unless that account says the same
//! api-key/<id>          an API key
//! ```

use kvnode_core::store::attributes::Version;
use kvnode_core::store::command::{KeyAction, KeyCommand, Write};
use kvnode_core::store::condition::Condition;
use kvnode_core::store::key::{Address, Key, Namespace};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::{Refusal, Reply};
use kvnode_core::store::value::Value;
use kvnode_core::time::UnixMillis;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AccountError, Denied};
use crate::accounts::token::Claims;
use crate::shared::Shared;
use crate::store::SharedStore;

/// Of the node's own entries, whatever the limits of users' are set to. The longest key is that of an email address.
pub(crate) const LIMITS: Limits = Limits { key_bytes_max: 320, value_bytes_max: 4096, tags_max: 0, tag_chars_max: 0 };

/// Which entry of the node's own is meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'n> {
    /// By the user name, folded.
    Account(&'n str),
    /// By the address, folded.
    Email(&'n str),
    /// By the id, in hexadecimal.
    ApiKey(&'n str),
}

pub(super) const API_KEYS: &str = "api-key/";

impl Place<'_> {
    fn address(self) -> Address<'static> {
        let key = match self {
            Self::Account(username) => format!("account/{username}"),
            Self::Email(address) => format!("email/{address}"),
            Self::ApiKey(id) => format!("{API_KEYS}{id}"),
        };
        let key = Key::new(&key, &LIMITS).expect("names and ids are short and printable").into_owned();
        Address { namespace: Namespace::System, key }
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) tenant_id: Uuid,
    pub(crate) username: Box<str>,
    pub(crate) email: Box<str>,
    pub(super) password_hash: Box<str>,
    /// How often the password was set; tokens of an earlier generation are void.
    pub(super) generation: u64,
    /// False from the first moment of a deletion to its last.
    pub(crate) is_active: bool,
}

impl Account {
    pub(super) fn folded_username(&self) -> String {
        self.username.to_ascii_lowercase()
    }

    pub(super) fn folded_email(&self) -> String {
        self.email.to_ascii_lowercase()
    }
}

/// A record as it is in the store.
pub(super) struct Found<R> {
    pub(super) record: R,
    pub(super) version: Version,
    pub(super) created_at: UnixMillis,
    pub(super) updated_at: UnixMillis,
}

/// The record there, if there is one and it can be read.
pub(super) fn read<R: DeserializeOwned>(store: &SharedStore, place: Place<'_>, now: UnixMillis) -> Option<Found<R>> {
    let command = KeyCommand::new(place.address(), KeyAction::Get);
    store.execute(&command, now, |outcome| {
        let Ok(Reply::Found(entry)) = outcome else { return None };
        let record = serde_json::from_slice(entry.content()).ok()?;
        let (version, created_at, updated_at) = (entry.version(), entry.created_at(), entry.updated_at());
        Some(Found { record, version, created_at, updated_at })
    })
}

/// The new version, or none when the condition does not hold.
pub(super) async fn write<R: Serialize>(
    shared: &Shared,
    place: Place<'_>,
    record: &R,
    only: Condition,
) -> Result<Option<Version>, AccountError> {
    let text = serde_json::to_string(record).expect("records are JSON");
    let value = Value::json(&text, &LIMITS).expect("records are small");
    let command = KeyCommand::new(place.address(), KeyAction::Write(Write::put(value).only(vec![only])));
    let written = shared.run(&command, |outcome| match outcome {
        Ok(Reply::Stored { entry, .. }) => Ok(Some(entry.version())),
        Ok(other) => unreachable!("a put was answered with {other:?}"),
        Err(Refusal::VersionMismatch { .. }) => Ok(None),
        Err(_) => Err(AccountError::NoRoom),
    });
    written.await?
}

/// Whether it was there, and the condition held.
pub(super) async fn delete(shared: &Shared, place: Place<'_>, only: Condition) -> Result<bool, AccountError> {
    let action = KeyAction::Delete { conditions: vec![only], with_previous: false };
    let command = KeyCommand::new(place.address(), action);
    Ok(shared.run(&command, |outcome| matches!(outcome, Ok(Reply::Deleted { .. }))).await?)
}

/// The account with this user name or email address.
pub(super) fn account_named(store: &SharedStore, name: &str, now: UnixMillis) -> Option<Found<Account>> {
    let folded = name.to_ascii_lowercase();
    // No text is both: a user name has no '@'.
    if !folded.contains('@') {
        return in_bounds(&folded).then(|| read(store, Place::Account(&folded), now)).flatten();
    }
    let claim =
        in_bounds(&folded).then(|| read::<super::emails::Claim>(store, Place::Email(&folded), now)).flatten()?;
    let account = read::<Account>(store, Place::Account(&claim.record.username), now)?;
    claim.record.is_of(&account.record, &folded).then_some(account)
}

/// Whether there could be a record of this name: what callers send may be anything.
fn in_bounds(name: &str) -> bool {
    (1..=crate::accounts::names::EMAIL_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The account these claims are about, as long as they hold.
pub(super) fn account_of(store: &SharedStore, claims: &Claims, now: UnixMillis) -> Result<Account, Denied> {
    let found = account_named(store, &claims.username, now);
    let same = |account: &Account| account.tenant_id == claims.tenant_id && account.generation == claims.generation;
    match found.map(|found| found.record) {
        Some(account) if account.tenant_id == claims.tenant_id && !account.is_active => Err(Denied::Inactive),
        Some(account) if same(&account) => Ok(account),
        _ => Err(Denied::Void),
    }
}
