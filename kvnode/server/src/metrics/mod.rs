//! What the node counts, under the names users' dashboards and alerts are built on. A label never takes a value of a
//! client's choosing: a path, a key or an invented method as a label would let anyone fill the memory with series.

mod cluster;
mod frequent;
pub(crate) mod process;
pub(crate) mod snapshot;
pub(crate) mod text;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use frequent::Frequent;
use snapshot::{Readings, Snapshot};

/// From a hundredth of the promised p50 of a millisecond to the longest a request may take.
const DURATION_BUCKETS: [f64; 14] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    endpoint: &'static str,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
    tenant: String,
    status: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct TaskLabels {
    task: &'static str,
    status: &'static str,
}

#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    tenant: String,
    requests: Family<RequestLabels, Counter>,
    frequent_requests: Frequent<RequestLabels>,
    request_duration: Histogram,
    /// All requests, as a figure that is quick to read: the rate is computed from it.
    answered: AtomicU64,
    operations: Family<OperationLabels, Counter>,
    frequent_operations: Frequent<(&'static str, &'static str)>,
    tasks: Family<TaskLabels, Counter>,
    pub(crate) active_connections: Gauge,
    requests_per_second: Gauge<f64, AtomicU64>,
    snapshot: Snapshot,
}

impl Metrics {
    /// `keeps`: whether the node has data on a disk.
    pub(crate) fn new(tenant: &str, memory_limit: u64, cpu_limit_cores: f64, keeps: bool) -> Self {
        let mut registry = Registry::default();
        cluster::describe(&mut registry);
        let metrics = Self {
            tenant: tenant.to_owned(),
            requests: registered(&mut registry, "http_requests", "Requests answered", Family::default()),
            frequent_requests: Frequent::default(),
            request_duration: registered(
                &mut registry,
                "http_request_duration_seconds",
                "Time from the head of a request to the head of its answer",
                Histogram::new(DURATION_BUCKETS),
            ),
            answered: AtomicU64::new(0),
            operations: registered(&mut registry, "kvstore_operations", "Operations of the store", Family::default()),
            frequent_operations: Frequent::default(),
            tasks: registered(&mut registry, "background_tasks", "Runs of background tasks", Family::default()),
            active_connections: registered(&mut registry, "active_connections", "Open connections", Gauge::default()),
            requests_per_second: registered(
                &mut registry,
                "kv_requests_per_second",
                "Requests answered in a second, averaged over the last ten",
                Gauge::default(),
            ),
            snapshot: Snapshot::new(&mut registry, keeps),
            registry,
        };
        metrics.snapshot.set_limits(memory_limit, cpu_limit_cores);
        metrics
    }

    pub(crate) fn request(&self, method: &http::Method, endpoint: &'static str, status: u16, duration: Duration) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        let labels = RequestLabels { method: method_label(method), endpoint, status };
        self.frequent_requests.count(labels, || self.requests.get_or_create(&labels).clone());
        self.request_duration.observe(duration.as_secs_f64());
    }

    pub(crate) fn operation(&self, operation: &'static str, status: &'static str) {
        self.frequent_operations.count((operation, status), || self.operation_counter(operation, status));
    }

    /// The same as a counter to be kept, for those that count without a look at any label.
    pub(crate) fn operation_counter(&self, operation: &'static str, status: &'static str) -> Counter {
        let labels = OperationLabels { operation, tenant: self.tenant.clone(), status };
        self.operations.get_or_create(&labels).clone()
    }

    /// Requests that did not come over HTTP.
    pub(crate) fn requests_served(&self, number: u64) {
        self.answered.fetch_add(number, Ordering::Relaxed);
    }

    pub(crate) fn task(&self, task: &'static str, status: &'static str) {
        self.tasks.get_or_create(&TaskLabels { task, status }).inc();
    }

    /// Requests since the start.
    pub(crate) fn requests_answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    pub(crate) fn set_requests_per_second(&self, rate: f64) {
        self.requests_per_second.set(rate);
    }

    /// The page of a scrape, in Prometheus' text format.
    pub(crate) fn page(&self, readings: &Readings) -> String {
        self.snapshot.take(readings);
        let mut encoded = String::new();
        prometheus_client::encoding::text::encode(&mut encoded, &self.registry)
            .expect("writing to a string cannot fail");
        text::classic(&encoded)
    }
}

fn registered<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

/// Methods are a client's words too; the ones nobody needs share a label.
fn method_label(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "PUT" => "PUT",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}
