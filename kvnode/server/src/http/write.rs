//! One key, written: PUT, POST, PATCH and DELETE. Each makes one command of its request; what may be written, and which
//! version it gets, is the store's to say.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use kvnode_core::patch::Patch;
use kvnode_core::store::attributes::{Ttl, Version};
use kvnode_core::store::change::NewValue;
use kvnode_core::store::command::{KeyAction, KeyCommand, NewExpiry, NewTags, Write};
use kvnode_core::store::condition::Condition;
use kvnode_core::store::entry::EntryRef;
use kvnode_core::store::key::{Address, Key};
use kvnode_core::store::outcome::{Outcome, Refusal, Reply};
use kvnode_core::store::value::Value;
use serde::Serialize;

use super::answer::{self, JSON, json, tagged};
use super::body::{ReadBody, Room};
use super::call::{Call, Said, Sent};
use super::conditions::{self, IF_VERSION};
use super::dialect::PutBody;
use super::entry_text::shown_bytes;
use super::envelope::{self, Content, Form};
use super::problem::Problem;
use super::query::Query;
use super::read::absent;

const TTL: &str = "ttl";
const UPSERT: &str = "upsert";

/// How the answer to a write is told.
struct Telling {
    success: StatusCode,
    /// The member `status` of the answer.
    stored: Option<&'static str>,
    refused: fn(&Key<'_>, &Refusal) -> Problem,
}

const PLAIN: Telling = Telling { success: StatusCode::OK, stored: None, refused: Problem::refused };

pub(super) async fn put<B: Sent>(call: Call, body: B) -> Result<Response, Problem> {
    let address = call.address()?;
    match call.dialect.put {
        PutBody::Envelope | PutBody::Value => {
            let query = call.query(&[IF_VERSION, TTL])?;
            let conditions = conditions::of_write(&query, &call.headers)?;
            let form = envelope::form(&call.headers, true)?;
            let ReadBody { bytes, room } = call.read(body).await?;
            let write = whole(&call, form, &bytes, &query)?.only(conditions);
            let room = if form == Form::Bytes { call.at_least(shown_bytes(&bytes), room).await? } else { room };
            let command = KeyCommand::new(address, KeyAction::Write(write)).once(call.idempotency(&bytes));
            store(&call, command, room, Telling { stored: call.dialect.stored, ..PLAIN }).await
        }
        PutBody::Changes => {
            let query = call.query(&[IF_VERSION, UPSERT])?;
            let upsert = query.truth(UPSERT)?;
            let mut conditions = conditions::of_write(&query, &call.headers)?;
            envelope::form(&call.headers, false)?;
            let ReadBody { bytes, room } = call.read(body).await?;
            let content = envelope::changes(&bytes, call.limits())?;
            let refused = match (upsert, &content.value) {
                (true, Some(_)) => Problem::refused,
                (true, None) => nothing_to_create,
                (false, _) => nothing_to_update,
            };
            if !(upsert && content.value.is_some()) {
                conditions.push(Condition::IfMatchAny);
            }
            let room = call.room_for_present(&address, room).await?;
            let write = changed(&call, content).only(conditions);
            let command = KeyCommand::new(address, KeyAction::Write(write)).once(call.idempotency(&bytes));
            store(&call, command, room, Telling { refused, ..PLAIN }).await
        }
    }
}

/// All of the entry to be. `?ttl=` is for bodies that have no envelope to say it in.
fn whole<'b>(call: &Call, form: Form, body: &'b [u8], query: &Query) -> Result<Write<'b>, Problem> {
    let ttl = query.number(TTL)?;
    let bare = |value| Ok(Write::put(value).living(Ttl::from_seconds(ttl.unwrap_or(0))?));
    match (form, call.dialect.put) {
        (Form::Bytes, _) => bare(Value::bytes(body, call.limits())?),
        (Form::Json, PutBody::Value) => bare(envelope::bare(body, call.limits())?),
        (Form::Json, _) if ttl.is_some() => {
            Err(Problem::unfit("BadQuery", "The ttl of a JSON body stands in the body, not in the query."))
        }
        (Form::Json, _) => Ok(created(envelope::envelope(body, call.limits())?, None)),
    }
}

/// `POST …/kv`: for keys that are not there yet.
pub(super) async fn create(call: Call, body: Body) -> Result<Response, Problem> {
    let query = call.query(&[IF_VERSION])?;
    let mut conditions = conditions::of_write(&query, &call.headers)?;
    envelope::form(&call.headers, false)?;
    let ReadBody { bytes, room } = call.read(body).await?;
    let (key, content) = envelope::item(&bytes, call.limits())?;
    let key = Key::new(&key, call.limits())?;
    conditions.push(Condition::IfVersion(Version::ABSENT));
    let write = created(content, call.default_ttl()).only(conditions);
    let address = Address { namespace: call.caller.namespace, key };
    let command = KeyCommand::new(address, KeyAction::Write(write)).once(call.idempotency(&bytes));
    store(&call, command, room, Telling { success: StatusCode::CREATED, refused: there_already, ..PLAIN }).await
}

