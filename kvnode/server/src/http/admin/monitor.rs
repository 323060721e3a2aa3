//! Operations as they happen, one JSON object a line, until the client goes or the node ends.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, stream};
use http::{HeaderValue, StatusCode, header};

use super::Admin;
use crate::http::problem::Problem;
use crate::monitor::Watcher;
use crate::shared::Shared;

pub(in crate::http) const NDJSON: &str = "application/x-ndjson";

pub(in crate::http) async fn monitor(State(shared): State<Arc<Shared>>, _admin: Admin) -> Result<Response, Problem> {
    let Some(watcher) = shared.monitor.watch() else {
        let sentence = "As many look on as may; end one of the others.";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", sentence);
        return Err(problem.with_header(header::RETRY_AFTER, HeaderValue::from_static("1")));
    };
    Ok(([(header::CONTENT_TYPE, NDJSON)], Body::from_stream(lines(watcher, shared))).into_response())
}

/// The stream is asked for the next line when the client has taken the one before.
fn lines(watcher: Watcher, shared: Arc<Shared>) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold((watcher, shared), |(mut watcher, shared)| async move {
        let line = tokio::select! {
            line = watcher.next() => line,
            () = shared.drain_begun() => return None,
        };
        Some((Ok(Bytes::copy_from_slice(line.as_bytes())), (watcher, shared)))
    })
}
