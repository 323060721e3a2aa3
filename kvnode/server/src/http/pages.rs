//! `GET …/kv` of the versioned paths: entries in the order of their keys, a numbered page at a time. The entries are sent
//! as they are read, so that a page of large values never stands in memory as a whole.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use http::header;
use kvnode_core::store::command::{AllCommand, KeyAction, KeyCommand, PageLimit, Sorted};
use kvnode_core::store::key::{Address, Key, KeyPart};
use kvnode_core::store::outcome::Gathered;

use super::answer::JSON;
use super::body::{Room, SMALL_BODY_BYTES};
use super::call::{Call, SUCCESS};
use super::entry_text;
use super::problem::Problem;
use super::query::Query;
use super::read::{Look, look};

const PAGE_SIZE_DEFAULT: u64 = 20;

/// A page of values takes more to send than one of keys.
const PAGE_SIZE_MAX: u64 = 100;

/// What the store keeps of each key while it looks for those of a page: the key, roughly, and where it is kept.
const SOUGHT_KEY_BYTES: usize = 64;

pub(super) async fn page(call: Call) -> Result<Response, Problem> {
    let query = call.query_repeating(&["page", "page_size", "prefix", "tag_filter"], "tag_filter")?;
    let page = within(&query, "page", 1, u64::MAX)?;
    let page_size = within(&query, "page_size", PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)?;
    let sorted = Sorted {
        namespace: call.caller.namespace,
        prefix: KeyPart::new(query.get("prefix").unwrap_or_default(), "prefix", call.limits())?,
        tags: query.all("tag_filter").map(tag).collect::<Result<_, _>>()?,
        skip: usize::try_from((page - 1).saturating_mul(page_size)).unwrap_or(usize::MAX),
        limit: PageLimit::new(usize::try_from(page_size).expect("it is at most a hundred"))?,
    };
    let _room = room_for_search(&call, &sorted).await?;
    let gathered = call.shared.gather(AllCommand::Sorted(sorted)).await?;
    call.record("list", None, SUCCESS);
    let Gathered::Sorted(found) = gathered else { unreachable!("a page was answered with {gathered:?}") };
    let total = found.total;
    let total_pages = total.div_ceil(page_size);
    let end = format!("],\"page\":{page},\"page_size\":{page_size},\"total\":{total},\"total_pages\":{total_pages}}}");
    let entries = entries(call, found.keys);
    let begin = stream::iter([Ok(Bytes::from_static(b"{\"items\":["))]);
    let body = begin.chain(entries).chain(stream::iter([Ok(Bytes::from(end))]));
    Ok(([(header::CONTENT_TYPE, JSON)], Body::from_stream(body)).into_response())
}

/// Finding a page far behind takes as many keys as stand before it.
async fn room_for_search(call: &Call, sorted: &Sorted) -> Result<Room, Problem> {
    let wanted = sorted.skip.saturating_add(sorted.limit.get());
    if wanted <= SMALL_BODY_BYTES / SOUGHT_KEY_BYTES {
        return Ok(Room::default());
    }
    let gathered = call.shared.gather(AllCommand::Count(sorted.namespace)).await?;
    let Gathered::Count(count) = gathered else { unreachable!("a count was answered with {gathered:?}") };
    let sought = usize::try_from(count).unwrap_or(usize::MAX).min(wanted);
    call.shared.bodies.room_for(sought.saturating_mul(SOUGHT_KEY_BYTES)).await
}

/// The entries of these keys, one after the other; those that are gone meanwhile are left out.
fn entries(call: Call, keys: Vec<Box<str>>) -> impl Stream<Item = Result<Bytes, Problem>> {
    stream::unfold((call, keys.into_iter(), true), |(call, mut keys, first)| async move {
        loop {
            let text = keys.next()?;
            match entry(&call, &text, first).await {
                Ok(None) => {}
                Ok(Some(entry)) => return Some((Ok(entry), (call, keys, false))),
                Err(problem) => return Some((Err(problem), (call, Vec::new().into_iter(), false))),
            }
        }
    })
}

async fn entry(call: &Call, text: &str, first: bool) -> Result<Option<Bytes>, Problem> {
    // A key that is too long since the limit was lowered cannot be read either.
    let Ok(key) = Key::new(text, call.limits()) else { return Ok(None) };
    let command = KeyCommand::new(Address { namespace: call.caller.namespace, key }, KeyAction::Get);
    let comma = if first { "" } else { "," };
    let found = look(&call.shared, &command, |entry, room| {
        Look::within(room, entry_text::bytes_of(entry), || {
            let mut text = comma.as_bytes().to_vec();
            text.extend(call.describe(entry, None));
            text
        })
    });
    Ok(found.await?.map(|(text, room)| room.holding(text)))
}

/// A parameter that is a number from 1 on.
fn within(query: &Query, name: &str, default: u64, max: u64) -> Result<u64, Problem> {
    let number = query.number(name)?.unwrap_or(default);
    if (1..=max).contains(&number) {
        return Ok(number);
    }
    let range = if max == u64::MAX { "1 or more".to_owned() } else { format!("1 to {max}") };
    Err(Problem::unfit("BadQuery", format!("The query parameter '{name}' is {number}; it must be {range}.")))
}

fn tag(filter: &str) -> Result<(Box<str>, Box<str>), Problem> {
    let (name, value) = filter.split_once(':').ok_or_else(|| {
        let sentence = format!("The tag_filter '{filter}' has no ':'; write it as name:value.");
        Problem::unfit("BadQuery", sentence)
    })?;
    Ok((name.into(), value.into()))
}
