//! The node's HTTP interface: which path leads to which handler. The path selects the dialect (how bodies look), never
//! another store; a handler turns a request into a command and the outcome into an answer, and decides nothing else.

mod admin;
pub(crate) mod body;
mod conditions;
mod entry_text;
mod envelope;
mod health;
mod keys;
mod listing;
mod observe;
mod problem;
mod query;
mod target;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use http::{StatusCode, Uri, header};

use crate::metrics::text::CONTENT_TYPE;
use crate::shared::Shared;
use problem::Problem;

/// The `endpoint` label of a request that fits no route.
const NO_ROUTE: &str = "none";

/// Every route's pattern, which is also its `endpoint` label.
const KEY: &str = "/{tenant}/kv/{key}";
const KEY_LEFT_OUT: &str = "/{tenant}/kv/";
const KEYS: &str = "/{tenant}/kv";
const ADMIN: [&str; 6] =
    ["/admin/status", "/admin/room", "/admin/monitor", "/admin/drain", "/admin/gone", "/admin/recover"];
const HEALTH: [&str; 2] = ["/health", "/{tenant}/health"];
const LIVE: [&str; 3] = ["/livez", "/health/live", "/{tenant}/health/live"];
const READY: [&str; 3] = ["/readyz", "/health/ready", "/{tenant}/health/ready"];
const METRICS: [&str; 2] = ["/metrics", "/{tenant}/metrics"];

/// All of the interface.
pub(crate) fn public(shared: &Arc<Shared>) -> Router {
    let mut routes = administration(Router::new())
        .route(KEY, get(keys::get).put(keys::put).delete(keys::delete))
        .route(KEY_LEFT_OUT, any(keys::left_out))
        .route(KEYS, get(listing::page));
    for path in HEALTH {
        routes = routes.route(path, get(health::health));
    }
    finish(shared, probes(routes, &LIVE, &READY, metrics_paths(shared, &METRICS)))
}

/// What the metrics port answers: probes and scrapes, which must be heard even when the other port is crowded.
pub(crate) fn monitoring(shared: &Arc<Shared>) -> Router {
    let routes = Router::new().route(HEALTH[0], get(health::health));
    finish(shared, probes(routes, &LIVE[..1], &READY[..1], metrics_paths(shared, &METRICS[..1])))
}

fn metrics_paths<'p>(shared: &Shared, paths: &'p [&'static str]) -> &'p [&'static str] {
    if shared.settings.metrics { paths } else { &[] }
}

/// For whoever runs the node.
fn administration(routes: Router<Arc<Shared>>) -> Router<Arc<Shared>> {
    let [status, room, monitor, drain, gone, recover] = ADMIN;
    routes
        .route(status, get(admin::status::status))
        .route(room, get(admin::room::room))
        .route(monitor, get(admin::monitor::monitor))
        .route(drain, post(admin::drain::begin).delete(admin::drain::cancel))
        .route(gone, post(admin::membership::gone))
        .route(recover, post(admin::membership::recover))
}

fn probes(
    mut routes: Router<Arc<Shared>>,
    live: &[&str],
    ready: &[&str],
    metrics_paths: &[&str],
) -> Router<Arc<Shared>> {
    for path in live {
        routes = routes.route(path, get(health::live));
    }
    for path in ready {
        routes = routes.route(path, get(health::ready));
    }
    for path in metrics_paths {
        routes = routes.route(path, get(metrics));
    }
    routes
}

fn finish(shared: &Arc<Shared>, routes: Router<Arc<Shared>>) -> Router {
    routes
        .method_not_allowed_fallback(wrong_method)
        .fallback(no_route)
        .layer(middleware::from_fn_with_state(Arc::clone(shared), observe::observe))
        .with_state(Arc::clone(shared))
}

fn endpoint_label(pattern: Option<&str>) -> &'static str {
    let known =
        [KEY, KEY_LEFT_OUT, KEYS].into_iter().chain(ADMIN).chain(HEALTH).chain(LIVE).chain(READY).chain(METRICS);
    pattern.and_then(|pattern| known.into_iter().find(|known| *known == pattern)).unwrap_or(NO_ROUTE)
}

async fn metrics(State(shared): State<Arc<Shared>>, _tenant: target::OwnTenant) -> Response {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], shared.metrics_page()).into_response()
}

/// axum adds the `Allow` header to this answer.
async fn wrong_method(request: Request) -> Problem {
    let sentence = format!("{} is not allowed here; the header Allow names the methods that are.", request.method());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", sentence)
}

async fn no_route(State(shared): State<Arc<Shared>>, uri: Uri) -> Problem {
    let tenant = &shared.settings.tenant;
    let path = uri.path();
    let under = |prefix: &str| path == prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
    let sentence = if under("/kv") || under("/api/v1") || under(&format!("/{tenant}/api/v1")) {
        format!("This version of kvnode has no such interface; keys are served under /{tenant}/kv.")
    } else if under(&format!("/{tenant}/kv")) {
        "No key has a plain '/' in its path; write it as %2F.".to_owned()
    } else {
        format!("There is nothing at this path; keys are served under /{tenant}/kv.")
    };
    Problem::new(StatusCode::NOT_FOUND, "NoSuchPath", sentence)
}
