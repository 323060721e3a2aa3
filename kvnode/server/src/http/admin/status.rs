//! How the node and its cluster are, for the operator and `kvnode ctl`: one page from which both decide what may be done
//! next.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Admin;
use super::room::{Room, room_for};
use crate::drain::DrainMode;
use crate::shared::Shared;

#[derive(Serialize)]
struct Status<'s> {
    tenant: &'s str,
    name: &'s str,
    version: &'static str,
    /// Of the data folder; a node without one has no identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    node_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incarnation: Option<u64>,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    keys: u64,
    memory_used_bytes: u64,
    memory_limit_bytes: u64,
    uptime_seconds: u64,
    /// The node that decides about the configuration.
    leader: &'s str,
    nodes: Vec<Node<'s>>,
    partitions: Partitions,
    drain: Option<DrainMode>,
    room: Room,
    roll_safe: RollSafe,
}

#[derive(Serialize)]
struct Node<'s> {
    name: &'s str,
    /// Whether it counts as one of the cluster.
    member: bool,
    state: &'static str,
    /// Of each secret it works with, enough to tell whether it is the one that was handed out.
    secrets: BTreeMap<&'static str, String>,
    partitions: usize,
}

/// How many of them are in which state, over the whole cluster.
#[derive(Serialize)]
struct Partitions {
    total: usize,
    in_sync: usize,
    moving: usize,
    lost: usize,
}

/// Whether this node can be ended and started again without anything being lost.
#[derive(Serialize)]
struct RollSafe {
    safe: bool,
    reason: String,
}

pub(in crate::http) async fn status(State(shared): State<Arc<Shared>>, _admin: Admin) -> Response {
    let ledger = shared.store.ledger();
    let keys = shared.count_keys();
    let not_ready = shared.not_ready();
    let partitions = shared.store.partitions();
    let name = shared.settings.name.as_str();
    let node = Node { name, member: true, state: state(&shared), secrets: secrets(&shared), partitions };
    Json(Status {
        tenant: shared.settings.tenant.as_str(),
        name,
        version: env!("CARGO_PKG_VERSION"),
        node_id: shared.identity.as_ref().map(|identity| identity.node.to_string()),
        incarnation: shared.identity.as_ref().map(|identity| identity.incarnation),
        ready: not_ready.is_none(),
        reason: not_ready,
        keys,
        memory_used_bytes: ledger.used(),
        memory_limit_bytes: ledger.limit(),
        uptime_seconds: shared.uptime().as_secs(),
        leader: name,
        nodes: vec![node],
        partitions: Partitions { total: partitions, in_sync: partitions, moving: 0, lost: 0 },
        drain: shared.drain_order.mode(),
        room: room_for(ledger.used(), ledger.limit()),
        roll_safe: roll_safe(keys, shared.store.log().is_some()),
    })
    .into_response()
}

fn state(shared: &Shared) -> &'static str {
    if shared.is_draining() {
        "stopping"
    } else if shared.drain_order.mode().is_some() {
        "drained"
    } else {
        "ready"
    }
}

fn secrets(shared: &Shared) -> BTreeMap<&'static str, String> {
    let live = shared.live();
    let access = &live.access;
    let admin_key = access.admin_key.as_ref().map(|key| ("admin-key", key.fingerprint()));
    let peer_token = access.peer_tokens.first().map(|token| ("peer-token", token.fingerprint()));
    admin_key.into_iter().chain(peer_token).collect()
}

/// A node by itself holds all there is.
fn roll_safe(keys: u64, kept: bool) -> RollSafe {
    let reason = match keys {
        _ if kept => "What this node holds is in its data folder, and comes back with it.".to_owned(),
        0 => "There is nothing to lose.".to_owned(),
        keys => format!("No other node has the data, and this one keeps it in memory only: {keys} keys would be lost."),
    };
    RollSafe { safe: kept || keys == 0, reason }
}
