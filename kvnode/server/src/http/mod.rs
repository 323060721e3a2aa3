//! The node's HTTP interface: which path leads to which handler. The path selects the dialect (how bodies look), never
//! another store; a handler turns a request into a command and the outcome into an answer, and decides nothing else.

mod accounts;
mod admin;
mod answer;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod any_bytes;
mod api_keys;
mod audit;
mod batch;
pub(crate) mod body;
mod call;
mod caller;
mod conditions;
mod cors;
mod dialect;
mod documentation;
mod entry_text;
mod envelope;
mod health;
pub(crate) mod hot;
mod idempotency;
mod labels;
mod lines;
mod listing;
mod members;
mod observe;
mod pages;
mod peers;
mod problem;
mod query;
mod read;
mod routes;
pub(crate) mod slow;
mod target;
mod write;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{StatusCode, Uri, header};

use crate::metrics::text::CONTENT_TYPE;
use crate::shared::Shared;
use labels::Labels;
use observe::Observer;
use problem::Problem;

/// Patterns that stand under no prefix. Each is also its `endpoint` label.
const ADMIN: [&str; 10] = [
    "/admin/status",
    "/admin/room",
    "/admin/keys",
    "/admin/monitor",
    "/admin/drain",
    "/admin/gone",
    "/admin/recover",
    "/admin/log-levels",
    "/admin/dump",
    "/admin/restore",
];
const HEALTH: &str = "/health";
const LIVEZ: &str = "/livez";
const READYZ: &str = "/readyz";
const METRICS: &str = "/metrics";
const PROBES: [&str; 4] = [HEALTH, LIVEZ, READYZ, METRICS];

/// All of the interface.
pub(crate) fn public(shared: &Arc<Shared>) -> Router {
    let routes = probes(administration(routes::of_dialects(shared))).merge(documentation::routes(shared));
    let cors = middleware::from_fn_with_state(Arc::clone(shared), cors::allow);
    observed(shared, answered(routes).layer(cors))
}

/// What the metrics port answers: probes and scrapes, which must be heard even when the other port is crowded.
pub(crate) fn monitoring(shared: &Arc<Shared>) -> Router {
    let routes = probes(Router::new().route(HEALTH, get(health::summary)));
    let routes = if shared.settings.metrics { routes.route(METRICS, get(metrics)) } else { routes };
    observed(shared, answered(routes))
}

/// For whoever runs the node.
fn administration(routes: Router<Arc<Shared>>) -> Router<Arc<Shared>> {
    let [status, room, keys, monitor, drain, gone, recover, log_levels, dump, restore] = ADMIN;
    routes
        .route(status, get(admin::status::status))
        .route(room, get(admin::room::room))
        .route(keys, get(admin::keys::page))
        .route(monitor, get(admin::monitor::monitor))
        .route(drain, post(admin::drain::begin).delete(admin::drain::cancel))
        .route(gone, post(admin::membership::gone))
        .route(recover, post(admin::membership::recover))
        .route(log_levels, get(admin::log_levels::get).put(admin::log_levels::put))
        .route(dump, get(admin::dump::dump))
        .route(restore, post(admin::restore::restore))
}

fn probes(routes: Router<Arc<Shared>>) -> Router<Arc<Shared>> {
    routes.route(LIVEZ, get(health::live)).route(READYZ, get(health::ready))
}

/// Requests that fit none of the routes are answered, too.
fn answered(routes: Router<Arc<Shared>>) -> Router<Arc<Shared>> {
    routes.method_not_allowed_fallback(wrong_method).fallback(no_route)
}

fn observed(shared: &Arc<Shared>, routes: Router<Arc<Shared>>) -> Router {
    let unprefixed = ADMIN.into_iter().chain(PROBES).chain(documentation::PATTERNS);
    let labels = Arc::new(Labels::new(unprefixed, routes::labels(&shared.settings)));
    let observer = Observer { shared: Arc::clone(shared), labels };
    routes.layer(middleware::from_fn_with_state(observer, observe::observe)).with_state(Arc::clone(shared))
}

/// The pattern of every route there is.
#[cfg(test)]
fn patterns(settings: &crate::settings::Settings) -> Vec<String> {
    let unprefixed = ADMIN.into_iter().chain(PROBES).chain(documentation::PATTERNS).map(str::to_owned);
    let all: std::collections::BTreeSet<String> =
        unprefixed.chain(routes::labels(settings).map(|(pattern, _)| pattern)).collect();
    all.into_iter().collect()
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
    let prefix = shared.settings.api_prefix.as_str();
    let path = uri.path();
    let keys = ["/kv".to_owned(), format!("/{tenant}/kv"), format!("{prefix}/kv"), format!("/{tenant}{prefix}/kv")];
    let sentence = if keys.iter().any(|keys| path.strip_prefix(keys.as_str()).is_some_and(|rest| rest.starts_with('/')))
    {
        "No key has a plain '/' in its path; write it as %2F.".to_owned()
    } else {
        format!("There is nothing at this path; keys are served under /{tenant}/kv, /kv and {prefix}/kv.")
    };
    Problem::new(StatusCode::NOT_FOUND, "NoSuchPath", sentence)
}
