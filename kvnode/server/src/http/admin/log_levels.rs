//! How much is logged, asked and told while the node runs. What is told here holds until the config file names another
//! level or the node starts again.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::Admin;
use crate::http::problem::Problem;
use crate::logging;
use crate::settings::logs::LogLevel;
use crate::shared::Shared;

#[derive(Serialize)]
struct Levels {
    level: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLevels {
    level: String,
}

pub(in crate::http) async fn get(State(shared): State<Arc<Shared>>, _admin: Admin) -> Response {
    answer(logging::level().unwrap_or_else(|| shared.live().log_level))
}

/// C123
pub(in crate::http) async fn put(
    State(shared): State<Arc<Shared>>,
    _admin: Admin,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let read = shared.bodies.read(&headers, body).await?;
    let asked: NewLevels = serde_json::from_slice(&read.bytes).map_err(|error| {
        Problem::malformed("BadLogLevel", format!(r#"The body is not like {{"level":"debug"}}: {error}."#))
    })?;
    let level: LogLevel =
        asked.level.parse().map_err(|reason| Problem::malformed("BadLogLevel", format!("The level {reason}.")))?;
    let from = logging::level().map(tracing::field::display);
    // Said while the more talkative of both levels is in force, so that the line is not lost when logs are turned down.
    let said = || tracing::info!(tenant_id = shared.settings.tenant.as_str(), from, to = %level, "log level changed");
    if level == LogLevel::Debug || level == LogLevel::Info {
        logging::set_level(level);
        said();
    } else {
        said();
        logging::set_level(level);
    }
    Ok(answer(level))
}

fn answer(level: LogLevel) -> Response {
    Json(Levels { level: level.to_string() }).into_response()
}
