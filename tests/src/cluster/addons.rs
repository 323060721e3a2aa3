//! What a cluster has beyond Kubernetes' own programs: DNS, metrics, volumes. Manifests lie in `tests/addons/`.

use super::images;
use super::state::State;

/// Deployments that must be available before the cluster is called up. Metrics are not among them: they need two
/// scrapes, 20 seconds, and who needs them waits for what they need.
pub(super) const NEEDED: [(&str, &str); 2] =
    [("kube-system", "coredns"), ("local-path-storage", "local-path-provisioner")];

/// All manifests, with the addresses and images of this cluster.
pub(super) fn manifests(state: &State) -> String {
    let all = [
        include_str!("../../addons/kube-proxy.yaml"),
        include_str!("../../addons/coredns.yaml"),
        include_str!("../../addons/metrics-server.yaml"),
        include_str!("../../addons/local-path-provisioner.yaml"),
    ];
    [
        ("${DNS}", state.range.dns().to_string().as_str()),
        ("${COREDNS}", images::COREDNS),
        ("${METRICS_SERVER}", images::METRICS_SERVER),
        ("${PROVISIONER}", images::PROVISIONER),
        ("${BUSYBOX}", images::BUSYBOX),
    ]
    .iter()
    .fold(all.join("\n---\n"), |text, (placeholder, value)| text.replace(placeholder, value))
}
