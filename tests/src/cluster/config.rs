//! The configuration files of a node's programs, and why each unusual line is there.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;

use super::network::POD_BRIDGE;
use super::state::{State, node_name};
use super::{cgroup, images};
use crate::home;

/// Writes all of them into the node's folder.
pub(super) fn write_node(state: &State, number: usize, folder: &Path) -> Result<()> {
    home::write(folder.join("cni/10-flat.conflist"), network_plugins(state, number).to_string())?;
    home::write(folder.join("containerd.toml"), containerd(folder))?;
    home::write(folder.join("resolv.conf"), "")?;
    home::write(folder.join("kubelet.yaml"), kubelet(state, number, folder).to_string())?;
    write_proxy(state, &node_name(number), &folder.join("kube-proxy.yaml"))
}

/// kube-proxy, for a node or for the control plane's own namespace.
pub(super) fn write_proxy(state: &State, as_node: &str, path: &Path) -> Result<()> {
    let config = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "hostnameOverride": as_node,
        "clusterCIDR": state.range.flat(),
        "clientConnection": {"kubeconfig": kubeconfig(state, "kube-proxy")?},
        // The host's connection table is not ours to resize.
        "conntrack": {"maxPerCore": 0, "min": 0},
    });
    home::write(path, config.to_string())
}

pub(super) fn kubeconfig(state: &State, who: &str) -> Result<PathBuf> {
    Ok(state.folder()?.join("pki").join(format!("{who}.kubeconfig")))
}

/// Pods are plugged into the node's switch, whose cable leads to all other nodes. Their way out is their own node, so
/// that its kube-proxy sees what they send to a Service.
fn network_plugins(state: &State, number: usize) -> serde_json::Value {
    let (first, last) = state.range.pods(number);
    json!({
        "cniVersion": "1.0.0",
        "name": "flat",
        "plugins": [{
            "type": "bridge",
            "bridge": POD_BRIDGE,
            "isGateway": false,
            "hairpinMode": true,
            "ipam": {
                "type": "host-local",
                "ranges": [[{
                    "subnet": state.range.flat(),
                    "rangeStart": first,
                    "rangeEnd": last,
                    "gateway": state.range.node(number),
                }]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }],
    })
}

fn containerd(folder: &Path) -> String {
    format!(
        r#"version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # Without CAP_SYS_RESOURCE a score cannot be lowered, and a sandbox that tries does not start.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{cni}"
"#,
        pause = images::PAUSE,
        cni = folder.join("cni").display(),
    )
}

fn kubelet(state: &State, number: usize, folder: &Path) -> serde_json::Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        // A host with the first version of cgroups is still a host.
        "failCgroupV1": false,
        "failSwapOn": false,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{}", cgroup::name(&state.name, Some(&node_name(number)))),
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": state.folder().map(|at| at.join("pki/ca.crt")).unwrap_or_default()},
        },
        "authorization": {"mode": "Webhook"},
        "clusterDNS": [state.range.dns()],
        "clusterDomain": "cluster.local",
        // The host's name servers cannot be reached from inside.
        "resolvConf": folder.join("resolv.conf"),
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        "nodeStatusUpdateFrequency": "4s",
        // All images are loaded by hand: one thrown away to make room could not be pulled again, and a pod evicted
        // because the host's disk is full would say nothing about the cluster.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {},
        // A second probe, log line or metric a little earlier is worth more here than a quiet API server.
        "serializeImagePulls": false,
    })
}
