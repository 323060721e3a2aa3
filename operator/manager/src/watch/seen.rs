//! Objects reduced to what decisions need.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::ResourceExt;
use kvtenant_api::names::{ANNOTATION_PINNED_IMAGE, LABEL_INSTANCE};
use kvtenant_plan::{PodSeen, StatefulSetSeen};

use super::cache::Entry;

/// A child as the watch shows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChildSeen {
    pub(crate) uid: String,
    pub(crate) version: Version,
    pub(crate) owners: Vec<OwnerReference>,
    pub(crate) going: bool,
    /// Only of a StatefulSet.
    pub(crate) set: Option<SetSeen>,
}

/// What else matters about a StatefulSet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SetSeen {
    pub(crate) figures: StatefulSetSeen,
    pub(crate) pinned_image: Option<String>,
}

/// Changes when somebody changed the parts of an object that can be ours, and not with its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version(String);

impl Version {
    /// Kinds with a generation count changes of their spec in it; labels, annotations and owners stand beside it. All
    /// other kinds have no status of their own that moves, so their resourceVersion serves.
    pub(crate) fn of(meta: &ObjectMeta) -> Self {
        let Some(generation) = meta.generation else {
            return Self(format!("r{}", meta.resource_version.as_deref().unwrap_or_default()));
        };
        let mut hasher = DefaultHasher::new();
        let plain = |map: &Option<BTreeMap<String, String>>| map.clone().unwrap_or_default();
        (plain(&meta.labels), plain(&meta.annotations)).hash(&mut hasher);
        for owner in meta.owner_references.iter().flatten() {
            (&owner.uid, owner.controller, owner.block_owner_deletion).hash(&mut hasher);
        }
        Self(format!("g{generation}-{:x}", hasher.finish()))
    }
}

impl ChildSeen {
    pub(crate) fn of(meta: &ObjectMeta) -> Self {
        Self {
            uid: meta.uid.clone().unwrap_or_default(),
            version: Version::of(meta),
            owners: meta.owner_references.clone().unwrap_or_default(),
            going: meta.deletion_timestamp.is_some(),
            set: None,
        }
    }

    pub(crate) fn of_set(set: &StatefulSet) -> Self {
        let pinned_image = set.annotations().get(ANNOTATION_PINNED_IMAGE).cloned();
        Self { set: Some(SetSeen { figures: StatefulSetSeen::from(set), pinned_image }), ..Self::of(&set.metadata) }
    }
}

fn entry<V>(meta: &ObjectMeta, value: V) -> Entry<V> {
    Entry {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
        tenant: meta.labels.as_ref().and_then(|labels| labels.get(LABEL_INSTANCE)).cloned(),
        value,
    }
}

pub(super) fn child(meta: &ObjectMeta) -> Entry<ChildSeen> {
    entry(meta, ChildSeen::of(meta))
}

pub(super) fn stateful_set(set: &StatefulSet) -> Entry<ChildSeen> {
    entry(&set.metadata, ChildSeen::of_set(set))
}

pub(super) fn pod(pod: &Pod) -> Entry<PodSeen> {
    entry(&pod.metadata, PodSeen::from(pod))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn version(meta: Value) -> Version {
        Version::of(&serde_json::from_value(meta).expect("metadata"))
    }

    /// The controller of a StatefulSet writes its status all the time; that is no drift.
    #[test]
    fn a_status_does_not_change_the_version_of_a_kind_with_generation() {
        let before = json!({"generation": 3, "resourceVersion": "10", "labels": {"a": "b"}});
        let status_written = json!({"generation": 3, "resourceVersion": "11", "labels": {"a": "b"}});
        assert_eq!(version(before), version(status_written));
    }

    /// G2: whatever of ours somebody changed has to be noticed.
    #[test]
    fn spec_labels_annotations_and_owners_change_the_version() {
        let base = json!({"generation": 3, "labels": {"a": "b"}});
        for drifted in [
            json!({"generation": 4, "labels": {"a": "b"}}),
            json!({"generation": 3, "labels": {"a": "c"}}),
            json!({"generation": 3, "labels": {"a": "b"}, "annotations": {"x": "y"}}),
            json!({"generation": 3, "labels": {"a": "b"}, "ownerReferences": [
                {"apiVersion": "v1", "kind": "K", "name": "n", "uid": "u", "controller": true}
            ]}),
        ] {
            assert_ne!(version(base.clone()), version(drifted.clone()), "{drifted}");
        }
        assert_ne!(version(json!({"resourceVersion": "10"})), version(json!({"resourceVersion": "11"})));
    }
}
