//! Around every request: its id, the node's name on the answer, and the count and time of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use tokio::time::timeout;

use super::labels::Labels;
use super::problem::Problem;
use super::slow;
use crate::random;
use crate::shared::Shared;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_KV_NODE: HeaderName = HeaderName::from_static("x-kv-node");

/// A client's own id is taken over up to this length; it ends up in log lines.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// Whoever runs the node may move all of its data in one request.
const WITHOUT_TIME_LIMIT: &str = "/admin/";

/// The id by which a request can be found in logs: the client's, or one made up here.
#[derive(Clone, Debug)]
pub(super) struct RequestId(Arc<str>);

/// What this layer needs of the node.
#[derive(Clone, Debug)]
pub(super) struct Observer {
    pub(super) shared: Arc<Shared>,
    pub(super) labels: Arc<Labels>,
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Observed<'r> {
    pub(super) begun: Instant,
    pub(super) id: RequestId,
    pub(super) method: &'r Method,
    pub(super) endpoint: &'static str,
}

impl RequestId {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self(own_id(headers).unwrap_or_else(random::request_id).into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Observed<'_> {
    /// Names the request and the node in its answer, and counts it. `path` is for requests that took long.
    pub(super) fn end(&self, shared: &Shared, response: &mut Response, path: Option<&str>) {
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(self.id.as_str()) {
            headers.insert(X_REQUEST_ID, value);
        }
        if let Ok(value) = HeaderValue::from_str(shared.settings.name.as_str()) {
            headers.insert(X_KV_NODE, value);
        }
        let duration = shared.clock.instant().duration_since(self.begun);
        let status = response.status().as_u16();
        shared.metrics.request(self.method, self.endpoint, status, duration);
        if let (Some(slow_from), Some(path)) = (shared.live().slow_request, path)
            && duration >= slow_from
        {
            let slow =
                slow::Request { method: self.method, endpoint: self.endpoint, path, status, id: self.id.as_str() };
            shared.slow_log.tell(shared, &slow, duration);
        }
    }
}

pub(super) async fn observe(
    State(Observer { shared, labels }): State<Observer>,
    mut request: Request,
    next: Next,
) -> Response {
    let (begun, id) = (shared.clock.instant(), RequestId::of(request.headers()));
    let endpoint = labels.of(request.extensions().get::<MatchedPath>().map(MatchedPath::as_str));
    let method = request.method().clone();
    // With `Content-Length` beside it, which is gone when the head has been read, a proxy may have taken another length
    // for the true one: what it believes to be a request of its own must not be read as the next one.
    let last_of_connection = request.headers().contains_key(header::TRANSFER_ENCODING);
    request.extensions_mut().insert(id.clone());
    let uri = shared.live().slow_request.map(|_| request.uri().clone());

    let answering = next.run(request);
    let mut response = if endpoint.starts_with(WITHOUT_TIME_LIMIT) {
        answering.await
    } else {
        let time_max = shared.settings.timeouts.request;
        timeout(time_max, answering).await.unwrap_or_else(|_| too_long(time_max).into_response())
    };

    if last_of_connection {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let observed = Observed { begun, id, method: &method, endpoint };
    observed.end(&shared, &mut response, uri.as_ref().map(Uri::path));
    response
}

pub(super) fn too_long(time_max: Duration) -> Problem {
    let sentence = format!(
        "The request took longer than {} seconds and was given up; whether it was done is not known.",
        time_max.as_secs_f64()
    );
    Problem::new(StatusCode::GATEWAY_TIMEOUT, "OutcomeUnknown", sentence)
}

fn own_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    let visible = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic());
    (visible && id.len() <= REQUEST_ID_BYTES_MAX).then(|| id.to_owned())
}
