//! What an administrator says about other nodes: that one is gone for good, or that the cluster is to go on without a
//! majority. A node by itself has nobody to say it about, and says so.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::Admin;
use crate::http::problem::Problem;
use crate::shared::Shared;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Gone {
    node_id: String,
}

pub(in crate::http) async fn gone(
    State(shared): State<Arc<Shared>>,
    _admin: Admin,
    headers: HeaderMap,
    body: Body,
) -> Result<(), Problem> {
    let body = shared.bodies.read(&headers, body).await?;
    let Gone { node_id } = serde_json::from_slice(&body.bytes).map_err(|error| {
        Problem::malformed("BadBody", format!(r#"The body must be {{"nodeId": "name"}}, but: {error}."#))
    })?;
    let own = &shared.settings.name;
    if node_id != own.as_str() {
        let sentence = format!("The cluster has no node '{node_id}'; its only node is {own}.");
        return Err(Problem::new(StatusCode::NOT_FOUND, "UnknownNode", sentence));
    }
    Err(conflict(format!(
        "{own} is here and answers, and it is the only node; a node cannot be declared gone by itself."
    )))
}

pub(in crate::http) async fn recover(State(shared): State<Arc<Shared>>, _admin: Admin) -> Problem {
    conflict(format!(
        "{} is the only node and holds all partitions; there is no lost majority to recover from.",
        shared.settings.name
    ))
}

fn conflict(sentence: String) -> Problem {
    Problem::new(StatusCode::CONFLICT, "NothingToDo", sentence)
}
