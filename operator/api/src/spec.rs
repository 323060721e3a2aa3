//! What a user may ask for. Field comments are what `kubectl explain` shows; the rules and
//! their sentences stand in `rules.rs`.
#![expect(unreachable_pub, reason = "KubeSchema copies each struct, with its `pub`, into a function body")]

use k8s_openapi::api::core::v1::LocalObjectReference;
use kube_derive::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules;
use crate::status::KVTenantStatus;
use crate::words::words;

/// What one tenant should be. Nothing is required: `spec: {}` gives one node with 512Mi.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "kvtenant.io",
    version = "v1alpha1",
    kind = "KVTenant",
    plural = "kvtenants",
    singular = "kvtenant",
    shortname = "kvt",
    namespaced,
    status = "KVTenantStatus",
    derive = "PartialEq",
    crates(kube_core = "::kube_core"),
    doc = "A key-value store of its own for one tenant: its own pods, Services, credentials and limits.",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    )
)]
#[x_kube(crates(kube_core = "::kube_core"))]
#[serde(rename_all = "camelCase")]
pub struct KVTenantSpec {
    /// The tenant's name in URLs: its keys live under `/<tenant>/kv`. Left empty it is `metadata.name`. It cannot
    /// change later, because clients and stored links carry it. Not allowed are the paths every node serves by
    /// itself: kv, health, livez, readyz, peers, metrics, docs, redoc, diag, admin, internal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 40))]
    #[x_kube(validation = rules::TENANT_IS_LABEL)]
    pub tenant: String,

    /// How many nodes the tenant has. One node per tenant until clustering is there; to stop a tenant use `suspend`.
    #[serde(default = "default_replicas")]
    #[x_kube(validation = rules::REPLICAS_AT_LEAST_ONE)]
    #[x_kube(validation = rules::REPLICAS_AT_MOST_ONE)]
    pub replicas: i32,

    /// Memory of each node, from 64Mi to 1Ti, for example 512Mi or 4Gi. It is request and limit of the pod; CPU
    /// follows it (half a core per Gi), and 80 % of it may be filled with data. `status.derived` shows the figures.
    /// A change replaces the node, and what it holds in memory is gone.
    #[serde(default = "default_memory")]
    #[schemars(length(min = 1, max = 32))]
    #[x_kube(validation = rules::MEMORY_IS_WHOLE)]
    #[x_kube(validation = rules::MEMORY_AT_LEAST)]
    #[x_kube(validation = rules::MEMORY_AT_MOST)]
    pub memory: String,

    /// Which kvnode image the nodes run. Left empty: the image the operator had when the tenant was made; it then
    /// stays until a tag is set here, or the annotation kvtenant.io/upgrade is set to follow the operator's image.
    #[serde(default)]
    pub image: ImageSpec,

    /// Stop the tenant: no pods, while the Services, the configuration and the API key stay. A node keeps its data in
    /// memory only, so everything stored in the tenant is gone when it is suspended.
    #[serde(default)]
    pub suspend: bool,
}

/// Where the nodes' image comes from.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[x_kube(crates(kube_core = "::kube_core"))]
#[serde(rename_all = "camelCase")]
pub struct ImageSpec {
    /// Registry and name without tag, for example `registry.example.com/kvtenant/kvnode`. Left empty: the operator's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 255))]
    #[x_kube(validation = rules::REPOSITORY_HAS_NO_TAG)]
    pub repository: String,

    /// Tag of the image. Left empty: the operator's at the time the tenant was made.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 128))]
    #[x_kube(validation = rules::TAG_IS_A_TAG)]
    pub tag: String,

    /// When the kubelet asks the registry: `IfNotPresent`, `Always` or `Never`.
    #[serde(default)]
    pub pull_policy: PullPolicy,

    /// Secrets of the same namespace with which the image is pulled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub pull_secrets: Vec<PullSecret>,
}

impl Default for ImageSpec {
    fn default() -> Self {
        Self {
            repository: String::new(),
            tag: String::new(),
            pull_policy: PullPolicy::IfNotPresent,
            pull_secrets: Vec::new(),
        }
    }
}

/// A Secret of type kubernetes.io/dockerconfigjson.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PullSecret {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

impl From<&PullSecret> for LocalObjectReference {
    fn from(secret: &PullSecret) -> Self {
        Self { name: secret.name.clone() }
    }
}

words! {
    /// When the kubelet asks the registry for the image.
    pub enum PullPolicy {
        /// Only when the node of the cluster does not have it.
        IfNotPresent,
        /// Before every start of a container.
        Always,
        /// Never: somebody else brings the image to the nodes.
        Never,
    }
}

#[expect(clippy::derivable_impls, reason = "the enum is declared by a macro that has no place for #[default]")]
impl Default for PullPolicy {
    fn default() -> Self {
        Self::IfNotPresent
    }
}

impl Default for KVTenantSpec {
    fn default() -> Self {
        Self {
            tenant: String::new(),
            replicas: default_replicas(),
            memory: default_memory(),
            image: ImageSpec::default(),
            suspend: false,
        }
    }
}

fn default_replicas() -> i32 {
    1
}

fn default_memory() -> String {
    "512Mi".to_owned()
}
