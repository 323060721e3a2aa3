//! Which programs there are, and the recipe that each family is built by.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::digest::Digest;
use crate::home;

/// Programs that are built together from one Go module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// etcd and all of Kubernetes' own programs.
    Kubernetes,
    CoreDns,
    MetricsServer,
    LocalPathProvisioner,
    /// Holds the namespaces of a pod.
    Pause,
    /// Finds out what a pod can do on its network.
    Probe,
    /// Checks and renders charts.
    Helm,
    /// Checks manifests against schemas.
    Kubeconform,
}

/// How to build a family, and a word that changes when anything in it does.
#[derive(Debug)]
pub(super) struct Recipe {
    pub(super) module: PathBuf,
    pub(super) flags: String,
    pub(super) digest: String,
}

impl Family {
    pub const ALL: [Self; 8] = [
        Self::Kubernetes,
        Self::CoreDns,
        Self::MetricsServer,
        Self::LocalPathProvisioner,
        Self::Pause,
        Self::Probe,
        Self::Helm,
        Self::Kubeconform,
    ];

    /// What a whole cluster needs.
    pub const OF_A_CLUSTER: [Self; 6] =
        [Self::Kubernetes, Self::CoreDns, Self::MetricsServer, Self::LocalPathProvisioner, Self::Pause, Self::Probe];

    /// The folder of its Go module under `tests/programs/`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::CoreDns => "coredns",
            Self::MetricsServer => "metrics-server",
            Self::LocalPathProvisioner => "local-path-provisioner",
            Self::Pause => "pause",
            Self::Probe => "probe",
            Self::Helm => "helm",
            Self::Kubeconform => "kubeconform",
        }
    }

    /// Each program and the package that it is built from.
    pub(super) fn packages(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Kubernetes => &[
                ("etcd", "go.etcd.io/etcd/server/v3"),
                ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
                ("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager"),
                ("kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy"),
                ("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler"),
                ("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
                ("kubelet", "k8s.io/kubernetes/cmd/kubelet"),
            ],
            Self::CoreDns => &[("coredns", "github.com/coredns/coredns")],
            Self::MetricsServer => &[("metrics-server", "sigs.k8s.io/metrics-server/cmd/metrics-server")],
            Self::LocalPathProvisioner => &[("local-path-provisioner", "github.com/rancher/local-path-provisioner")],
            Self::Pause => &[("pause", ".")],
            Self::Probe => &[("probe", ".")],
            Self::Helm => &[("helm", "helm.sh/helm/v3/cmd/helm")],
            Self::Kubeconform => &[("kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform")],
        }
    }

    pub fn programs(self) -> Vec<&'static str> {
        self.packages().iter().map(|(program, _)| *program).collect()
    }

    pub(super) fn recipe(self) -> Result<Recipe> {
        let module = home::source().join("programs").join(self.name());
        let read = |file: &str| {
            fs::read_to_string(module.join(file)).with_context(|| format!("cannot read {file} of {}", self.name()))
        };
        let manifest = read("go.mod")?;
        let flags = self.linker_flags(&manifest)?;
        let mut digest = Digest::default();
        digest.add(&manifest);
        digest.add(&flags);
        for file in ["go.sum", "main.go"] {
            digest.add(read(file).unwrap_or_default());
        }
        Ok(Recipe { module, flags, digest: digest.word() })
    }

    /// Without its version linked in, an API server calls itself v0.0.0 and clients refuse features.
    fn linker_flags(self, manifest: &str) -> Result<String> {
        let strip = "-s -w".to_owned();
        if self != Self::Kubernetes {
            return Ok(strip);
        }
        let version = version_of(manifest, "k8s.io/kubernetes").context("go.mod names no k8s.io/kubernetes")?;
        let minor = version.split('.').nth(1).context("a version has a minor part")?;
        let fields = [("gitVersion", version), ("gitMajor", "1"), ("gitMinor", minor), ("gitTreeState", "clean")];
        let packages = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"];
        let set =
            packages.iter().flat_map(|package| fields.map(|(field, value)| format!("-X {package}.{field}={value}")));
        Ok(std::iter::once(strip).chain(set).collect::<Vec<_>>().join(" "))
    }
}

/// The version that a go.mod requires of a module.
fn version_of<'a>(manifest: &'a str, module: &str) -> Option<&'a str> {
    manifest.lines().find_map(|line| {
        let mut words = line.trim().trim_start_matches("require ").split_whitespace();
        (words.next()? == module).then(|| words.next()).flatten().filter(|word| word.starts_with('v'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_has_a_go_module_and_a_recipe() {
        for family in Family::ALL {
            let recipe = family.recipe().unwrap();
            assert_eq!(recipe.digest.len(), 12, "{family:?}");
        }
    }

    #[test]
    fn the_version_is_the_required_one_not_the_replaced_one() {
        let manifest = "require (\n\tk8s.io/kubernetes v1.36.3 // indirect\n)\nreplace k8s.io/kubernetes => x v9.9.9\n";
        assert_eq!(version_of(manifest, "k8s.io/kubernetes"), Some("v1.36.3"));
    }
}
