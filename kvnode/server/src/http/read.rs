//! One key, read: the entry, its value alone, whether it is there, how long it will be.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use kvnode_core::store::attributes::Version;
use kvnode_core::store::command::{KeyAction, KeyCommand};
use kvnode_core::store::condition::{Condition, Present};
use kvnode_core::store::entry::EntryRef;
use kvnode_core::store::key::Key;
use kvnode_core::store::outcome::Reply;
use kvnode_core::store::value::Kind;
use serde::Serialize;

use super::answer::{self, BYTES, JSON, json, media_type_of, tagged};
use super::body::Room;
use super::call::{Call, NOT_FOUND, SUCCESS};
use super::conditions;
use super::entry_text;
use super::problem::Problem;
use crate::shared::Shared;

const RAW: &str = "raw";

/// A value that grows each time room was found for it is not chased for ever.
const LOOKS_MAX: usize = 3;

/// What a look at an entry gave.
pub(super) enum Look<R> {
    Seen(R),
    /// Nothing yet: an answer of so many bytes needs more room.
    NeedsRoom(usize),
}

impl<R> Look<R> {
    /// What is seen, if there is room for so many bytes.
    pub(super) fn within(room: &Room, bytes: usize, see: impl FnOnce() -> R) -> Self {
        if bytes <= room.bytes() { Self::Seen(see()) } else { Self::NeedsRoom(bytes) }
    }
}

pub(super) async fn get(call: Call) -> Result<Response, Problem> {
    let query = call.query(&[RAW])?;
    let address = call.address()?;
    let wanted = Wanted {
        raw: query.truth(RAW)?,
        bytes_as_they_are: answer::accepts(&call.headers, BYTES),
        unless: conditions::none_match(&call.headers)?,
    };
    let command = KeyCommand::new(address, KeyAction::Get);
    let key = &command.address.key;
    let found = look(&call.shared, &command, |entry, room| wanted.of(&call, entry, room)).await?;
    let Some((found, room)) = found else {
        call.record("read", Some(key), NOT_FOUND);
        return Err(absent(key));
    };
    let (answer, version) = match found {
        Found::NotModified(version) => (StatusCode::NOT_MODIFIED.into_response(), version),
        Found::Content(media_type, content, version) => {
            (([(header::CONTENT_TYPE, media_type)], room.body(content)).into_response(), version)
        }
    };
    call.record("read", Some(key), ("success", version));
    Ok(tagged(answer, version))
}

/// What a reader wants to see of an entry.
struct Wanted {
    raw: bool,
    bytes_as_they_are: bool,
    /// The reader has the entry already if this does not hold.
    unless: Option<Condition>,
}

enum Found {
    NotModified(Version),
    Content(&'static str, Vec<u8>, Version),
}

impl Wanted {
    fn of(&self, call: &Call, entry: EntryRef<'_>, room: &Room) -> Look<Found> {
        let present = Present { version: entry.version(), ..Present::default() };
        if self.unless.as_ref().is_some_and(|condition| !condition.holds(present)) {
            return Look::Seen(Found::NotModified(entry.version()));
        }
        if self.raw || (self.bytes_as_they_are && entry.kind() == Kind::Bytes) {
            return Look::within(room, entry.content().len(), || {
                Found::Content(media_type_of(entry.kind()), entry.content().to_vec(), entry.version())
            });
        }
        Look::within(room, entry_text::bytes_of(entry), || {
            Found::Content(JSON, call.describe(entry, None), entry.version())
        })
    }
}

/// Looks at an entry, with room for what `see` makes of it: large answers have to be asked for.
pub(super) async fn look<R>(
    shared: &Shared,
    command: &KeyCommand<'_>,
    see: impl Fn(EntryRef<'_>, &Room) -> Look<R>,
) -> Result<Option<(R, Room)>, Problem> {
    let mut room = Room::default();
    for _ in 0..LOOKS_MAX {
        let looking = shared.run(command, |outcome| match outcome.expect("a get is never refused") {
            Reply::Found(entry) => Some(see(entry, &room)),
            _ => None,
        });
        match looking.await? {
            None => return Ok(None),
            Some(Look::Seen(seen)) => return Ok(Some((seen, room))),
            Some(Look::NeedsRoom(bytes)) => {
                drop(std::mem::take(&mut room));
                room = shared.bodies.room_for(bytes).await?;
            }
        }
    }
    Err(Problem::busy())
}

pub(super) async fn exists(call: Call) -> Result<Response, Problem> {
    #[derive(Serialize)]
    struct Existence<'k> {
        key: &'k str,
        exists: bool,
    }

    call.query(&[])?;
    let command = KeyCommand::new(call.address()?, KeyAction::Get);
    let key = &command.address.key;
    let exists = call.shared.run(&command, |outcome| matches!(outcome, Ok(Reply::Found(_)))).await?;
    call.record("read", Some(key), if exists { SUCCESS } else { NOT_FOUND });
    Ok(json(&Existence { key: key.as_str(), exists }))
}

pub(super) async fn ttl(call: Call) -> Result<Response, Problem> {
    #[derive(Serialize)]
    struct Remaining<'k> {
        key: &'k str,
        ttl: Option<u64>,
    }

    call.query(&[])?;
    let command = KeyCommand::new(call.address()?, KeyAction::Get);
    let key = &command.address.key;
    let expiry = call.shared.run(&command, |outcome| match outcome {
        Ok(Reply::Found(entry)) => Some(entry.expires_at()),
        _ => None,
    });
    let Some(expires_at) = expiry.await? else {
        call.record("read", Some(key), NOT_FOUND);
        return Err(absent(key));
    };
    call.record("read", Some(key), SUCCESS);
    let now = call.shared.clock.now().get();
    // A part of a second counts as one, so that what is still there is never said to have 0 seconds.
    let ttl = expires_at.map(|moment| moment.get().saturating_sub(now).div_ceil(1000).max(1));
    Ok(json(&Remaining { key: key.as_str(), ttl }))
}

pub(super) fn absent(key: &Key<'_>) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "NotFound", format!("Key '{}' was not found.", key.as_str()))
}

/// `…/kv/` with nothing behind it.
pub(super) async fn left_out(_call: Call) -> Result<Response, Problem> {
    Err(Problem::unfit("KeyBlank", "The path names no key; write it behind /kv/."))
}
