//! One key: GET, HEAD, PUT and DELETE under the tenant's path.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kvnode_core::store::attributes::Version;
use kvnode_core::store::command::{KeyAction, KeyCommand};
use kvnode_core::store::condition::Present;
use kvnode_core::store::entry::EntryRef;
use kvnode_core::store::key::{Key, Namespace};
use kvnode_core::store::outcome::{Outcome, Refusal, Reply};
use kvnode_core::store::value::Kind;
use serde::Serialize;

use super::body::Room;
use super::conditions::{self, IF_VERSION, etag};
use super::entry_text::{Surroundings, entry_text};
use super::envelope::{self, TTL};
use super::observe::RequestId;
use super::problem::Problem;
use super::query::Query;
use super::target::{KeyTarget, OwnTenant};
use crate::monitor::Seen;
use crate::shared::Shared;

const RAW: &str = "raw";

const JSON: &str = "application/json";

/// A value that grows each time room was found for it is not chased for ever.
const LOOKS_MAX: usize = 3;

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
    let raw_bytes = wants_bytes(&headers);
    let command = KeyCommand::new(address, KeyAction::Get);
    let key = &command.address.key;
    let mut room = Room::default();
    let mut looks = 0;
    loop {
        let looking = shared.run(&command, |outcome| {
            let Reply::Found(entry) = outcome.expect("a get is never refused") else { return Found::Absent };
            let present = Present { version: entry.version(), ..Present::default() };
            if condition.as_ref().is_some_and(|condition| !condition.holds(present)) {
                return Found::NotModified(entry.version());
            }
            if entry.content().len() > room.bytes() {
                return Found::NeedsRoom(entry.content().len());
            }
            let answer = if raw || (raw_bytes && entry.kind() == Kind::Bytes) {
                (media_type(entry.kind()), entry.content().to_vec())
            } else {
                (JSON, described(&shared, entry, None))
            };
            Found::Entry(answer, entry.version())
        });
        let (answer, version) = match looking.await? {
            Found::NeedsRoom(bytes) if looks < LOOKS_MAX => {
                looks += 1;
                room = shared.bodies.room_for(bytes).await?;
                continue;
            }
            Found::NeedsRoom(_) => return Err(Problem::busy()),
            Found::Absent => {
                record(&shared, &id, "read", key, ("not_found", Version::ABSENT));
                return Err(absent(key));
            }
            Found::NotModified(version) => (StatusCode::NOT_MODIFIED.into_response(), version),
            Found::Entry((media_type, text), version) => {
                (([(header::CONTENT_TYPE, media_type)], room.body(text)).into_response(), version)
            }
        };
        record(&shared, &id, "read", key, ("success", version));
        return Ok(tagged(answer, version));
    }
}

/// What a get found, as far as it can leave the lock.
enum Found {
    Absent,
    NotModified(Version),
    /// The value is larger than the room that was asked for.
    NeedsRoom(usize),
    Entry((&'static str, Vec<u8>), Version),
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
    let write = envelope::put(form, &read.bytes, &query, conditions, &shared.settings.limits)?;
    let command = KeyCommand::new(address, KeyAction::Write(write));
    let key = &command.address.key;
    let storing = shared.run(&command, |outcome| {
        let (operation, said) = (write_operation(&outcome), said(&outcome));
        record(&shared, &id, operation, key, said);
        match outcome {
            Ok(Reply::Stored { entry, .. }) => Ok((described(&shared, entry, Some("stored")), entry.version())),
            Ok(other) => unreachable!("a put was answered with {other:?}"),
            Err(refusal) => Err(Problem::refused(key.as_str(), &refusal)),
        }
    });
    let (text, version) = storing.await??;
    // The answer is about as large as the request, and takes over its room.
    Ok(tagged(([(header::CONTENT_TYPE, JSON)], read.room.body(text)).into_response(), version))
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
    let command = KeyCommand::new(address, KeyAction::Delete { conditions, with_previous: false });
    let key = &command.address.key;
    let deleting = shared.run(&command, |outcome| {
        record(&shared, &id, "delete", key, said(&outcome));
        let existed = outcome.map(|reply| matches!(reply, Reply::Deleted { .. }));
        existed.map_err(|refusal| Problem::refused(key.as_str(), &refusal))
    });
    let existed = deleting.await??;
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

/// How an operation ended, and with which version.
type Said = (&'static str, Version);

fn said(outcome: &Outcome<EntryRef<'_>>) -> Said {
    match outcome {
        Ok(Reply::Found(entry) | Reply::Stored { entry, .. }) => ("success", entry.version()),
        Ok(Reply::Deleted { version, .. }) => ("success", *version),
        Ok(Reply::Absent) => ("not_found", Version::ABSENT),
        Err(Refusal::VersionMismatch { actual, .. }) => ("error", *actual),
        Err(Refusal::Change(_) | Refusal::MemoryFull { .. }) => ("error", Version::ABSENT),
    }
}

/// Counts the operation and, for a write, says so in the log. Below `debug` it costs a look at the level.
fn record(shared: &Shared, RequestId(id): &RequestId, operation: &'static str, key: &Key<'_>, (status, version): Said) {
    shared.metrics.operation(operation, status);
    let seen = Seen {
        protocol: "http",
        operation,
        status,
        namespace: Namespace::Shared,
        key: Some(key.as_str()),
        version: version.get(),
    };
    shared.monitor.show(|| shared.clock.now(), &seen);
    if operation != "read" {
        let tenant_id = shared.settings.tenant.as_str();
        let (key, version) = (key.as_str(), version.get());
        tracing::debug!(tenant_id, key, operation, request_id = id.as_ref(), status, version, "write");
    }
}

fn write_operation(outcome: &Outcome<EntryRef<'_>>) -> &'static str {
    match outcome {
        Ok(Reply::Stored { created: true, .. }) | Err(Refusal::MemoryFull { creating: true, .. }) => "create",
        Err(Refusal::VersionMismatch { actual, .. }) if *actual == Version::ABSENT => "create",
        _ => "update",
    }
}

fn described(shared: &Shared, entry: EntryRef<'_>, status: Option<&'static str>) -> Vec<u8> {
    let surroundings =
        Surroundings { tenant: shared.settings.tenant.as_str(), node: shared.settings.name.as_str(), status };
    entry_text(entry, surroundings)
}

fn tagged(mut response: Response, version: Version) -> Response {
    let tag = HeaderValue::try_from(etag(version)).expect("digits in quotes are a header's value");
    response.headers_mut().insert(header::ETAG, tag);
    response
}

fn media_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Json => JSON,
        Kind::Bytes => "application/octet-stream",
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

fn absent(key: &Key<'_>) -> Problem {
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
