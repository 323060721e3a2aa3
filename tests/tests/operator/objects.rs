//! Objects as people write them, and the list of a tenant's children in the words of its users: the operator's own
//! crates are not asked, so that a name that changes by mistake is noticed here.

use serde_json::{Value, json};

/// Kind and name of every object that a tenant is made of.
pub(crate) fn children(tenant: &str) -> [(&'static str, String); 6] {
    [
        ("ServiceAccount", tenant.to_owned()),
        ("Secret", format!("{tenant}-api-key")),
        ("ConfigMap", tenant.to_owned()),
        ("Service", tenant.to_owned()),
        ("Service", format!("{tenant}-headless")),
        ("StatefulSet", tenant.to_owned()),
    ]
}

/// The smallest object of a kind that the API server accepts, with nothing of ours on it.
pub(crate) fn plain(kind: &str, name: &str) -> Value {
    let mut object = json!({"kind": kind, "metadata": {"name": name}});
    object["apiVersion"] = (if kind == "StatefulSet" { "apps/v1" } else { "v1" }).into();
    match kind {
        "Service" => object["spec"] = json!({"ports": [{"port": 1}]}),
        "StatefulSet" => {
            object["spec"] = json!({
                "replicas": 0,
                "serviceName": name,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{"name": "main", "image": "localhost/none:1"}]},
                },
            });
        }
        _ => {}
    }
    object
}

/// An object that carries all that is the operator's, under a name that no child has.
pub(crate) fn left_behind(kind: &str, tenant: &Value) -> Value {
    let (name, uid) = (&tenant["metadata"]["name"], &tenant["metadata"]["uid"]);
    let mut object = plain(kind, &format!("{}-left-behind", name.as_str().expect("a name")));
    object["metadata"]["labels"] =
        json!({"app.kubernetes.io/managed-by": "kvtenant-operator", "app.kubernetes.io/instance": name});
    object["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "kvtenant.io/v1alpha1", "kind": "KVTenant", "name": name, "uid": uid, "controller": true,
    }]);
    object
}
