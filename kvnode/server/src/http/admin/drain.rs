//! Stepping aside, and coming back. Both may be asked for again and again; the answer is always how far it has come.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::Admin;
use crate::drain::DrainMode;
use crate::http::problem::Problem;
use crate::shared::Shared;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    #[serde(default)]
    mode: DrainMode,
}

#[derive(Serialize)]
struct Drained<'s> {
    node: &'s str,
    /// `drained` once nothing is left to hand over, `none` when the node was not asked to step aside.
    state: &'static str,
    mode: Option<DrainMode>,
    handed_over: usize,
    /// What no other node could take.
    kept: usize,
    reason: &'static str,
}

pub(in crate::http) async fn begin(
    State(shared): State<Arc<Shared>>,
    _admin: Admin,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = shared.bodies.read(&headers, body).await?;
    let Wish { mode } = wish(&body.bytes)?;
    // Of the last node the data has nowhere to go: to take it away for good must not look like a hand-over.
    if mode == DrainMode::Leave && shared.count_keys() > 0 {
        let sentence = format!(
            "{} is the only node, so nothing can take over what it holds, and it cannot leave; \
             use the mode restart, or delete its keys.",
            shared.settings.name
        );
        return Err(Problem::new(StatusCode::CONFLICT, "LastNode", sentence));
    }
    shared.drain_order.give(mode);
    tracing::info!(tenant_id = shared.settings.tenant.as_str(), ?mode, operation = "drain", "asked to step aside");
    Ok(progress(&shared))
}

pub(in crate::http) async fn cancel(State(shared): State<Arc<Shared>>, _admin: Admin) -> Response {
    if shared.drain_order.mode().is_some() {
        shared.drain_order.cancel();
        tracing::info!(tenant_id = shared.settings.tenant.as_str(), operation = "drain", "called back");
    }
    progress(&shared)
}

fn wish(body: &[u8]) -> Result<Wish, Problem> {
    if body.is_empty() {
        return Ok(Wish::default());
    }
    serde_json::from_slice(body).map_err(|error| {
        let sentence = format!(r#"The body must be {{"mode": "restart"}} or {{"mode": "leave"}}, but: {error}."#);
        Problem::malformed("BadBody", sentence)
    })
}

fn progress(shared: &Shared) -> Response {
    let mode = shared.drain_order.mode();
    let (state, reason) = match mode {
        None => ("none", "The node takes part as always."),
        Some(_) => ("drained", "The node is not ready; there is no other node that its partitions could go to."),
    };
    let drained = Drained {
        node: shared.settings.name.as_str(),
        state,
        mode,
        handed_over: 0,
        kept: shared.store.partitions(),
        reason,
    };
    Json(drained).into_response()
}
