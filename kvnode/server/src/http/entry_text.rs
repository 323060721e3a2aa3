//! The entry as JSON text. The value's own text is put in as it is stored, which is why this is not left to a
//! serializer: it would have to parse the value, and would write its numbers and members in a way of its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kvnode_core::store::attributes::{TagsRef, Ttl};
use kvnode_core::store::entry::EntryRef;
use kvnode_core::store::value::Kind;
use serde::Serialize;

use crate::clock::rfc3339;

/// What an entry's text has beside its key, value and tags, roundly: the answer is then built without growing twice.
const BESIDE_VALUE_BYTES: usize = 512;

/// What an answer says beside the entry itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'s> {
    pub(super) tenant_id: &'s str,
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

struct TagMap<'e>(TagsRef<'e>);

/// What the value takes in the text, so that there is room for it. JSON is put in as it is; bytes grow by what has to be
/// escaped or encoded.
pub(super) fn bytes_of(entry: EntryRef<'_>) -> usize {
    match entry.kind() {
        Kind::Json => entry.content().len(),
        Kind::Bytes => shown_bytes(entry.content()),
    }
}

/// The same for bytes that are no entry yet.
pub(super) fn shown_bytes(content: &[u8]) -> usize {
    match std::str::from_utf8(content) {
        Ok(text) => text.bytes().map(escaped_bytes).sum(),
        Err(_) => content.len().div_ceil(3) * 4,
    }
}

/// As JSON writes it within a string.
fn escaped_bytes(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

pub(super) fn entry_text(entry: EntryRef<'_>, surroundings: Surroundings<'_>) -> Vec<u8> {
    let version = entry.version().get();
    let mut text = Vec::with_capacity(BESIDE_VALUE_BYTES + entry.key().len() + entry.content().len());
    text.extend_from_slice(b"{\"key\":");
    append(&mut text, entry.key());
    text.extend_from_slice(b",\"value\":");
    let encoding = append_value(&mut text, entry);
    text.extend_from_slice(b",\"version\":");
    append(&mut text, &version);
    text.extend_from_slice(b",\"tenant_id\":");
    append(&mut text, surroundings.tenant_id);
    text.extend_from_slice(b",\"node\":");
    append(&mut text, surroundings.node);
    text.extend_from_slice(b",\"metadata\":");
    append(
        &mut text,
        &Metadata {
            version,
            ttl: entry.ttl().map(Ttl::seconds),
            tags: TagMap(entry.tags()),
            created_at: rfc3339(entry.created_at()),
            updated_at: rfc3339(entry.updated_at()),
            expires_at: entry.expires_at().map(rfc3339),
            encoding,
        },
    );
    if let Some(status) = surroundings.status {
        text.extend_from_slice(b",\"status\":");
        append(&mut text, status);
    }
    text.push(b'}');
    text
}

/// Bytes are shown as text where they are text, else in base 64; `encoding` says which.
fn append_value(text: &mut Vec<u8>, entry: EntryRef<'_>) -> Option<&'static str> {
    if entry.kind() == Kind::Json {
        text.extend_from_slice(entry.content());
        return None;
    }
    if let Ok(utf8) = std::str::from_utf8(entry.content()) {
        append(text, utf8);
        Some("utf-8")
    } else {
        append(text, &BASE64.encode(entry.content()));
        Some("base64")
    }
}

fn append<T: Serialize + ?Sized>(text: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(text, value).expect("texts and numbers are always JSON, and memory takes them all");
}

impl Serialize for TagMap<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter())
    }
}
