//! What the bodies of writes carry, by the content type and the dialect. The text of a value is taken over character for
//! character; an unknown member is refused, because a misspelt `ttl` would otherwise keep data for ever.

use std::borrow::Cow;
use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use kvnode_core::patch::PatchKind;
use kvnode_core::store::attributes::{Tags, Ttl};
use kvnode_core::store::command::NewExpiry;
use kvnode_core::store::limits::Limits;
use kvnode_core::store::value::Value;
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::answer::{BYTES, JSON};
use super::problem::Problem;

const ENVELOPE: &str = r#"{"value": …, "ttl"?: seconds, "tags"?: {…}}"#;
const CHANGES: &str = r#"{"value"?: …, "ttl"?: seconds, "tags"?: {…}}"#;
const ITEM: &str = r#"{"key": "…", "value": …, "ttl"?: seconds, "tags"?: {…}}"#;

const MERGE_PATCH: &str = "application/merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'b> {
    #[serde(borrow)]
    value: &'b RawValue,
    #[serde(borrow, default, deserialize_with = "given")]
    ttl: Option<&'b RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    tags: Option<&'b RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes<'b> {
    #[serde(borrow, default, deserialize_with = "given")]
    value: Option<&'b RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    ttl: Option<&'b RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    tags: Option<&'b RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item<'b> {
    #[serde(borrow)]
    key: Cow<'b, str>,
    #[serde(borrow)]
    value: &'b RawValue,
    #[serde(borrow, default, deserialize_with = "given")]
    ttl: Option<&'b RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    tags: Option<&'b RawValue>,
}

/// What a body says about an entry.
#[derive(Debug, Default)]
pub(super) struct Content<'b> {
    pub(super) value: Option<Value<'b>>,
    pub(super) expiry: Option<NewExpiry>,
    pub(super) tags: Option<Tags>,
}

/// What a body is, by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Bytes,
}

/// Null is a value, and not the same as nothing.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

/// Without a content type a body is JSON.
pub(super) fn form(headers: &HeaderMap, bytes_allowed: bool) -> Result<Form, Problem> {
    match media_type(headers).as_deref() {
        None | Some(JSON) => Ok(Form::Json),
        Some(BYTES) if bytes_allowed => Ok(Form::Bytes),
        Some(_) if bytes_allowed => Err(unsupported(headers, &format!("{JSON} for JSON, or {BYTES} for raw bytes"))),
        Some(_) => Err(unsupported(headers, JSON)),
    }
}

pub(super) fn patch_kind(headers: &HeaderMap) -> Result<PatchKind, Problem> {
    match media_type(headers).as_deref() {
        None | Some(JSON) => Ok(PatchKind::Shallow),
        Some(MERGE_PATCH) => Ok(PatchKind::Merge),
        Some(JSON_PATCH) => Ok(PatchKind::Operations),
        Some(_) => {
            const KINDS: &str = "application/json, application/merge-patch+json, application/json-patch+json";
            const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
            Err(unsupported(headers, &format!("one of {KINDS}"))
                .with_header(ACCEPT_PATCH, HeaderValue::from_static(KINDS)))
        }
    }
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::CONTENT_TYPE)?.to_str().unwrap_or_default();
    Some(text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn unsupported(headers: &HeaderMap, instead: &str) -> Problem {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let sentence = format!("The Content-Type '{}' is not understood here; use {instead}.", shown(text));
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", sentence)
}

/// `{value, ttl?, tags?}`
pub(super) fn envelope<'b>(body: &'b [u8], limits: &Limits) -> Result<Content<'b>, Problem> {
    let Envelope { value, ttl, tags } = members(body, ENVELOPE)?;
    content(Some(value), ttl, tags, limits)
}

/// `{value?, ttl?, tags?}`
pub(super) fn changes<'b>(body: &'b [u8], limits: &Limits) -> Result<Content<'b>, Problem> {
    let Changes { value, ttl, tags } = members(body, CHANGES)?;
    content(value, ttl, tags, limits)
}

/// `{key, value, ttl?, tags?}`
pub(super) fn item<'b>(body: &'b [u8], limits: &Limits) -> Result<(Cow<'b, str>, Content<'b>), Problem> {
    let Item { key, value, ttl, tags } = members(body, ITEM)?;
    Ok((key, content(Some(value), ttl, tags, limits)?))
}

/// A body that is the value, as JSON.
pub(super) fn bare<'b>(body: &'b [u8], limits: &Limits) -> Result<Value<'b>, Problem> {
    let raw: &RawValue = serde_json::from_slice(body)
        .map_err(|error| Problem::malformed("BadBody", format!("The body must be JSON, but: {error}.")))?;
    Ok(Value::raw_json(raw, limits)?)
}

fn content<'b>(
    value: Option<&'b RawValue>,
    ttl: Option<&'b RawValue>,
    tags: Option<&'b RawValue>,
    limits: &Limits,
) -> Result<Content<'b>, Problem> {
    Ok(Content {
        value: value.map(|raw| Value::raw_json(raw, limits)).transpose()?,
        expiry: ttl.map(expiry_of).transpose()?,
        tags: tags.map(|raw| tags_of(raw, limits)).transpose()?,
    })
}

/// Reads a body that must have this shape. What is no JSON at all is malformed; what is, and has another shape, is unfit.
pub(super) fn members<'b, T: Deserialize<'b>>(body: &'b [u8], shape: &str) -> Result<T, Problem> {
    let sentence = |reason: &str| format!("The body must be {shape}, but: {reason}.");
    let unfit = |reason: &str| match serde_json::from_slice::<&RawValue>(body) {
        Ok(_) => Problem::unfit("BadBody", sentence(reason)),
        Err(error) => Problem::malformed("BadBody", sentence(&error.to_string())),
    };
    // A list would be read as the members in their order, which nobody means.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(unfit("it is a list"));
    }
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => unfit(&error.to_string()),
        _ => Problem::malformed("BadBody", sentence(&error.to_string())),
    })
}

/// Read from the text: a number that lost its fraction on the way would pass for whole seconds.
fn expiry_of(raw: &RawValue) -> Result<NewExpiry, Problem> {
    let text = raw.get();
    if text == "null" {
        return Ok(NewExpiry::Never);
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let sentence = format!("The ttl is {}; it must be whole seconds above 0, or 0 or null for none.", shown(text));
        return Err(Problem::unfit("BadTtl", sentence));
    }
    // More digits than a u64 has are too long in any case, and the core says so.
    Ok(Ttl::from_seconds(text.parse().unwrap_or(u64::MAX))?.map_or(NewExpiry::Never, NewExpiry::After))
}

fn tags_of(raw: &RawValue, limits: &Limits) -> Result<Tags, Problem> {
    let pairs: Option<BTreeMap<String, String>> = serde_json::from_str(raw.get()).map_err(|error| {
        Problem::unfit("BadTags", format!("The tags must be an object from text to text, but: {error}."))
    })?;
    let pairs = pairs.unwrap_or_default();
    Ok(Tags::new(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())), limits)?)
}

/// The beginning of a text a client sent, short enough for a sentence.
fn shown(text: &str) -> String {
    const SHOWN_MAX: usize = 40;
    text.chars().take(SHOWN_MAX).collect()
}
