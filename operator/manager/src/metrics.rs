//! What the operator counts about itself. Labels are words of closed lists, never names of tenants: a thousand tenants
//! must not become a thousand series.

use std::sync::Arc;
use std::time::Duration;

use kvtenant_api::{KVTenant, Phase};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::requests::CountRequests;

/// From a pass that sends nothing to one that waits for a slow API server.
const BUCKETS: [f64; 11] = [0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabel {
    stage: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PhaseLabel {
    phase: &'static str,
}

/// How a pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    Waiting,
    Stalled,
    Failed,
}

/// All of the operator's metrics. Cloning shares them.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    reconciles: Family<OutcomeLabel, Counter>,
    stages: Family<StageLabel, Histogram>,
    errors: Family<ReasonLabel, Counter>,
    events: Family<ReasonLabel, Counter>,
    watch_failures: Family<KindLabel, Counter>,
    tenants: Family<PhaseLabel, Gauge>,
    pub(crate) requests: CountRequests,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("kvtenant_operator");
        let reconciles = Family::default();
        let stages = Family::<StageLabel, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        let errors = Family::default();
        let events = Family::default();
        let watch_failures = Family::default();
        let tenants = Family::default();
        let requests = CountRequests::default();
        registry.register("reconciles", "Passes over a tenant, by outcome", reconciles.clone());
        registry.register("stage_duration_seconds", "How long each stage of a pass took", stages.clone());
        registry.register("errors", "Passes that failed, by reason", errors.clone());
        registry.register("events", "Events published, by reason", events.clone());
        registry.register("watch_failures", "Interrupted watches, by kind", watch_failures.clone());
        registry.register("tenants", "Tenants, by phase", tenants.clone());
        registry.register("api_requests", "Requests to the API server, by verb and kind", requests.counted.clone());
        Self { registry: Arc::new(registry), reconciles, stages, errors, events, watch_failures, tenants, requests }
    }

    pub(crate) fn reconciled(&self, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Done => "done",
            Outcome::Waiting => "waiting",
            Outcome::Stalled => "stalled",
            Outcome::Failed => "failed",
        };
        self.reconciles.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    pub(crate) fn stage_took(&self, stage: &'static str, time: Duration) {
        self.stages.get_or_create(&StageLabel { stage }).observe(time.as_secs_f64());
    }

    pub(crate) fn failed(&self, reason: &'static str) {
        self.errors.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(crate) fn published(&self, reason: &'static str) {
        self.events.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(crate) fn watch_failed(&self, kind: &'static str) {
        self.watch_failures.get_or_create(&KindLabel { kind }).inc();
    }

    /// All metrics as text. `tenants` is what is known now; a tenant without a status yet counts as pending.
    pub(crate) fn text(&self, tenants: &[Arc<KVTenant>]) -> String {
        let phase_of = |tenant: &KVTenant| {
            tenant.status.as_ref().and_then(|status| status.summary.as_ref()).map_or(Phase::Pending, |row| row.phase)
        };
        for phase in Phase::ALL.iter().copied() {
            let count = tenants.iter().filter(|tenant| phase_of(tenant) == phase).count();
            let gauge = self.tenants.get_or_create(&PhaseLabel { phase: phase.as_str() });
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing into a String cannot fail");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kvtenant_api::KVTenantSpec;

    #[test]
    fn every_phase_has_a_series_and_new_tenants_are_pending() {
        let text = Metrics::new().text(&[Arc::new(KVTenant::new("a", KVTenantSpec::default()))]);
        assert!(text.contains("kvtenant_operator_tenants{phase=\"Pending\"} 1\n"), "{text}");
        for phase in Phase::ALL {
            assert!(text.contains(&format!("kvtenant_operator_tenants{{phase=\"{phase}\"}}")), "{phase}");
        }
    }

    #[test]
    fn counters_end_in_total_once() {
        let metrics = Metrics::new();
        metrics.reconciled(Outcome::Done);
        metrics.failed("Refused");
        let text = metrics.text(&[]);
        assert!(text.contains("kvtenant_operator_reconciles_total{outcome=\"done\"} 1\n"), "{text}");
        assert!(text.contains("kvtenant_operator_errors_total{reason=\"Refused\"} 1\n"), "{text}");
    }
}
