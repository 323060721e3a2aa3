//! What every child carries: labels by which people and the operator find it, and the owner reference by which the
//! garbage collector removes it with its KVTenant.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube_core::Resource;
use kvtenant_api::KVTenant;
use kvtenant_api::names::{
    LABEL_COMPONENT, LABEL_INSTANCE, LABEL_MANAGED_BY, LABEL_NAME, LABEL_PART_OF, LABEL_TENANT, OPERATOR,
};

use crate::validate::ValidTenant;

/// The part of a tenant that holds data.
const COMPONENT: &str = "node";
const PROGRAM: &str = "kvnode";

/// The labels that pick a tenant's data pods. They can never change: a StatefulSet's selector is fixed at creation.
pub fn selector(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from(
        [(LABEL_NAME, PROGRAM), (LABEL_INSTANCE, name), (LABEL_COMPONENT, COMPONENT)]
            .map(|(label, value)| (label.to_owned(), value.to_owned())),
    )
}

/// The same as text, for `status.selector`.
pub fn selector_text(name: &str) -> String {
    selector(name).iter().map(|(label, value)| format!("{label}={value}")).collect::<Vec<_>>().join(",")
}

/// All labels of a child.
pub(super) fn labels(tenant: &ValidTenant) -> BTreeMap<String, String> {
    let mut labels = selector(tenant.name.as_str());
    for (label, value) in
        [(LABEL_MANAGED_BY, OPERATOR), (LABEL_PART_OF, "kvtenant"), (LABEL_TENANT, tenant.tenant.as_str())]
    {
        labels.insert(label.to_owned(), value.to_owned());
    }
    labels
}

/// Metadata of the child `name`.
pub(super) fn object_meta(tenant: &ValidTenant, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(tenant.namespace.clone()),
        labels: Some(labels(tenant)),
        owner_references: Some(vec![OwnerReference {
            api_version: KVTenant::api_version(&()).into_owned(),
            kind: KVTenant::kind(&()).into_owned(),
            name: tenant.name.to_string(),
            uid: tenant.uid.clone(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        }]),
        ..ObjectMeta::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The scale subresource and every HPA read this text.
    #[test]
    fn the_selector_is_text_that_kubectl_understands() {
        assert_eq!(
            selector_text("analytics"),
            "app.kubernetes.io/component=node,app.kubernetes.io/instance=analytics,app.kubernetes.io/name=kvnode"
        );
    }
}
