//! API keys over HTTP, for who administers the tenant: `keys` and `keys/{id}`.

use std::sync::Arc;

use axum::extract::{RawPathParams, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::value::Value;

use super::answer::json;
use super::caller::Admin;
use super::dialect::VERSIONED;
use super::members::Members;
use super::problem::Problem;
use super::target::OwnTenant;
use crate::access::api_keys::{self, ApiKey, ApiKeyName};
use crate::accounts::api_key::{ApiKeyId, Scope};
use crate::shared::Shared;

const SHAPE: &str = r#"{"name": "…", "scope": "readonly", "read_write" or "read_write_delete"}"#;

/// The only answer with the key's text in it.
#[derive(Serialize)]
struct Created<'k> {
    #[serde(flatten)]
    told: ApiKey,
    key: &'k str,
}

#[derive(Serialize)]
struct All {
    items: Vec<ApiKey>,
}

pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    _tenant: OwnTenant,
    _admin: Admin,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = shared.bodies.read(&parts.headers, body).await?;
    let (name, scope) = wanted(&body.bytes).map_err(|problem| problem.told_in(&VERSIONED))?;
    let (told, key) = api_keys::create(&shared, name, scope).await?;
    let mut answer = (StatusCode::CREATED, json(&Created { told, key: key.text() })).into_response();
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    _tenant: OwnTenant,
    _admin: Admin,
) -> Result<Response, Problem> {
    Ok(json(&All { items: api_keys::list(&shared).await? }))
}

pub(super) async fn delete(
    State(shared): State<Arc<Shared>>,
    _tenant: OwnTenant,
    _admin: Admin,
    path: RawPathParams,
) -> Result<Response, Problem> {
    let text = path.iter().find(|(name, _)| *name == "id").map_or("", |(_, text)| text);
    let deleted = match ApiKeyId::parse(text) {
        Some(id) => api_keys::delete(&shared, id).await?,
        None => false,
    };
    if deleted {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let sentence = "There is no API key with this id; GET …/keys lists the ids.";
    Err(Problem::new(StatusCode::NOT_FOUND, "NotFound", sentence))
}

fn wanted(body: &[u8]) -> Result<(ApiKeyName, Scope), Problem> {
    let mut members = Members::parse(body, SHAPE)?;
    let name = members.required("name")?;
    let scope = members.required("scope")?;
    members.end()?;
    let name = name.parse().map_err(|error: api_keys::ApiKeyNameError| Problem::unfit("BadName", error.to_string()))?;
    let scope = serde_json::from_value(Value::String(scope))
        .map_err(|_| Problem::unfit("BadScope", "The scope must be readonly, read_write or read_write_delete."))?;
    Ok((name, scope))
}
