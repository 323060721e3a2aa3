//! The keys of the tenant, a page at a time.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use kvnode_core::store::command::{AllCommand, List, PageLimit};
use kvnode_core::store::key::{KeyPart, Namespace};
use kvnode_core::store::outcome::Reply;
use serde::Serialize;

use super::problem::Problem;
use super::query::Query;
use super::target::OwnTenant;
use crate::shared::Shared;

const PAGE_KEYS_DEFAULT: u64 = 100;

#[derive(Serialize)]
struct Page {
    keys: Vec<Box<str>>,
    /// Of this page, not of the store.
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Box<str>>,
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
        after: query.get("cursor").map(|cursor| KeyPart::new(cursor, "cursor", limits)).transpose()?,
        limit: PageLimit::new(usize::try_from(limit).unwrap_or(usize::MAX))?,
    };
    let outcome = shared.store.gather(AllCommand::List(list), shared.clock.now()).await;
    shared.metrics.operation("list", "success");
    match outcome? {
        Reply::Keys(page) => {
            Ok(Json(Page { count: page.keys.len(), keys: page.keys, next: page.next }).into_response())
        }
        other => unreachable!("a list was answered with {other:?}"),
    }
}
