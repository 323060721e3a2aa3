//! How the node was set up and what it uses: the page to look at when something is not as it should be. It is for
//! administrators, and still has no secret in it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Admin;
use crate::clock::rfc3339;
use crate::http::target::OwnTenant;
use crate::metrics::process::Usage;
use crate::settings::shown::Shown;
use crate::shared::Shared;

#[derive(Serialize)]
struct Diagnosis<'d> {
    tenant: &'d str,
    node: &'d str,
    version: &'static str,
    time: String,
    uptime_seconds: u64,
    process: u32,
    threads: Threads,
    memory: Memory,
    limits: Limits,
    connections: Connections,
    ports: Ports,
    /// The other nodes.
    peers: [&'static str; 0],
    discovery: Discovery,
    settings: &'d [Shown],
}

#[derive(Serialize)]
struct Threads {
    serving: usize,
    cpu_limit_cores: f64,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "they are the names of members, and a figure without a unit is a riddle")]
struct Memory {
    used_bytes: u64,
    limit_bytes: u64,
    /// Of the whole process, as the kernel counts it.
    resident_bytes: u64,
    tombstone_bytes: u64,
    tombstone_limit_bytes: u64,
}

#[derive(Serialize)]
struct Limits {
    key_bytes: usize,
    value_bytes: usize,
    tags: usize,
    tag_characters: usize,
}

#[derive(Serialize)]
struct Connections {
    open: i64,
    free: usize,
}

/// As they were asked for; 0 stands for any that was free.
#[derive(Serialize)]
struct Ports {
    bind: String,
    http: u16,
    metrics: Option<u16>,
}

/// How nodes find each other; one that is alone looks for nobody.
#[derive(Serialize)]
struct Discovery {
    mode: &'static str,
    group: Option<&'static str>,
    port: Option<u16>,
}

pub(in crate::http) async fn diag(State(shared): State<Arc<Shared>>, _tenant: OwnTenant, _admin: Admin) -> Response {
    let settings = &shared.settings;
    let ledger = shared.store.ledger();
    let live = shared.live();
    let limits = &live.limits;
    Json(Diagnosis {
        tenant: settings.tenant.as_str(),
        node: settings.name.as_str(),
        version: env!("CARGO_PKG_VERSION"),
        time: rfc3339(shared.clock.now()),
        uptime_seconds: shared.uptime().as_secs(),
        process: std::process::id(),
        threads: Threads { serving: settings.threads, cpu_limit_cores: settings.cpu_limit_cores },
        memory: Memory {
            used_bytes: ledger.used(),
            limit_bytes: ledger.limit(),
            resident_bytes: Usage::now().resident_bytes,
            tombstone_bytes: ledger.tombstones(),
            tombstone_limit_bytes: ledger.tombstone_limit(),
        },
        limits: Limits {
            key_bytes: limits.key_bytes_max,
            value_bytes: limits.value_bytes_max,
            tags: limits.tags_max,
            tag_characters: limits.tag_chars_max,
        },
        connections: Connections {
            open: shared.metrics.active_connections.get(),
            free: shared.connections.available_permits(),
        },
        ports: Ports { bind: settings.bind.to_string(), http: settings.port, metrics: settings.metrics_port },
        peers: [],
        discovery: Discovery { mode: "static", group: None, port: None },
        settings: &live.shown,
    })
    .into_response()
}
