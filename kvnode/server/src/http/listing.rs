//! `GET …/kv` of the tenant's paths: keys, a page at a time, each page naming where the next one begins.

use axum::response::Response;
use kvnode_core::store::command::{AllCommand, List, PageLimit};
use kvnode_core::store::cursor::Cursor;
use kvnode_core::store::key::KeyPart;
use kvnode_core::store::outcome::{Gathered, KeyPage};
use serde::Serialize;

use super::answer::json;
use super::call::{Call, SUCCESS};
use super::problem::Problem;

pub(super) const PAGE_KEYS_DEFAULT: u64 = 100;

#[derive(Serialize)]
struct Page {
    keys: Vec<Box<str>>,
    /// Of this page, not of the store.
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) async fn page(call: Call) -> Result<Response, Problem> {
    let query = call.query(&["prefix", "limit", "cursor"])?;
    let limit = query.number("limit")?.unwrap_or(PAGE_KEYS_DEFAULT);
    let list = List {
        namespace: call.caller.namespace,
        prefix: KeyPart::new(query.get("prefix").unwrap_or_default(), "prefix", call.limits())?,
        after: query.get("cursor").map(cursor).transpose()?,
        limit: PageLimit::new(usize::try_from(limit).unwrap_or(usize::MAX))?,
    };
    let gathered = call.shared.gather(AllCommand::List(list)).await?;
    call.record("list", None, SUCCESS);
    let Gathered::Keys(page) = gathered else { unreachable!("a list was answered with {gathered:?}") };
    Ok(told(page))
}

pub(super) fn told(page: KeyPage) -> Response {
    let next = page.next.map(|next| next.to_string());
    json(&Page { count: page.keys.len(), keys: page.keys, next })
}

/// How many keys the caller has.
pub(super) async fn count(call: Call) -> Result<Response, Problem> {
    #[derive(Serialize)]
    struct Count<'c> {
        tenant_id: &'c str,
        count: u64,
    }

    call.query(&[])?;
    let gathered = call.shared.gather(AllCommand::Count(call.caller.namespace)).await?;
    call.record("list", None, SUCCESS);
    let Gathered::Count(count) = gathered else { unreachable!("a count was answered with {gathered:?}") };
    Ok(json(&Count { tenant_id: &call.tenant_id(), count }))
}

pub(super) fn cursor(text: &str) -> Result<Cursor, Problem> {
    Cursor::from_text(text).ok_or_else(|| {
        let sentence = "The cursor is none; give back the 'next' of the page before, as it was.";
        Problem::unfit("BadCursor", sentence)
    })
}
