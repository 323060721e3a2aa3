//! What the operator reports back. Every figure here was seen on an object, or derived from the spec; nothing in it
//! is ever read as a wish, with one exception that is named: the pinned image.
#![expect(unreachable_pub, reason = "KubeSchema copies each struct, with its `pub`, into a function body")]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube_derive::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::words::words;

/// Where the tenant stands.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[x_kube(crates(kube_core = "::kube_core"))]
#[serde(rename_all = "camelCase")]
pub struct KVTenantStatus {
    /// The generation of the spec this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Nodes there are (the scale subresource reads it).
    #[serde(default)]
    pub replicas: i32,

    /// Nodes that answer their readiness probe.
    #[serde(default)]
    pub ready_replicas: i32,

    /// Label selector of the node pods (the scale subresource reads it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,

    /// Where clients inside the cluster connect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,

    /// True once all nodes were ready for the first time. From then on a missing node is a loss, not a beginning.
    #[serde(default)]
    pub formed: bool,

    /// What the spec came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<Derived>,

    /// Ready, Progressing, Degraded, Reconciling, Stalled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,

    /// The columns of `kubectl get`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
}

/// One aspect of where the tenant stands, in the form `kubectl wait --for=condition=…` understands.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What it is about: Ready, Progressing, Degraded, Reconciling or Stalled.
    // Text and not the enum: an older operator must be able to read the words of a newer one.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 316))]
    pub type_: String,
    /// Whether it is so: True, False or Unknown.
    #[schemars(length(min = 1, max = 7))]
    pub status: String,
    /// Why, in one word that does not change between versions.
    #[schemars(length(min = 1, max = 128))]
    pub reason: String,
    /// Why, in a sentence for people.
    #[schemars(length(max = 4096))]
    pub message: String,
    /// When `status` last changed.
    pub last_transition_time: Time,
    /// The generation of the spec this condition speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// The figures that follow from the spec.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Derived {
    /// The tenant's name in URLs.
    pub tenant: String,
    /// The image the nodes run.
    pub image: String,
    /// The operator's image at creation. It fills what `spec.image` leaves empty, so that a new operator version does
    /// not roll the pods of existing tenants.
    pub pinned_image: String,
    /// CPU request of each node.
    pub cpu_request: String,
    /// CPU limit of each node.
    pub cpu_limit: String,
    /// Memory request and limit of each node.
    pub memory: String,
    /// How much of the memory may be filled with data, in bytes.
    pub data_limit: i64,
}

/// One row of `kubectl get kvtenants`.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Ready nodes of wanted nodes, for example `1/1`.
    pub ready: String,
    /// Where the tenant stands, in one word.
    pub phase: Phase,
    /// Memory of each node.
    pub memory: String,
}

words! {
    /// Where a tenant stands, in one word.
    pub enum Phase {
        /// Nothing runs yet.
        Pending,
        /// The first nodes are starting.
        Forming,
        /// All nodes serve.
        Ready,
        /// A change is on its way to the nodes.
        Progressing,
        /// A node cannot run, or was lost.
        Degraded,
        /// Stopped by `spec.suspend`.
        Suspended,
        /// A person has to change something first; the Stalled condition says what.
        Stalled,
        /// On its way out.
        Deleting,
    }
}
