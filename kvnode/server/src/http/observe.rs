//! Around every request: its id, the node's name on the answer, and the count and time of it.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::labels::Labels;
use crate::random;
use crate::shared::Shared;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_KV_NODE: HeaderName = HeaderName::from_static("x-kv-node");

/// A client's own id is taken over up to this length; it ends up in log lines.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// The id by which a request can be found in logs: the client's, or one made up here.
#[derive(Clone, Debug)]
pub(super) struct RequestId(Arc<str>);

/// What this layer needs of the node.
#[derive(Clone, Debug)]
pub(super) struct Observer {
    pub(super) shared: Arc<Shared>,
    pub(super) labels: Arc<Labels>,
}

impl RequestId {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

pub(super) async fn observe(
    State(Observer { shared, labels }): State<Observer>,
    mut request: Request,
    next: Next,
) -> Response {
    let begun = shared.clock.instant();
    let id: Arc<str> = own_id(request.headers()).unwrap_or_else(random::request_id).into();
    let endpoint = labels.of(request.extensions().get::<MatchedPath>().map(MatchedPath::as_str));
    let method = request.method().clone();
    // With `Content-Length` beside it, which is gone when the head has been read, a proxy may have taken another length
    // for the true one: what it believes to be a request of its own must not be read as the next one.
    let last_of_connection = request.headers().contains_key(header::TRANSFER_ENCODING);
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));

    let mut response = next.run(request).await;

    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(X_REQUEST_ID, value);
    }
    if last_of_connection {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Ok(value) = HeaderValue::from_str(shared.settings.name.as_str()) {
        headers.insert(X_KV_NODE, value);
    }
    let duration = shared.clock.instant().duration_since(begun);
    shared.metrics.request(&method, endpoint, response.status().as_u16(), duration);
    response
}

fn own_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    let visible = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic());
    (visible && id.len() <= REQUEST_ID_BYTES_MAX).then(|| id.to_owned())
}