pub(super) async fn patch(call: Call, body: Body) -> Result<Response, Problem> {
    let address = call.address()?;
    let query = call.query(&[IF_VERSION])?;
    let conditions = conditions::of_write(&query, &call.headers)?;
    let kind = envelope::patch_kind(&call.headers)?;
    let ReadBody { bytes, room } = call.read(body).await?;
    let patch = Patch::parse(kind, &bytes, &call.limits().of_patches())?;
    let room = call.room_for_present(&address, room).await?;
    let content = Content::default();
    let write = Write { value: NewValue::Patch(patch), ..changed(&call, content) }.only(conditions);
    let command = KeyCommand::new(address, KeyAction::Write(write)).once(call.idempotency(&bytes));
    store(&call, command, room, PLAIN).await
}

/// An entry that is made of this content, and of nothing that was there before.
pub(super) fn created(content: Content<'_>, default_ttl: Option<Ttl>) -> Write<'_> {
    let value = content.value.expect("a body without a value is refused when it is read");
    let write = Write::put(value).living(default_ttl).tagged(content.tags.unwrap_or_default());
    Write { expiry: content.expiry.unwrap_or(write.expiry), ..write }
}

/// What is left out stays as it is.
fn changed<'b>(call: &Call, content: Content<'b>) -> Write<'b> {
    let mut write = Write::change(content.value.map_or(NewValue::Keep, NewValue::Set));
    let kept = || call.default_ttl().map_or(NewExpiry::Keep, NewExpiry::KeepOrAfter);
    write.expiry = content.expiry.unwrap_or_else(kept);
    write.tags = content.tags.map_or(NewTags::Keep, NewTags::Set);
    write
}

/// Runs a write and tells how it went. The answer is about as large as the room.
async fn store(
    call: &Call,
    command: KeyCommand<'_>,
    room: Room,
    Telling { success, stored, refused }: Telling,
) -> Result<Response, Problem> {
    let key = &command.address.key;
    let storing = call.shared.run(&command, |outcome| {
        let (operation, said) = (operation_of(&outcome), said(&outcome));
        let answer = match outcome {
            Ok(Reply::Stored { entry, .. }) => Ok((call.describe(entry, stored), entry.version())),
            Ok(other) => unreachable!("a write was answered with {other:?}"),
            Err(refusal) => Err(refused(key, &refusal)),
        };
        (operation, said, answer)
    });
    let (operation, said, answer) = storing.await?;
    call.record_write(operation, key, said);
    let (text, version) = answer?;
    Ok(tagged((success, [(header::CONTENT_TYPE, JSON)], room.body(text)).into_response(), version))
}

pub(super) async fn delete(call: Call) -> Result<Response, Problem> {
    #[derive(Serialize)]
    struct Deleted<'k> {
        key: &'k str,
        status: &'static str,
        message: &'static str,
        existed: bool,
    }

    let address = call.address()?;
    let query = call.query(&[IF_VERSION])?;
    let conditions = conditions::of_write(&query, &call.headers)?;
    let action = KeyAction::Delete { conditions, with_previous: false };
    let command = KeyCommand::new(address, action).once(call.idempotency(&[]));
    let key = &command.address.key;
    let deleting = call.shared.run(&command, |outcome| {
        let said = said(&outcome);
        let existed = outcome.map(|reply| matches!(reply, Reply::Deleted { .. }));
        (said, existed.map_err(|refusal| Problem::refused(key, &refusal)))
    });
    let (said, existed) = deleting.await?;
    call.record_write("delete", key, said);
    let existed = existed?;
    if !existed && !call.dialect.absent_is_deleted {
        return Err(absent(key));
    }
    if answer::wants_minimal(&call.headers) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let message = if existed { "Key deleted successfully" } else { "Key did not exist" };
    Ok(json(&Deleted { key: key.as_str(), status: "deleted", message, existed }))
}

pub(super) fn said(outcome: &Outcome<EntryRef<'_>>) -> Said {
    match outcome {
        Ok(Reply::Found(entry) | Reply::Stored { entry, .. }) => ("success", entry.version()),
        Ok(Reply::Deleted { version, .. }) => ("success", *version),
        Ok(Reply::Absent) => ("not_found", Version::ABSENT),
        Err(Refusal::VersionMismatch { actual, .. }) => ("error", *actual),
        Err(_) => ("error", Version::ABSENT),
    }
}

fn operation_of(outcome: &Outcome<EntryRef<'_>>) -> &'static str {
    match outcome {
        Ok(Reply::Stored { created: true, .. }) | Err(Refusal::MemoryFull { creating: true, .. }) => "create",
        Err(Refusal::VersionMismatch { actual, .. }) if *actual == Version::ABSENT => "create",
        _ => "update",
    }
}

pub(super) fn there_already(key: &Key<'_>, refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::VersionMismatch { expected: Condition::IfVersion(Version::ABSENT), actual, .. } => {
            let sentence = format!("Key '{}' exists already, with version {actual}; PUT changes it.", key.as_str());
            Problem::new(StatusCode::CONFLICT, "AlreadyExists", sentence)
        }
        refusal => Problem::refused(key, refusal),
    }
}

fn nothing_to_update(key: &Key<'_>, refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::VersionMismatch { actual: Version::ABSENT, .. } => absent(key),
        refusal => Problem::refused(key, refusal),
    }
}

fn nothing_to_create(key: &Key<'_>, refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::VersionMismatch { expected: Condition::IfMatchAny, actual: Version::ABSENT, .. } => {
            let sentence =
                format!("Key '{}' does not exist, and the body has no value to create it with.", key.as_str());
            Problem::unfit("BadBody", sentence)
        }
        refusal => Problem::refused(key, refusal),
    }
}
