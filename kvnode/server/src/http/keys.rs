//! One key: GET, HEAD, PUT and DELETE under the tenant's path.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kvnode_core::store::attributes::Version;
use kvnode_core::store::command::{KeyAction, KeyCommand};
use kvnode_core::store::entry::Entry;
use kvnode_core::store::key::Key;
use kvnode_core::store::outcome::{Outcome, Refusal, Reply};
use kvnode_core::store::value::Value;
use serde::Serialize;

use super::conditions::{self, IF_VERSION, etag};
use super::entry_text::{Surroundings, content, entry_text};
use super::envelope::{self, TTL};
use super::observe::RequestId;
use super::problem::Problem;
use super::query::Query;
use super::target::{KeyTarget, OwnTenant};
use crate::shared::Shared;

const RAW: &str = "raw";

pub(super) async fn get(
    State(shared): State<Arc<Shared>>,
    Extension(id): Extension<RequestId>,
    KeyTarget(address): KeyTarget,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = Query::parse(query.as_deref(), &[RAW])?;
    let raw = query.truth(RAW)?;
    let condition = conditions::none_match(&headers)?;
    let key = address.key.clone();
    let outcome = shared.store.execute(KeyCommand { address, action: KeyAction::Get }, shared.clock.now());
    record(&shared, &id, "read", &key, &outcome);
    let Reply::Found(entry) = outcome? else { return Err(absent(&key)) };

    let answer = if condition.is_some_and(|condition| !condition.holds(entry.version)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else if raw || (matches!(entry.value, Value::Bytes(_)) && wants_bytes(&headers)) {
        ([(header::CONTENT_TYPE, media_type(&entry.value))], Body::from(content(&entry))).into_response()
    } else {
        described(&shared, &entry, None)
    };
    Ok(tagged(answer, entry.version))
}

pub(super) async fn put(
    State(shared): State<Arc<Shared>>,
    Extension(id): Extension<RequestId>,
    KeyTarget(address): KeyTarget,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let query = Query::parse(query.as_deref(), &[IF_VERSION, TTL])?;
    refuse_idempotency_key(&headers)?;
    let conditions = conditions::of_write(&query, &headers)?;
    let form = envelope::form(&headers)?;
    let read = shared.bodies.read(&headers, body).await?;
    let put = envelope::put(form, &read.bytes, &query, conditions, &shared.settings.limits)?;
    let key = address.key.clone();
    let outcome = shared.store.execute(KeyCommand { address, action: KeyAction::Put(put) }, shared.clock.now());
    record(&shared, &id, write_operation(&outcome), &key, &outcome);
    match outcome? {
        Reply::Stored { entry, .. } => Ok(tagged(described(&shared, &entry, Some("stored")), entry.version)),
        other => unreachable!("a put was answered with {other:?}"),
    }
}

pub(super) async fn delete(
    State(shared): State<Arc<Shared>>,
    Extension(id): Extension<RequestId>,
    KeyTarget(address): KeyTarget,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    #[derive(Serialize)]
    struct Deleted<'k> {
        key: &'k str,
        status: &'static str,
        message: &'static str,
        existed: bool,
    }

    let query = Query::parse(query.as_deref(), &[IF_VERSION])?;
    refuse_idempotency_key(&headers)?;
    let conditions = conditions::of_write(&query, &headers)?;
    let key = address.key.clone();
    let command = KeyCommand { address, action: KeyAction::Delete { conditions } };
    let outcome = shared.store.execute(command, shared.clock.now());
    record(&shared, &id, "delete", &key, &outcome);
    let existed = matches!(outcome?, Reply::Deleted { .. });
    if wants_minimal(&headers) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let message = if existed { "Key deleted successfully" } else { "Key did not exist" };
    Ok(Json(Deleted { key: key.as_str(), status: "deleted", message, existed }).into_response())
}

/// `/{tenant}/kv/` with nothing behind it.
pub(super) async fn left_out(_tenant: OwnTenant) -> Problem {
    Problem::malformed("KeyBlank", "The path names no key; write it behind /kv/.")
}

/// Counts the operation and, for a write, says so in the log. Below `debug` it costs a look at the level.
fn record(shared: &Shared, RequestId(id): &RequestId, operation: &'static str, key: &Key, outcome: &Outcome) {
    let (status, version) = match outcome {
        Ok(Reply::Found(entry) | Reply::Stored { entry, .. }) => ("success", entry.version),
        Ok(Reply::Deleted { version }) => ("success", *version),
        Ok(Reply::Absent) => ("not_found", Version::ABSENT),
        Ok(other) => unreachable!("a command about one key was answered with {other:?}"),
        Err(Refusal::VersionMismatch { actual, .. }) => ("error", *actual),
        Err(Refusal::MemoryFull { .. }) => ("error", Version::ABSENT),
    };
    shared.metrics.operation(operation, status);
    if operation != "read" {
        let tenant_id = shared.settings.tenant.as_str();
        let (key, version) = (key.as_str(), version.get());
        tracing::debug!(tenant_id, key, operation, request_id = id.as_ref(), status, version, "write");
    }
}

fn write_operation(outcome: &Outcome) -> &'static str {
    match outcome {
        Ok(Reply::Stored { created: true, .. }) | Err(Refusal::MemoryFull { creating: true, .. }) => "create",
        Err(Refusal::VersionMismatch { actual, .. }) if *actual == Version::ABSENT => "create",
        _ => "update",
    }
}

fn described(shared: &Shared, entry: &Arc<Entry>, status: Option<&'static str>) -> Response {
    let surroundings =
        Surroundings { tenant: shared.settings.tenant.as_str(), node: shared.settings.name.as_str(), status };
    ([(header::CONTENT_TYPE, "application/json")], entry_text(entry, surroundings)).into_response()
}

fn tagged(mut response: Response, version: Version) -> Response {
    let tag = HeaderValue::try_from(etag(version)).expect("digits in quotes are a header's value");
    response.headers_mut().insert(header::ETAG, tag);
    response
}

fn media_type(value: &Value) -> &'static str {
    match value {
        Value::Json(_) => "application/json",
        Value::Bytes(_) => "application/octet-stream",
    }
}

fn wants_bytes(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    accepted.flat_map(|line| line.split(',')).any(|range| {
        range.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/octet-stream")
    })
}

fn wants_minimal(headers: &HeaderMap) -> bool {
    let preferred = headers.get_all("prefer").iter().filter_map(|line| line.to_str().ok());
    preferred.flat_map(|line| line.split([',', ';'])).any(|wish| wish.trim().eq_ignore_ascii_case("return=minimal"))
}

fn absent(key: &Key) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "NotFound", format!("Key '{}' was not found.", key.as_str()))
}

/// A retry that carries such a key relies on not being done twice; to ignore it would be to break that silently.
fn refuse_idempotency_key(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key("idempotency-key") {
        let sentence = "This version of kvnode does not know Idempotency-Key; use ifVersion to make a retry safe.";
        return Err(Problem::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", sentence));
    }
    Ok(())
}
