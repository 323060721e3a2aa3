//! The other nodes of the cluster, as this one sees them.

use axum::response::Response;
use serde::Serialize;

use super::answer::json;
use super::target::OwnTenant;

#[derive(Serialize)]
struct Peers<'p> {
    /// Names.
    peers: &'p [&'p str],
    count: usize,
}

/// A node by itself has none.
pub(super) async fn list(_tenant: OwnTenant) -> Response {
    json(&Peers { peers: &[], count: 0 })
}
