//! Around every request: its id, the node's name on the answer, and the count and time of it.

mod request_id;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use tokio::time::timeout;

pub(super) use request_id::RequestId;

use super::labels::Labels;
use super::problem::Problem;
use super::slow;
use crate::shared::Shared;

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(super) const X_KV_NODE: HeaderName = HeaderName::from_static("x-kv-node");

/// Whoever runs the node may move all of its data in one request.
const WITHOUT_TIME_LIMIT: &str = "/admin/";

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

impl Observed<'_> {
    /// Names the request and the node in its answer.
    fn name(&self, shared: &Shared, response: &mut Response) {
        let headers = response.headers_mut();
        for (name, text) in [(X_REQUEST_ID, self.id.as_str()), (X_KV_NODE, shared.settings.name.as_str())] {
            if let Ok(value) = HeaderValue::from_str(text) {
                headers.insert(name, value);
            }
        }
    }

    /// Counts the request. `path` is for those that took long.
    pub(super) fn end(&self, shared: &Shared, status: StatusCode, path: Option<&str>) {
        let duration = shared.clock.instant().duration_since(self.begun);
        let status = status.as_u16();
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
    observed.name(&shared, &mut response);
    observed.end(&shared, response.status(), uri.as_ref().map(Uri::path));
    response
}

pub(super) fn too_long(time_max: Duration) -> Problem {
    let sentence = format!(
        "The request took longer than {} seconds and was given up; whether it was done is not known.",
        time_max.as_secs_f64()
    );
    Problem::new(StatusCode::GATEWAY_TIMEOUT, "OutcomeUnknown", sentence)
}
