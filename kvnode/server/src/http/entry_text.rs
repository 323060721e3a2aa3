//! The entry as JSON text. The value's own text is put in as it is stored, which is why this is not left to a
//! serializer: it would have to parse the value, and would write its numbers and members in a way of its own.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use kvnode_core::store::attributes::{Tags, Ttl};
use kvnode_core::store::entry::Entry;
use kvnode_core::store::value::Value;
use serde::Serialize;

use super::content::Spliced;
use crate::clock::rfc3339;

/// Values up to this size are copied into the answer; larger ones are sent from where they are stored, so that many
/// slow readers of one large value share one copy of it.
const COPIED_VALUE_BYTES_MAX: usize = 16 * 1024;

/// What an answer says beside the entry itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'s> {
    pub(super) tenant: &'s str,
    pub(super) node: &'s str,
    /// Set in the answer to a write.
    pub(super) status: Option<&'static str>,
}

#[derive(Serialize)]
struct Metadata<'e> {
    version: u64,
    ttl: Option<u64>,
    tags: TagMap<'e>,
    created_at: String,
    updated_at: String,
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
}

struct TagMap<'e>(&'e Tags);

pub(super) fn entry_text(entry: &Arc<Entry>, surroundings: Surroundings<'_>) -> Spliced {
    let (value, encoding) = value_text(entry);
    let mut head = Vec::with_capacity(512);
    head.extend_from_slice(b"{\"key\":");
    append(&mut head, entry.address.key.as_str());
    head.extend_from_slice(b",\"value\":");
    let tail = tail(entry, surroundings, encoding);
    if value.len() <= COPIED_VALUE_BYTES_MAX {
        head.extend_from_slice(&value);
        head.extend_from_slice(&tail);
        Spliced::new([head.into()])
    } else {
        Spliced::new([head.into(), value, tail.into()])
    }
}

/// The value as it was written: JSON text or bytes.
pub(super) fn content(entry: &Arc<Entry>) -> Bytes {
    struct Content(Arc<Entry>);
    impl AsRef<[u8]> for Content {
        fn as_ref(&self) -> &[u8] {
            self.0.value.content()
        }
    }
    Bytes::from_owner(Content(Arc::clone(entry)))
}

/// Bytes are shown as text where they are text, else in base 64; `encoding` says which.
fn value_text(entry: &Arc<Entry>) -> (Bytes, Option<&'static str>) {
    match &entry.value {
        Value::Json(_) => (content(entry), None),
        Value::Bytes(bytes) => {
            let mut text = Vec::with_capacity(bytes.len() + 2);
            let encoding = if let Ok(utf8) = std::str::from_utf8(bytes) {
                append(&mut text, utf8);
                "utf-8"
            } else {
                append(&mut text, &BASE64.encode(bytes));
                "base64"
            };
            (text.into(), Some(encoding))
        }
    }
}

fn tail(entry: &Entry, surroundings: Surroundings<'_>, encoding: Option<&'static str>) -> Vec<u8> {
    let mut tail = Vec::with_capacity(256);
    tail.extend_from_slice(b",\"version\":");
    append(&mut tail, &entry.version.get());
    tail.extend_from_slice(b",\"tenant_id\":");
    append(&mut tail, surroundings.tenant);
    tail.extend_from_slice(b",\"node\":");
    append(&mut tail, surroundings.node);
    tail.extend_from_slice(b",\"metadata\":");
    append(
        &mut tail,
        &Metadata {
            version: entry.version.get(),
            ttl: entry.ttl.map(Ttl::seconds),
            tags: TagMap(&entry.tags),
            created_at: rfc3339(entry.created_at),
            updated_at: rfc3339(entry.updated_at),
            expires_at: entry.expires_at.map(rfc3339),
            encoding,
        },
    );
    if let Some(status) = surroundings.status {
        tail.extend_from_slice(b",\"status\":");
        append(&mut tail, status);
    }
    tail.push(b'}');
    tail
}

fn append<T: Serialize + ?Sized>(text: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(text, value).expect("texts and numbers are always JSON, and memory takes them all");
}

impl Serialize for TagMap<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}
