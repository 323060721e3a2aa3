//! Which web pages of other origins may use this interface. It is the browser that keeps a page from reading what it was
//! not allowed; without this module's headers it allows no page anything.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};

use super::problem::Problem;
use crate::settings::cors::Origins;
use crate::shared::Shared;

/// Every method and header that some path takes. What a path does not take it refuses by itself.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, X-API-Key, X-Request-Id",
);

/// What a page may read beside the body.
const EXPOSED: HeaderValue = HeaderValue::from_static("ETag, X-KV-Node, X-Request-Id");

/// Seconds for which a browser remembers what it was allowed: as long as browsers are willing to.
const REMEMBERED: HeaderValue = HeaderValue::from_static("7200");

pub(super) async fn allow(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let live = shared.live();
    let origins = &live.cors_origins;
    let Some(origin) = request.headers().get(header::ORIGIN).filter(|_| !origins.is_empty()).cloned() else {
        return next.run(request).await;
    };
    let allowed = origins.allow(&origin);
    let preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match (&allowed, preflight) {
        (_, false) => next.run(request).await,
        (Some(_), true) => permission(),
        (None, true) => refusal(&origin).into_response(),
    };
    let headers = response.headers_mut();
    if let Some(allowed) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    if *origins != Origins::Any {
        // What a cache keeps for one origin must not be given to another.
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    response
}

fn permission() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

fn refusal(origin: &HeaderValue) -> Problem {
    let origin = origin.to_str().unwrap_or("of this request");
    let sentence = format!(
        "Pages of the origin {origin} may not use this node; its setting http.corsOrigins names those that may."
    );
    Problem::new(StatusCode::FORBIDDEN, "OriginRefused", sentence)
}
