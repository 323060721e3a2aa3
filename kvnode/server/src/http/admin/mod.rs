//! What only whoever runs the node may see. With a master API key configured, the key is asked for; without one, only
//! callers on the same machine are answered, so that a node started without thought is not open to its network.

pub(super) mod diag;
pub(super) mod drain;
pub(super) mod keys;
pub(super) mod log_levels;
pub(super) mod membership;
pub(super) mod monitor;
pub(super) mod room;
pub(super) mod status;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::{Extension, RequestPartsExt};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};

use super::problem::Problem;
use crate::settings::secret::Secret;
use crate::shared::Shared;

/// Proof that the caller may administer this node.
#[derive(Debug)]
pub(super) struct Admin;

impl FromRequestParts<Arc<Shared>> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let caller = parts.extract::<Extension<ConnectInfo<SocketAddr>>>().await.ok();
        let caller = caller.map(|Extension(ConnectInfo(address))| address.ip());
        judge(shared.live().admin_key.as_ref(), caller, &parts.headers)
    }
}

fn judge(key: Option<&Secret>, caller: Option<IpAddr>, headers: &HeaderMap) -> Result<Admin, Problem> {
    match key {
        Some(key) if presented(headers).is_some_and(|presented| key.is(presented)) => Ok(Admin),
        Some(_) => {
            let sentence = "This path needs the master API key, as 'Authorization: Bearer …' or 'X-API-Key: …'.";
            let problem = Problem::new(StatusCode::UNAUTHORIZED, "Unauthorized", sentence);
            Err(problem.with_header(header::WWW_AUTHENTICATE, "Bearer"))
        }
        None if caller.is_some_and(|caller| caller.to_canonical().is_loopback()) => Ok(Admin),
        None => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "Forbidden",
            "This node has no master API key, so it answers this path on its own machine only; \
             set --admin-key-file to use it from elsewhere.",
        )),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(key: Option<&str>, caller: &str, header: Option<(&'static str, &str)>) -> bool {
        let key = key.map(|key| Secret::new(key).expect("a good key"));
        let headers = header.map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")));
        judge(key.as_ref(), caller.parse().ok(), &headers.into_iter().collect()).is_ok()
    }

    #[test]
    fn without_a_key_only_the_own_machine_is_answered() {
        for (caller, expected) in [
            ("127.0.0.1", true),
            ("127.1.2.3", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.0.0.1", false),
            ("fe80::1", false),
            ("nowhere", false),
        ] {
            assert_eq!(allowed(None, caller, Some(("x-api-key", "guess"))), expected, "{caller}");
        }
    }

    #[test]
    fn with_a_key_the_key_is_needed_from_everywhere_and_enough_from_anywhere() {
        let cases = [
            (None, false),
            (Some(("authorization", "Bearer opensesame")), true),
            (Some(("authorization", "bearer opensesame")), true),
            (Some(("x-api-key", "opensesame")), true),
            (Some(("authorization", "Bearer opensesam")), false),
            (Some(("authorization", "Basic opensesame")), false),
            (Some(("authorization", "opensesame")), false),
            (Some(("x-api-key", "")), false),
        ];
        for (header, expected) in cases {
            for caller in ["127.0.0.1", "10.0.0.1"] {
                assert_eq!(allowed(Some("opensesame"), caller, header), expected, "{header:?} from {caller}");
            }
        }
    }
}
