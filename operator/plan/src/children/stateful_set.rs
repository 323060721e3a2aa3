//! The StatefulSet: as many nodes as the tenant should have, under stable names.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use kvtenant_api::names::ANNOTATION_PINNED_IMAGE;

use super::labels::{object_meta, selector};
use super::{headless_service, pod_template};
use crate::image::ImageRef;
use crate::validate::ValidTenant;

/// Old revisions kept for `kubectl rollout history`; each is an object in etcd, and undo is the earlier manifest.
const REVISIONS_KEPT: i32 = 3;

pub(super) fn build(tenant: &ValidTenant, image: &ImageRef, pinned: &ImageRef) -> StatefulSet {
    StatefulSet {
        metadata: ObjectMeta {
            // On the set and not on its pods: a pin that moves must not replace a pod.
            annotations: Some(BTreeMap::from([(ANNOTATION_PINNED_IMAGE.to_owned(), pinned.to_string())])),
            ..object_meta(tenant, tenant.name.to_string())
        },
        spec: Some(StatefulSetSpec {
            service_name: Some(headless_service::name(tenant)),
            replicas: Some(tenant.nodes),
            selector: LabelSelector { match_labels: Some(selector(tenant.name.as_str())), ..LabelSelector::default() },
            // Nodes do not wait for each other's readiness: one that cannot start must not hold up the rest.
            pod_management_policy: Some("Parallel".to_owned()),
            // With one node a roll is a replacement; there is nobody to hand data to, and so no order to keep.
            update_strategy: Some(StatefulSetUpdateStrategy {
                type_: Some("RollingUpdate".to_owned()),
                ..StatefulSetUpdateStrategy::default()
            }),
            revision_history_limit: Some(REVISIONS_KEPT),
            template: pod_template::build(tenant, image),
            ..StatefulSetSpec::default()
        }),
        ..StatefulSet::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture;

    /// K13, F24. The template is compared in its own file.
    #[test]
    fn the_set_is_parallel_with_stable_names_and_remembers_the_pinned_image() {
        let (tenant, image) = (fixture::tenant(), fixture::image());
        let mut metadata = fixture::metadata("analytics");
        metadata["annotations"] = json!({"kvtenant.io/pinned-image": "docker.io/kvtenant/kvnode:0.1.0"});
        assert_eq!(
            serde_json::to_value(super::build(&tenant, &image, &image)).expect("JSON"),
            json!({
                "apiVersion": "apps/v1",
                "kind": "StatefulSet",
                "metadata": metadata,
                "spec": {
                    "podManagementPolicy": "Parallel",
                    "replicas": 1,
                    "revisionHistoryLimit": 3,
                    "selector": {"matchLabels": fixture::selector()},
                    "serviceName": "analytics-headless",
                    "template": super::pod_template::build(&tenant, &image),
                    "updateStrategy": {"type": "RollingUpdate"},
                },
            })
        );
    }

    /// A suspended tenant keeps its set and everything around it; only the pods go.
    #[test]
    fn a_suspended_tenant_has_a_set_without_pods() {
        let tenant = fixture::tenant_with(|tenant| tenant.spec.suspend = true);
        let set = super::build(&tenant, &fixture::image(), &fixture::image());
        assert_eq!(set.spec.and_then(|spec| spec.replicas), Some(0));
    }

    /// A pin that moves alone (the user chose the image himself) must not replace a pod.
    #[test]
    fn the_pin_is_no_part_of_the_template() {
        let (tenant, image) = (fixture::tenant(), fixture::image());
        let other = "docker.io/kvtenant/kvnode:9".parse().expect("an image");
        let template = |pinned| super::build(&tenant, &image, pinned).spec.map(|spec| spec.template);
        assert_eq!(template(&image), template(&other));
    }
}
