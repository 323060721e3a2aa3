//! Is the process alive, is it ready, how is it. None of these answers depends on anything outside the process, and
//! none touches a lock, so that a busy node is not taken for a dead one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use super::target::OwnTenant;
use crate::clock::rfc3339;
use crate::shared::Shared;

#[derive(Serialize)]
struct Health<'s> {
    status: &'static str,
    tenant: &'s str,
    node: &'s str,
    /// Other nodes of the cluster; a node by itself has none.
    peers: usize,
    cluster: Cluster,
    timestamp: String,
}

#[derive(Serialize)]
struct Cluster {
    nodes: usize,
    partitions: usize,
}

#[derive(Serialize)]
struct Status {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

pub(super) async fn health(State(shared): State<Arc<Shared>>, _tenant: OwnTenant) -> Response {
    let health = Health {
        status: "healthy",
        tenant: shared.settings.tenant.as_str(),
        node: shared.settings.name.as_str(),
        peers: 0,
        cluster: Cluster { nodes: 1, partitions: shared.store.partitions() },
        timestamp: rfc3339(shared.clock.now()),
    };
    Json(health).into_response()
}

pub(super) async fn live(_tenant: OwnTenant) -> Response {
    Json(Status { status: "alive", reason: None }).into_response()
}

pub(super) async fn ready(State(shared): State<Arc<Shared>>, _tenant: OwnTenant) -> Response {
    if let Some(reason) = shared.not_ready() {
        let status = Status { status: "not ready", reason: Some(reason) };
        return (StatusCode::SERVICE_UNAVAILABLE, Json(status)).into_response();
    }
    Json(Status { status: "ready", reason: None }).into_response()
}
