//! The tenant all whole-object tests build from, and what every child of it carries.

use kvtenant_api::{KVTenant, KVTenantSpec};
use serde_json::{Value, json};

use crate::image::ImageRef;
use crate::validate::{ValidTenant, validate};

/// The four-line KVTenant `analytics` in namespace `shop`, changed by `change`.
pub(crate) fn tenant_with(change: impl FnOnce(&mut KVTenant)) -> ValidTenant {
    let mut tenant = KVTenant::new("analytics", KVTenantSpec::default());
    tenant.metadata.namespace = Some("shop".to_owned());
    tenant.metadata.uid = Some("uid-1".to_owned());
    change(&mut tenant);
    validate(&tenant).expect("the fixture is valid")
}

pub(crate) fn tenant() -> ValidTenant {
    tenant_with(|_| {})
}

pub(crate) fn image() -> ImageRef {
    "docker.io/kvtenant/kvnode:0.1.0".parse().expect("an image")
}

pub(crate) fn labels() -> Value {
    json!({
        "app.kubernetes.io/component": "node",
        "app.kubernetes.io/instance": "analytics",
        "app.kubernetes.io/managed-by": "kvtenant-operator",
        "app.kubernetes.io/name": "kvnode",
        "app.kubernetes.io/part-of": "kvtenant",
        "kvtenant.io/tenant": "analytics",
    })
}

pub(crate) fn selector() -> Value {
    json!({
        "app.kubernetes.io/component": "node",
        "app.kubernetes.io/instance": "analytics",
        "app.kubernetes.io/name": "kvnode",
    })
}

pub(crate) fn metadata(name: &str) -> Value {
    json!({
        "labels": labels(),
        "name": name,
        "namespace": "shop",
        "ownerReferences": [{
            "apiVersion": "kvtenant.io/v1alpha1",
            "blockOwnerDeletion": true,
            "controller": true,
            "kind": "KVTenant",
            "name": "analytics",
            "uid": "uid-1",
        }],
    })
}
