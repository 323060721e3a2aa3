//! An entry as a line, and back. JSON stands there as a text within the text: programs that read JSON and write it again
//! change numbers and white space, and a value must come back as it was.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use kvnode_core::store::attributes::{Tags, Ttl};
use kvnode_core::store::dumped::{Dumped, DumpedExpiry};
use kvnode_core::store::entry::EntryRef;
use kvnode_core::store::key::{Key, Namespace};
use kvnode_core::store::limits::{InputError, Limits};
use kvnode_core::store::value::{Kind, Value};
use kvnode_core::time::UnixMillis;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The name of the node's own namespace. Accounts are named by their UUIDs.
const SYSTEM: &str = "system";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Members<'l> {
    #[serde(borrow)]
    key: Cow<'l, str>,
    /// Left out for the keys that all share.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<Cow<'l, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    json: Option<Cow<'l, str>>,
    /// In base 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<Cow<'l, str>>,
    version: u64,
    /// Moments are milliseconds since 1970: dates could not tell the last ones exactly.
    created_at: u64,
    updated_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
    /// In seconds, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<NonZeroU32>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<Cow<'l, str>, Cow<'l, str>>,
    /// Looked at as bytes, before the line is read.
    #[serde(default, skip_serializing, rename = "crc")]
    _crc: IgnoredAny,
}

/// A line that was read and makes sense. Whether it fits a node's limits is another question.
#[derive(Debug)]
pub(crate) struct EntryLine<'l> {
    pub(crate) namespace: Namespace,
    key: Cow<'l, str>,
    kind: Kind,
    content: Vec<u8>,
    version: u64,
    created_at: UnixMillis,
    updated_at: UnixMillis,
    expiry: Option<DumpedExpiry>,
    tags: BTreeMap<Cow<'l, str>, Cow<'l, str>>,
}

/// The members of a line, without the last brace.
pub(super) fn write(namespace: Namespace, entry: EntryRef<'_>, text: &mut Vec<u8>) {
    let (json, bytes) = match entry.kind() {
        Kind::Json => {
            let json = std::str::from_utf8(entry.content()).expect("JSON was text when it was stored");
            (Some(Cow::Borrowed(json)), None)
        }
        Kind::Bytes => (None, Some(Cow::Owned(BASE64.encode(entry.content())))),
    };
    let members = Members {
        key: entry.key().into(),
        namespace: match namespace {
            Namespace::Shared => None,
            Namespace::System => Some(SYSTEM.into()),
            Namespace::Account(id) => Some(Uuid::from_u128(id).to_string().into()),
        },
        json,
        bytes,
        version: entry.version().get(),
        created_at: entry.created_at().get(),
        updated_at: entry.updated_at().get(),
        expires_at: entry.expires_at().map(UnixMillis::get),
        ttl: entry.ttl().and_then(stored_seconds),
        tags: entry.tags().iter().map(|(name, value)| (name.into(), value.into())).collect(),
        _crc: IgnoredAny,
    };
    super::writer::append_open(text, &members);
}

/// Entries keep a ttl in four bytes.
fn stored_seconds(ttl: Ttl) -> Option<NonZeroU32> {
    NonZeroU32::new(u32::try_from(ttl.seconds()).unwrap_or(u32::MAX))
}

impl<'l> EntryLine<'l> {
    pub(super) fn read(line: &'l [u8]) -> Result<Self, String> {
        let members: Members<'l> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let namespace = match members.namespace.as_deref() {
            None => Namespace::Shared,
            Some(SYSTEM) => Namespace::System,
            Some(id) => match Uuid::parse_str(id) {
                Ok(id) => Namespace::Account(id.as_u128()),
                Err(_) => return Err(format!("there is no namespace '{id}'")),
            },
        };
        let (kind, content) = match (members.json, members.bytes) {
            (Some(json), None) => (Kind::Json, json.into_owned().into_bytes()),
            (None, Some(bytes)) => {
                let decoded = BASE64.decode(bytes.as_bytes());
                (Kind::Bytes, decoded.map_err(|error| format!("'bytes' is no base 64: {error}"))?)
            }
            _ => return Err("it must have either 'json' or 'bytes'".to_owned()),
        };
        let expiry = match (members.ttl, members.expires_at) {
            (None, None) => None,
            (Some(ttl_seconds), Some(at)) => Some(DumpedExpiry { at: UnixMillis::new(at), ttl_seconds }),
            _ => return Err("it must have both of 'ttl' and 'expires_at', or neither".to_owned()),
        };
        Ok(Self {
            namespace,
            key: members.key,
            kind,
            content,
            version: members.version,
            created_at: UnixMillis::new(members.created_at),
            updated_at: UnixMillis::new(members.updated_at),
            expiry,
            tags: members.tags,
        })
    }

    pub(crate) fn key(&self, limits: &Limits) -> Result<Key<'_>, InputError> {
        Key::new(&self.key, limits)
    }

    pub(crate) fn dumped(&self, limits: &Limits) -> Result<Dumped<'_>, InputError> {
        let value = match self.kind {
            Kind::Bytes => Value::bytes(&self.content, limits)?,
            Kind::Json => {
                let text = std::str::from_utf8(&self.content).expect("it was a text when it was read");
                Value::json(text, limits)?
            }
        };
        let mut dumped = Dumped::new(value, self.version, self.updated_at)?;
        dumped.created_at = self.created_at;
        dumped.expiry = self.expiry;
        dumped.tags = Tags::new(self.tags.iter().map(|(name, value)| (name.as_ref(), value.as_ref())), limits)?;
        Ok(dumped)
    }
}
