//! The two small servers: metrics for the scraper, health for the kubelet.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use kube::runtime::reflector::Store;
use kvtenant_api::KVTenant;
use tokio::net::TcpListener;
use tokio::sync::OnceCell;

use crate::connections::{BOUNDS, accept};
use crate::metrics::Metrics;
use crate::readiness::Readiness;

/// Why a server does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error("{flag} {address} cannot be listened on: {source}; choose another address")]
    Bind { flag: &'static str, address: SocketAddr, source: io::Error },
    #[error("{flag} takes no connections any more: {source}; the operator ends, because nobody could see how it is")]
    Ended { flag: &'static str, source: io::Error },
}

/// Both listeners, open but not yet served.
#[derive(Debug)]
pub(crate) struct Listeners {
    metrics: TcpListener,
    health: TcpListener,
}

/// Tenants known so far; empty until the caches exist.
pub(crate) type KnownTenants = Arc<OnceCell<Store<KVTenant>>>;

/// Opens both, so that a port that is taken is said at once and not by a server that dies later.
pub(crate) async fn listen(metrics: SocketAddr, health: SocketAddr) -> Result<Listeners, ServeError> {
    let open = |flag, address| async move {
        TcpListener::bind(address).await.map_err(|source| ServeError::Bind { flag, address, source })
    };
    let listeners =
        Listeners { metrics: open("--metrics-addr", metrics).await?, health: open("--health-addr", health).await? };
    // Port 0 means any free one; the log is where it can be learned.
    let bound = |listener: &TcpListener| listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
    tracing::info!(metrics = bound(&listeners.metrics), health = bound(&listeners.health), "listening");
    Ok(listeners)
}

/// Serves both until one ends.
pub(crate) async fn serve(
    listeners: Listeners,
    metrics: Metrics,
    tenants: KnownTenants,
    readiness: Readiness,
) -> ServeError {
    let metrics_app = Router::new().route("/metrics", get(metrics_text)).with_state((metrics, tenants));
    let health_app =
        Router::new().route("/livez", get(|| async { "ok\n" })).route("/readyz", get(ready)).with_state(readiness);
    tokio::select! {
        source = accept(listeners.metrics, metrics_app, BOUNDS) => ServeError::Ended { flag: "--metrics-addr", source },
        source = accept(listeners.health, health_app, BOUNDS) => ServeError::Ended { flag: "--health-addr", source },
    }
}

async fn metrics_text(State((metrics, tenants)): State<(Metrics, KnownTenants)>) -> impl IntoResponse {
    let known = tenants.get().map(Store::state).unwrap_or_default();
    let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, format)], metrics.text(&known))
}

async fn ready(State(readiness): State<Readiness>) -> impl IntoResponse {
    match readiness.missing() {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(missing) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {missing}\n")),
    }
}
