//! Counts what is asked of the API server, by verb and kind. A converged cluster must show no writes at all; this is
//! the number that proves it.

use std::task::{Context, Poll};

use http::{Method, Request, Uri};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tower::{Layer, Service};

/// Labels of the counter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    pub(crate) verb: &'static str,
    pub(crate) kind: String,
}

/// A layer around the client that counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct CountRequests {
    pub(crate) counted: Family<RequestLabels, Counter>,
}

impl<S> Layer<S> for CountRequests {
    type Service = Counting<S>;

    fn layer(&self, inner: S) -> Counting<S> {
        Counting { inner, counted: self.counted.clone() }
    }
}

/// The counted service.
#[derive(Clone, Debug)]
pub(crate) struct Counting<S> {
    inner: S,
    counted: Family<RequestLabels, Counter>,
}

impl<S, B> Service<Request<B>> for Counting<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        self.counted.get_or_create(&labels(request.method(), request.uri())).inc();
        self.inner.call(request)
    }
}

/// Verb and kind as Kubernetes' own audit log would name them. Names of objects never become labels.
fn labels(method: &Method, uri: &Uri) -> RequestLabels {
    let parts: Vec<&str> = uri.path().split('/').filter(|part| !part.is_empty()).collect();
    let resource = match parts.as_slice() {
        ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => match rest {
            ["namespaces", _, rest @ ..] if !rest.is_empty() => rest,
            rest => rest,
        },
        _ => &[],
    };
    let (kind, named) = match resource {
        [] => ("discovery".to_owned(), true),
        [kind] => ((*kind).to_owned(), false),
        [kind, _] => ((*kind).to_owned(), true),
        [kind, _, subresource, ..] => (format!("{kind}/{subresource}"), true),
    };
    let watching = uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "watch=true"));
    let verb = match (method.as_str(), named) {
        ("GET", _) if watching => "watch",
        ("GET", true) => "get",
        ("GET", false) => "list",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", _) => "delete",
        _ => "other",
    };
    RequestLabels { verb, kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_by_verb_and_kind_and_never_by_name() {
        for (method, uri, verb, kind) in [
            ("GET", "/version", "get", "discovery"),
            ("GET", "/apis/kvtenant.io/v1alpha1", "get", "discovery"),
            ("GET", "/api/v1/secrets?labelSelector=a%3Db&limit=500", "list", "secrets"),
            ("GET", "/apis/apps/v1/statefulsets?&watch=true&timeoutSeconds=290", "watch", "statefulsets"),
            ("GET", "/api/v1/namespaces/shop/configmaps/a", "get", "configmaps"),
            ("POST", "/apis/events.k8s.io/v1/namespaces/shop/events?", "create", "events"),
            ("PATCH", "/api/v1/namespaces/shop/services/a?fieldManager=x", "patch", "services"),
            ("PATCH", "/apis/kvtenant.io/v1alpha1/namespaces/n/kvtenants/a/status", "patch", "kvtenants/status"),
            ("DELETE", "/api/v1/namespaces/shop/services/a", "delete", "services"),
        ] {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let labels = labels(&method, &uri.parse().expect("a URI"));
            assert_eq!((labels.verb, labels.kind.as_str()), (verb, kind), "{uri}");
        }
    }
}
