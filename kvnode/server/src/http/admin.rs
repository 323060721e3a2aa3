//! What only whoever runs the node may see. With a master API key configured, the key is asked for; without one, only
//! callers on the same machine are answered, so that a node started without thought is not open to its network.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json, RequestPartsExt};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;

use super::problem::Problem;
use crate::shared::Shared;

/// Proof that the caller may administer this node.
#[derive(Debug)]
pub(super) struct Admin;

#[derive(Serialize)]
struct Status<'s> {
    tenant: &'s str,
    name: &'s str,
    version: &'static str,
    ready: bool,
    keys: u64,
    memory_used_bytes: u64,
    memory_limit_bytes: u64,
    uptime_seconds: u64,
}

pub(super) async fn status(State(shared): State<Arc<Shared>>, _admin: Admin) -> Response {
    let ledger = shared.store.ledger();
    Json(Status {
        tenant: shared.settings.tenant.as_str(),
        name: shared.settings.name.as_str(),
        version: env!("CARGO_PKG_VERSION"),
        ready: !shared.is_draining(),
        keys: shared.count_keys().await,
        memory_used_bytes: ledger.used(),
        memory_limit_bytes: ledger.limit(),
        uptime_seconds: shared.uptime().as_secs(),
    })
    .into_response()
}

impl FromRequestParts<Arc<Shared>> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let Some(key) = &shared.settings.admin_key else {
            let caller: Option<Extension<ConnectInfo<SocketAddr>>> = parts.extract().await.ok();
            return match caller {
                Some(Extension(ConnectInfo(address))) if address.ip().to_canonical().is_loopback() => Ok(Self),
                _ => Err(Problem::new(
                    StatusCode::FORBIDDEN,
                    "Forbidden",
                    "This node has no master API key, so it answers this path on its own machine only; \
                     set --admin-key-file to use it from elsewhere.",
                )),
            };
        };
        match presented(&parts.headers) {
            Some(presented) if key.is(presented) => Ok(Self),
            _ => {
                let sentence = "This path needs the master API key, as 'Authorization: Bearer …' or 'X-API-Key: …'.";
                let problem = Problem::new(StatusCode::UNAUTHORIZED, "Unauthorized", sentence);
                Err(problem.with_header(header::WWW_AUTHENTICATE, "Bearer"))
            }
        }
    }
}

fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    if let Some(key) = headers.get("x-api-key") {
        return Some(key.as_bytes());
    }
    let authorization = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = authorization.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}
