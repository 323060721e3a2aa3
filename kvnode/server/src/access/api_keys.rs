//! API keys: made and deleted by who administers the tenant, each with a scope. They share the tenant's own namespace.

use std::str::FromStr;

use kvnode_core::store::attributes::Version;
use kvnode_core::store::command::{AllCommand, PageLimit, Sorted};
use kvnode_core::store::condition::Condition;
use kvnode_core::store::key::{KeyPart, Namespace};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::Gathered;
use kvnode_core::time::UnixMillis;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::audit::Event;
use super::directory::{self, API_KEYS, Place};
use super::{AccountError, Caller};
use crate::accounts::api_key::{ApiKeyHash, ApiKeyId, NewApiKey, PresentedApiKey, Scope};
use crate::clock::rfc3339;
use crate::shared::Shared;
use crate::store::SharedStore;

/// One for each program that uses the tenant; all of them fit one page of a list.
const API_KEYS_MAX: usize = 1000;

/// It says in a list what the key is for.
const NAME_CHARS_MAX: usize = 100;

/// What is kept of a key.
#[derive(Serialize, Deserialize)]
struct KeptKey {
    name: Box<str>,
    scope: Scope,
    hash: [u8; 32],
}

/// What a key is called.
pub(crate) struct ApiKeyName(Box<str>);

#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum ApiKeyNameError {
    #[error("The name of the API key must have 1 to {NAME_CHARS_MAX} characters and must not be blank.")]
    Length,
    #[error("The name of the API key has a control character in it; leave it out.")]
    ControlCharacter,
}

impl FromStr for ApiKeyName {
    type Err = ApiKeyNameError;

    fn from_str(text: &str) -> Result<Self, ApiKeyNameError> {
        if text.trim().is_empty() || text.chars().count() > NAME_CHARS_MAX {
            return Err(ApiKeyNameError::Length);
        }
        if text.chars().any(char::is_control) {
            return Err(ApiKeyNameError::ControlCharacter);
        }
        Ok(Self(text.into()))
    }
}

/// What may be told of a key.
#[derive(Serialize)]
pub(crate) struct ApiKey {
    pub(crate) id: String,
    pub(crate) name: Box<str>,
    pub(crate) scope: Scope,
    pub(crate) created_at: String,
}

/// The second value is the only one that ever holds the key's text.
pub(crate) async fn create(
    shared: &Shared,
    name: ApiKeyName,
    scope: Scope,
) -> Result<(ApiKey, NewApiKey), AccountError> {
    let count = ids(shared).await?.len();
    if count >= API_KEYS_MAX {
        return Err(AccountError::TooManyApiKeys { count });
    }
    let (key, now) = (NewApiKey::generate(), shared.clock.now());
    let id = key.id();
    let kept = KeptKey { name: name.0, scope, hash: *key.hash().as_bytes() };
    let place = Place::ApiKey(id.as_str());
    let written = directory::write(shared, place, &kept, Condition::IfVersion(Version::ABSENT)).await?;
    written.ok_or(AccountError::Contended)?;
    shared.access.audit.note(Event::new(Namespace::Shared, "key_create", now).about(id.as_str(), None));
    Ok((ApiKey { id: id.as_str().to_owned(), name: kept.name, scope, created_at: rfc3339(now) }, key))
}

/// All of them, in the order of their ids.
pub(crate) async fn list(shared: &Shared) -> Result<Vec<ApiKey>, AccountError> {
    let now = shared.clock.now();
    let told = |id: String| {
        let found = directory::read::<KeptKey>(&shared.store, Place::ApiKey(&id), now)?;
        let KeptKey { name, scope, .. } = found.record;
        Some(ApiKey { id, name, scope, created_at: rfc3339(found.created_at) })
    };
    Ok(ids(shared).await?.into_iter().filter_map(told).collect())
}

/// Whether there was such a key. From here on it opens nothing.
pub(crate) async fn delete(shared: &Shared, id: ApiKeyId) -> Result<bool, AccountError> {
    let deleted = directory::delete(shared, Place::ApiKey(id.as_str()), Condition::IfMatchAny).await?;
    if deleted {
        shared.access.revoke_all();
        let event = Event::new(Namespace::Shared, "key_delete", shared.clock.now());
        shared.access.audit.note(event.about(id.as_str(), None));
    }
    Ok(deleted)
}

async fn ids(shared: &Shared) -> Result<Vec<String>, AccountError> {
    let all = Sorted {
        namespace: Namespace::System,
        prefix: KeyPart::new(API_KEYS, "prefix", &Limits::default()).expect("a short text"),
        tags: Vec::new(),
        skip: 0,
        limit: PageLimit::new(API_KEYS_MAX).expect("a page takes as many"),
    };
    let gathered = shared.gather(AllCommand::Sorted(all)).await?;
    let Gathered::Sorted(page) = gathered else { unreachable!("a page was answered with {gathered:?}") };
    Ok(page.keys.iter().filter_map(|key| key.strip_prefix(API_KEYS)).map(str::to_owned).collect())
}

/// Who holds this key, if it is one.
pub(super) fn holder(store: &SharedStore, key: &PresentedApiKey<'_>, now: UnixMillis) -> Option<Caller> {
    let kept = directory::read::<KeptKey>(store, Place::ApiKey(key.id().as_str()), now)?.record;
    ApiKeyHash::from_bytes(kept.hash).is_of(key).then(|| Caller::api_key(key.id(), kept.scope))
}

/// What the key with this id may do, as long as there is one.
pub(super) fn scope_of(store: &SharedStore, id: ApiKeyId, now: UnixMillis) -> Option<Scope> {
    Some(directory::read::<KeptKey>(store, Place::ApiKey(id.as_str()), now)?.record.scope)
}
