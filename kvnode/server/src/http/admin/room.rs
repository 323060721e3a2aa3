//! Whether the data would still fit if a node were gone: asked before one is taken away, because afterwards is too late.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use super::Admin;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::shared::Shared;

const WITHOUT: &str = "without";

/// What is free must be more than the data alone: it grows while it moves.
const SPARE: (u64, u64) = (6, 5);

#[derive(Serialize)]
pub(super) struct Room {
    fits: bool,
    data_bytes: u64,
    /// The data with its copies, and a fifth more.
    needed_bytes: u64,
    /// What the nodes that stay may hold together.
    limit_bytes: u64,
}

pub(super) fn room_for(data_bytes: u64, limit_bytes: u64) -> Room {
    let (part, of) = SPARE;
    let needed_bytes = data_bytes.saturating_mul(part).div_ceil(of);
    Room { fits: needed_bytes <= limit_bytes, data_bytes, needed_bytes, limit_bytes }
}

pub(in crate::http) async fn room(
    State(shared): State<Arc<Shared>>,
    _admin: Admin,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = Query::parse(query.as_deref(), &[WITHOUT])?;
    let ledger = shared.store.ledger();
    let limit_bytes = match query.get(WITHOUT) {
        None => ledger.limit(),
        Some(name) if name == shared.settings.name.as_str() => 0,
        Some(name) => {
            let sentence = format!("The cluster has no node '{name}'; its only node is {}.", shared.settings.name);
            return Err(Problem::new(StatusCode::NOT_FOUND, "UnknownNode", sentence));
        }
    };
    Ok(Json(room_for(ledger.used(), limit_bytes)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_fits_when_a_fifth_stays_free() {
        for (data, limit, fits) in [(0, 0, true), (100, 120, true), (100, 119, false), (1, 1, false), (1, 2, true)] {
            assert_eq!(room_for(data, limit).fits, fits, "{data} into {limit}");
        }
        assert!(!room_for(u64::MAX, u64::MAX - 1).fits || room_for(u64::MAX, u64::MAX).needed_bytes > 0);
    }
}
