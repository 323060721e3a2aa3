//! The keys of the tenant, a page at a time.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use kvnode_core::store::command::{AllCommand, List, PageLimit};
use kvnode_core::store::cursor::Cursor;
use kvnode_core::store::key::{KeyPart, Namespace};
use kvnode_core::store::outcome::Gathered;
use serde::Serialize;

use super::problem::Problem;
use super::query::Query;
use super::target::OwnTenant;
use crate::monitor::Seen;
use crate::shared::Shared;

const PAGE_KEYS_DEFAULT: u64 = 100;

#[derive(Serialize)]
struct Page {
    keys: Vec<Box<str>>,
    /// Of this page, not of the store.
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(super) async fn page(
    State(shared): State<Arc<Shared>>,
    _tenant: OwnTenant,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = Query::parse(query.as_deref(), &["prefix", "limit", "cursor"])?;
    let limits = &shared.settings.limits;
    let limit = query.number("limit")?.unwrap_or(PAGE_KEYS_DEFAULT);
    let list = List {
        namespace: Namespace::Shared,
        prefix: KeyPart::new(query.get("prefix").unwrap_or_default(), "prefix", limits)?,
        after: query.get("cursor").map(cursor).transpose()?,
        limit: PageLimit::new(usize::try_from(limit).unwrap_or(usize::MAX))?,
    };
    let gathered = shared.gather(AllCommand::List(list)).await?;
    shared.metrics.operation("list", "success");
    let seen = Seen {
        protocol: "http",
        operation: "list",
        status: "success",
        namespace: Namespace::Shared,
        key: None,
        version: 0,
    };
    shared.monitor.show(|| shared.clock.now(), &seen);
    let Gathered::Keys(page) = gathered else { unreachable!("a list was answered with {gathered:?}") };
    let next = page.next.map(|next| next.to_string());
    Ok(Json(Page { count: page.keys.len(), keys: page.keys, next }).into_response())
}

fn cursor(text: &str) -> Result<Cursor, Problem> {
    Cursor::from_text(text).ok_or_else(|| {
        let sentence = "The cursor is none; give back the 'next' of the page before, as it was.";
        Problem::malformed("BadCursor", sentence)
    })
}
