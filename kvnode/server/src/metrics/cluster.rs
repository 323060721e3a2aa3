//! What metrics say of the cluster. A node by itself is a cluster of one: it has no peers and holds all partitions, and
//! nothing lags behind it. The series are there nevertheless, so that dashboards and alerts show a state, not a gap.

use std::sync::atomic::AtomicU64;

use kvnode_core::store::slot::PARTITIONS;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::registered;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PartitionLabels {
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DiscoveryLabels {
    r#type: &'static str,
    direction: &'static str,
    result: &'static str,
}

pub(super) fn describe(registry: &mut Registry) {
    registered(registry, "kv_peers_count", "Other nodes of the cluster", Gauge::<i64>::default());
    let partitions = Family::<PartitionLabels, Gauge>::default();
    let all = i64::try_from(PARTITIONS).expect("some hundred");
    for (state, number) in [("in_sync", all), ("moving", 0), ("lost", 0)] {
        partitions.get_or_create(&PartitionLabels { state }).set(number);
    }
    registered(registry, "kv_partitions", "Partitions by how their copies are", partitions);
    registered(
        registry,
        "kv_replication_lag_ops",
        "Writes that the copy furthest behind has not got",
        Gauge::<i64>::default(),
    );
    registered(
        registry,
        "kv_failovers",
        "Partitions taken over from a node that was lost",
        Counter::<u64, AtomicU64>::default(),
    );
    let messages = Family::<DiscoveryLabels, Counter>::default();
    for (direction, result) in [("sent", "success"), ("received", "success"), ("received", "foreign")] {
        drop(messages.get_or_create(&DiscoveryLabels { r#type: "heartbeat", direction, result }));
    }
    registered(registry, "kv_discovery_messages", "Messages by which nodes find each other", messages);
}
