//! The flags of the control plane's programs, and why each unusual one is there.

use super::{API_PORT, Place};

/// Everything at the level of who, what and which answer; bodies would make it large and tell nothing more.
pub(super) const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
";

pub(super) fn etcd(place: &Place) -> Vec<String> {
    let clients = format!("http://{}:2379", place.address);
    let peers = format!("http://{}:2380", place.address);
    vec![
        format!("--data-dir={}", place.folder.join("etcd").display()),
        format!("--listen-client-urls={clients}"),
        format!("--advertise-client-urls={clients}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
        // Nothing here outlives the machine, and fsync is most of what a small cluster waits for.
        "--unsafe-no-fsync".into(),
        "--log-level=warn".into(),
    ]
}

pub(super) fn apiserver(place: &Place) -> Vec<String> {
    let pki = |file: &str| place.pki(file);
    let (services, bits) = place.services;
    let mut flags = vec![
        format!("--etcd-servers=http://{}:2379", place.address),
        format!("--bind-address={}", place.address),
        format!("--advertise-address={}", place.address),
        format!("--secure-port={API_PORT}"),
        format!("--service-cluster-ip-range={services}/{bits}"),
        format!("--client-ca-file={}", pki("ca.crt")),
        format!("--tls-cert-file={}", pki("apiserver.crt")),
        format!("--tls-private-key-file={}", pki("apiserver.key")),
        format!("--service-account-key-file={}", pki("service-accounts.pub")),
        format!("--service-account-signing-key-file={}", pki("service-accounts.key")),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        "--authorization-mode=Node,RBAC".into(),
        format!("--enable-admission-plugins={}", admission(place)),
        format!("--kubelet-client-certificate={}", pki("kubelet-client.crt")),
        format!("--kubelet-client-key={}", pki("kubelet-client.key")),
        "--kubelet-preferred-address-types=InternalIP".into(),
        format!("--requestheader-client-ca-file={}", pki("ca.crt")),
        "--requestheader-allowed-names=front-proxy".into(),
        "--requestheader-username-headers=X-Remote-User".into(),
        "--requestheader-group-headers=X-Remote-Group".into(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".into(),
        format!("--proxy-client-cert-file={}", pki("front-proxy.crt")),
        format!("--proxy-client-key-file={}", pki("front-proxy.key")),
        // The aggregated metrics API is reached at its pods: not every control plane has Service routing.
        "--enable-aggregator-routing".into(),
        "--allow-privileged".into(),
        // A shutdown here is a teardown; nobody is served meanwhile.
        "--shutdown-delay-duration=0s".into(),
    ];
    if place.address.is_loopback() {
        // The default reconciler refuses a loopback address as the endpoint of the `kubernetes` Service.
        flags.push("--endpoint-reconciler-type=none".into());
    }
    if place.audit {
        flags.push(format!("--audit-policy-file={}", place.folder.join("audit-policy.yaml").display()));
        flags.push(format!("--audit-log-path={}", place.audit_log().display()));
        // Bounded: a long test program must not fill the disk.
        flags.push("--audit-log-maxsize=200".into());
        flags.push("--audit-log-maxbackup=1".into());
        // Written before the answer, so that a test that has seen an answer finds it in the log.
        flags.push("--audit-log-mode=blocking".into());
    }
    flags
}

/// Where rights are audited, as strict as the strictest clusters: owners that block a deletion need a right of their own
/// there. Not on whole clusters: that plugin learns of a new kind up to 30 s late, and refuses its children until then.
fn admission(place: &Place) -> &'static str {
    if place.audit { "NodeRestriction,OwnerReferencesPermissionEnforcement" } else { "NodeRestriction" }
}

pub(super) fn controller_manager(place: &Place) -> Vec<String> {
    let pki = |file: &str| place.pki(file);
    vec![
        format!("--kubeconfig={}", pki("kube-controller-manager.kubeconfig")),
        format!("--service-account-private-key-file={}", pki("service-accounts.key")),
        format!("--root-ca-file={}", pki("ca.crt")),
        format!("--cluster-signing-cert-file={}", pki("ca.crt")),
        format!("--cluster-signing-key-file={}", pki("ca.key")),
        "--use-service-account-credentials".into(),
        "--leader-elect=false".into(),
        // Node addresses are given out by the nodes' own network plugin.
        "--controllers=*,-node-ipam-controller".into(),
        "--secure-port=0".into(),
        // Tests look at scaling and at lost nodes: the sync every 5 s and the grace of 20 s keep them short,
        // and are long beside the metrics' 10 s and the kubelets' heartbeat of 4 s.
        "--horizontal-pod-autoscaler-sync-period=5s".into(),
        "--horizontal-pod-autoscaler-cpu-initialization-period=10s".into(),
        "--horizontal-pod-autoscaler-initial-readiness-delay=5s".into(),
        "--node-monitor-grace-period=20s".into(),
    ]
}

pub(super) fn scheduler(place: &Place) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", place.pki("kube-scheduler.kubeconfig")),
        "--leader-elect=false".into(),
        "--secure-port=0".into(),
    ]
}
