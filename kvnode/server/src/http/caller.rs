//! Who sends a request, found out before its handler runs: what the method does is what the caller's scope must allow.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::call::Asked;
use super::problem::Problem;
use crate::access::{Account, Caller, Denial, Denied, Door, Presented};
use crate::accounts::api_key::Operation;
use crate::shared::Shared;

/// Proof that the caller may administer this node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admin;

impl FromRequestParts<Arc<Shared>> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        shared.access.admin(Presented::of(&parts.headers), address(parts))?;
        Ok(Self)
    }
}

/// Who asks for data, with what the method does allowed by the scope.
pub(super) fn of(asked: &Asked<'_>, headers: &HeaderMap, shared: &Shared, door: Door) -> Result<Caller, Problem> {
    // While the accounts are still read from the disk, nobody could be told from a stranger.
    shared.store.ready()?;
    let presented = Presented::of(headers);
    let caller = shared.access.caller(&shared.store, door, presented, asked.from, shared.clock.now())?;
    caller.may(operation(asked.method))?;
    Ok(caller)
}

/// Whose account a request is about.
pub(super) fn account(parts: &Parts, shared: &Shared) -> Result<Account, Problem> {
    shared.store.ready()?;
    let presented = Presented::of(&parts.headers);
    Ok(shared.access.account(&shared.store, presented, address(parts), shared.clock.now())?)
}

/// Lets a request pass that comes before its sender is known, unless there are too many of them.
pub(super) fn stranger(parts: &Parts, shared: &Shared) -> Result<(), Problem> {
    Ok(shared.access.admit_stranger(address(parts), shared.clock.now())?)
}

/// Of the other end of the connection. A connection without one is nobody's neighbour.
pub(super) fn address(parts: &Parts) -> IpAddr {
    let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    connected.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip())
}

/// A method nobody serves is refused later, and as a write no key with a small scope gets as far as that.
fn operation(method: &Method) -> Operation {
    match *method {
        Method::GET | Method::HEAD => Operation::Read,
        Method::DELETE => Operation::Delete,
        _ => Operation::Write,
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let (status, named) = match denied.denial() {
            Denial::Unauthorized { challenge } => {
                let challenge = HeaderValue::from_static(challenge);
                (StatusCode::UNAUTHORIZED, Some((header::WWW_AUTHENTICATE, challenge)))
            }
            Denial::Forbidden => (StatusCode::FORBIDDEN, None),
            Denial::Later { seconds } => (StatusCode::TOO_MANY_REQUESTS, Some((header::RETRY_AFTER, seconds.into()))),
        };
        let problem = Self::new(status, denied.code(), denied.to_string());
        match named {
            Some((name, value)) => problem.with_header(name, value),
            None => problem,
        }
    }
}
