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

/// What the node needs to serve, part by part.
#[derive(Serialize)]
struct Detailed {
    status: &'static str,
    service: &'static str,
    version: &'static str,
    dependencies: Dependencies,
}

#[derive(Serialize)]
struct Dependencies {
    store: Dependency,
    peers: Dependency,
    disk: Dependency,
}

#[derive(Serialize)]
struct Dependency {
    status: &'static str,
    message: String,
}

const HEALTHY: &str = "healthy";

/// Something works less well than it should; the node serves all the same.
const DEGRADED: &str = "degraded";

pub(super) async fn summary(State(shared): State<Arc<Shared>>, _tenant: OwnTenant) -> Response {
    let health = Health {
        status: HEALTHY,
        tenant: shared.settings.tenant.as_str(),
        node: shared.settings.name.as_str(),
        peers: 0,
        cluster: Cluster { nodes: 1, partitions: shared.store.partitions() },
        timestamp: rfc3339(shared.clock.now()),
    };
    Json(health).into_response()
}

pub(super) async fn dependencies(State(shared): State<Arc<Shared>>, _tenant: OwnTenant) -> Response {
    let dependencies = Dependencies {
        store: store(&shared),
        peers: Dependency { status: HEALTHY, message: "This node is the whole cluster.".to_owned() },
        disk: Dependency { status: HEALTHY, message: "Data is kept in memory only.".to_owned() },
    };
    let all = [&dependencies.store, &dependencies.peers, &dependencies.disk];
    let status = if all.iter().all(|part| part.status == HEALTHY) { HEALTHY } else { DEGRADED };
    let (service, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    Json(Detailed { status, service, version, dependencies }).into_response()
}

fn store(shared: &Shared) -> Dependency {
    let (used, limit) = (shared.store.ledger().used(), shared.store.ledger().limit());
    let status = if used < limit { HEALTHY } else { DEGRADED };
    let percent = u128::from(used) * 100 / u128::from(limit.max(1));
    Dependency { status, message: format!("{percent} % of the memory for data is in use.") }
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
