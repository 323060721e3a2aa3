//! `POST /admin/restore`: takes a dump back, line by line, while it comes. Other requests go on meanwhile, and it may take
//! as long as it needs, as long as something arrives.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use kvnode_core::store::key::Namespace;

use super::Admin;
use super::restoring::Restoring;
use crate::access::audit::Event;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::shared::Shared;

/// Names the tenant that the dump is of, where that is another one.
const FROM: &str = "from";

pub(in crate::http) async fn restore(
    State(shared): State<Arc<Shared>>,
    _admin: Admin,
    RawQuery(query): RawQuery,
    body: Body,
) -> Result<Response, Problem> {
    let query = Query::parse(query.as_deref(), &[FROM])?;
    shared.store.ready()?;
    let tenant_id = shared.settings.tenant.as_str();
    shared.access.audit.note(Event::new(Namespace::Shared, "restore", shared.clock.now()));
    tracing::info!(tenant_id, operation = "restore", "a restore begins");
    let mut restoring = Restoring::new(&shared, query.get(FROM).unwrap_or(tenant_id));
    let taken = restoring.take(body).await;
    let tally = restoring.tally();
    match taken {
        Ok(()) => {
            shared.metrics.operation("restore", "success");
            tracing::info!(tenant_id, %tally, operation = "restore", "a dump is restored");
            Ok(Json(tally).into_response())
        }
        Err(problem) => {
            shared.metrics.operation("restore", "error");
            tracing::warn!(tenant_id, %tally, reason = %problem, operation = "restore", "a restore was broken off");
            Err(problem)
        }
    }
}
