//! What a PUT under a tenant's path carries: `{value, ttl?, tags?}` as JSON, or raw bytes. The text of `value` is taken
//! over character for character.

use std::collections::BTreeMap;

use http::{HeaderMap, StatusCode, header};
use kvnode_core::store::attributes::{Tags, Ttl};
use kvnode_core::store::command::Write;
use kvnode_core::store::condition::Condition;
use kvnode_core::store::limits::Limits;
use kvnode_core::store::value::Value;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::problem::Problem;
use super::query::Query;

pub(super) const TTL: &str = "ttl";

/// An unknown member is refused: a misspelt `ttl` would otherwise keep data for ever.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'b> {
    #[serde(borrow)]
    value: &'b RawValue,
    #[serde(borrow, default)]
    ttl: Option<&'b RawValue>,
    #[serde(borrow, default)]
    tags: Option<&'b RawValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Envelope,
    Bytes,
}

pub(super) fn form(headers: &HeaderMap) -> Result<Form, Problem> {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else { return Ok(Form::Envelope) };
    let text = content_type.to_str().unwrap_or_default();
    let media_type = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/json" => Ok(Form::Envelope),
        "application/octet-stream" => Ok(Form::Bytes),
        _ => {
            let sentence = format!(
                "The Content-Type '{text}' is not understood here; use application/json with a body {SHAPE}, \
                 or application/octet-stream for raw bytes."
            );
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", sentence))
        }
    }
}

const SHAPE: &str = r#"{"value": …, "ttl"?: seconds, "tags"?: {…}}"#;

/// `?ttl=` is for bytes, which have no envelope; beside an envelope it would be a second, silent place to say it.
pub(super) fn put<'b>(
    form: Form,
    body: &'b [u8],
    query: &Query,
    conditions: Vec<Condition>,
    limits: &Limits,
) -> Result<Write<'b>, Problem> {
    match form {
        Form::Bytes => {
            let ttl = Ttl::from_seconds(query.number(TTL)?.unwrap_or(0))?;
            Ok(Write::put(Value::bytes(body, limits)?).living(ttl).only(conditions))
        }
        Form::Envelope if query.get(TTL).is_some() => {
            Err(Problem::malformed("BadQuery", "The ttl of a JSON body stands in the body, not in the query."))
        }
        Form::Envelope => {
            let envelope = envelope(body)?;
            let value = Value::raw_json(envelope.value, limits)?;
            let ttl = envelope.ttl.map_or(Ok(None), ttl)?;
            let tags = envelope.tags.map_or_else(|| Ok(Tags::default()), |raw| tags(raw, limits))?;
            Ok(Write::put(value).living(ttl).tagged(tags).only(conditions))
        }
    }
}

fn envelope(body: &[u8]) -> Result<Envelope<'_>, Problem> {
    let bad = |reason: &str| Problem::malformed("BadBody", format!("The body must be {SHAPE}, but: {reason}."));
    // A list would be read as the members in their order, which nobody means.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(bad("it is a list"));
    }
    serde_json::from_slice(body).map_err(|error| bad(&error.to_string()))
}

/// Read from the text: a number that lost its fraction on the way would pass for whole seconds.
fn ttl(raw: &RawValue) -> Result<Option<Ttl>, Problem> {
    let text = raw.get();
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let sentence = format!("The ttl is {}; it must be whole seconds above 0, or 0 or null for none.", shown(text));
        return Err(Problem::malformed("BadTtl", sentence));
    }
    // More digits than a u64 has are too long in any case, and the core says so.
    Ok(Ttl::from_seconds(text.parse().unwrap_or(u64::MAX))?)
}

fn tags(raw: &RawValue, limits: &Limits) -> Result<Tags, Problem> {
    let pairs: BTreeMap<String, String> = serde_json::from_str(raw.get()).map_err(|error| {
        Problem::malformed("BadTags", format!("The tags must be an object from text to text, but: {error}."))
    })?;
    Ok(Tags::new(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())), limits)?)
}

/// The beginning of a text a client sent, short enough for a sentence.
fn shown(text: &str) -> String {
    const SHOWN_MAX: usize = 40;
    text.chars().take(SHOWN_MAX).collect()
}
