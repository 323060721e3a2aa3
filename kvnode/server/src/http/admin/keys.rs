//! The keys of any namespace, a page at a time: those that all share, or those of one account.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use kvnode_core::store::command::{AllCommand, List, PageLimit};
use kvnode_core::store::key::{KeyPart, Namespace};
use kvnode_core::store::outcome::Gathered;
use uuid::Uuid;

use super::Admin;
use crate::http::listing::{self, PAGE_KEYS_DEFAULT, cursor};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::shared::Shared;

pub(in crate::http) async fn page(
    State(shared): State<Arc<Shared>>,
    _admin: Admin,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = Query::parse(query.as_deref(), &["prefix", "limit", "cursor", "tenant_id"])?;
    let limit = query.number("limit")?.unwrap_or(PAGE_KEYS_DEFAULT);
    let list = List {
        namespace: query.get("tenant_id").map_or(Ok(Namespace::Shared), account)?,
        prefix: KeyPart::new(query.get("prefix").unwrap_or_default(), "prefix", &shared.live().limits)?,
        after: query.get("cursor").map(cursor).transpose()?,
        limit: PageLimit::new(usize::try_from(limit).unwrap_or(usize::MAX))?,
    };
    let gathered = shared.gather(AllCommand::List(list)).await?;
    let Gathered::Keys(page) = gathered else { unreachable!("a list was answered with {gathered:?}") };
    Ok(listing::told(page))
}

fn account(text: &str) -> Result<Namespace, Problem> {
    let id: Uuid = text.parse().map_err(|_| {
        let sentence = format!("The query parameter 'tenant_id' is '{text}'; it must be the UUID of an account.");
        Problem::malformed("BadQuery", sentence)
    })?;
    Ok(Namespace::Account(id.as_u128()))
}
