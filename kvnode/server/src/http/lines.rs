//! `GET /kv`: every key of the tenant and the node that has it, a line each, or all of them as one array. The list is made
//! while it is sent, so that it may be longer than memory has room for.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, stream};
use http::header;
use kvnode_core::store::command::{AllCommand, List, PageLimit};
use kvnode_core::store::cursor::Cursor;
use kvnode_core::store::key::KeyPart;
use kvnode_core::store::outcome::{Gathered, KeyPage};
use serde::Serialize;

use super::answer::{self, JSON, LINES};
use super::call::{Call, SUCCESS};
use super::problem::Problem;

/// Keys that are looked up and sent at a time.
const KEYS_AT_A_TIME: usize = 250;

/// Room for so many lines; with the longest keys and names they are larger, with usual ones smaller.
const ROOM_BYTES: usize = 32 * 1024;

/// What stands around the objects.
struct Punctuation {
    media_type: &'static str,
    begin: &'static str,
    between: &'static str,
    after_each: &'static str,
    end: &'static str,
}

static AS_LINES: Punctuation = Punctuation { media_type: LINES, begin: "", between: "", after_each: "\n", end: "" };
static AS_ARRAY: Punctuation = Punctuation { media_type: JSON, begin: "[", between: ",", after_each: "", end: "]" };

/// How far a list has come.
enum Progress {
    Begun,
    After(Cursor),
    Ended,
}

#[derive(Serialize)]
struct Line<'l> {
    key: &'l str,
    node: &'l str,
}

pub(super) async fn list(call: Call) -> Result<Response, Problem> {
    call.query(&[])?;
    let form = if answer::accepts(&call.headers, JSON) { &AS_ARRAY } else { &AS_LINES };
    call.record("list", None, SUCCESS);
    let body = Body::from_stream(chunks(call, form));
    Ok(([(header::CONTENT_TYPE, form.media_type)], body).into_response())
}

fn chunks(call: Call, form: &'static Punctuation) -> impl Stream<Item = Result<Bytes, Problem>> {
    stream::unfold((call, Progress::Begun), move |(call, progress)| async move {
        let (after, first) = match progress {
            Progress::Begun => (None, true),
            Progress::After(cursor) => (Some(cursor), false),
            Progress::Ended => return None,
        };
        match chunk(&call, form, after, first).await {
            Ok((chunk, next)) => Some((Ok(chunk), (call, next.map_or(Progress::Ended, Progress::After)))),
            Err(problem) => Some((Err(problem), (call, Progress::Ended))),
        }
    })
}

/// The next keys, and where those behind them begin.
async fn chunk(
    call: &Call,
    form: &Punctuation,
    after: Option<Cursor>,
    first: bool,
) -> Result<(Bytes, Option<Cursor>), Problem> {
    let room = call.shared.bodies.room_for(ROOM_BYTES).await?;
    let KeyPage { keys, next } = keys(call, after).await?;
    let node = call.shared.settings.name.as_str();
    let mut text = Vec::with_capacity(ROOM_BYTES);
    text.extend_from_slice(if first { form.begin } else { form.between }.as_bytes());
    for (position, key) in keys.iter().enumerate() {
        if position > 0 {
            text.extend_from_slice(form.between.as_bytes());
        }
        serde_json::to_writer(&mut text, &Line { key, node })
            .expect("texts are always JSON, and memory takes them all");
        text.extend_from_slice(form.after_each.as_bytes());
    }
    if next.is_none() {
        text.extend_from_slice(form.end.as_bytes());
    }
    Ok((room.holding(text), next))
}

async fn keys(call: &Call, after: Option<Cursor>) -> Result<KeyPage, Problem> {
    let list = List {
        namespace: call.caller.namespace,
        prefix: KeyPart::default(),
        after,
        limit: PageLimit::new(KEYS_AT_A_TIME)?,
    };
    match call.shared.gather(AllCommand::List(list)).await? {
        Gathered::Keys(page) => Ok(page),
        other => unreachable!("a list was answered with {other:?}"),
    }
}
