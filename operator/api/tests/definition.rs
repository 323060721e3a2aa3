//! What other programs read out of the definition: the scale subresource, the columns, the lists that
//! server-side apply merges by key.

use serde_json::{Value, json};

fn definition() -> Value {
    serde_json::to_value(kvtenant_api::crd()).expect("a definition is JSON")
}

/// K15: an autoscaler reads and writes a KVTenant through these paths.
#[test]
fn the_scale_subresource_points_at_replicas_and_selector() {
    assert_eq!(
        definition()["spec"]["versions"][0]["subresources"],
        json!({
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            }
        })
    );
}

/// K64: the columns people see, in this order; the last one only with `-o wide`.
#[test]
fn the_columns_are_ready_status_memory_age_and_wide_endpoint() {
    let definition = definition();
    let columns: Vec<(&str, i64)> = definition["spec"]["versions"][0]["additionalPrinterColumns"]
        .as_array()
        .expect("columns")
        .iter()
        .map(|column| (column["name"].as_str().expect("a name"), column["priority"].as_i64().unwrap_or(0)))
        .collect();
    assert_eq!(columns, [("Ready", 0), ("Status", 0), ("Memory", 0), ("Age", 0), ("Endpoint", 1)]);
}

#[test]
fn names_of_the_resource_are_as_documented() {
    let definition = definition();
    assert_eq!(definition["metadata"]["name"], "kvtenants.kvtenant.io");
    assert_eq!(definition["spec"]["scope"], "Namespaced");
    assert_eq!(
        definition["spec"]["names"],
        json!({"kind": "KVTenant", "plural": "kvtenants", "shortNames": ["kvt"], "singular": "kvtenant"})
    );
}

/// A list without a key is replaced whole by server-side apply: two writers of conditions would erase each other.
#[test]
fn lists_merge_by_key() {
    let definition = definition();
    let properties = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
    for (list, key) in [
        (&properties["status"]["properties"]["conditions"], "type"),
        (&properties["spec"]["properties"]["image"]["properties"]["pullSecrets"], "name"),
    ] {
        assert_eq!(list["x-kubernetes-list-type"], "map", "{list}");
        assert_eq!(list["x-kubernetes-list-map-keys"], json!([key]), "{list}");
    }
}

/// F24, F27, F28: what `spec: {}` comes to.
#[test]
fn defaults_stand_in_the_schema() {
    let definition = definition();
    let spec = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    assert_eq!(spec["replicas"]["default"], 1);
    assert_eq!(spec["memory"]["default"], "512Mi");
    assert_eq!(spec["suspend"]["default"], false);
    assert_eq!(spec["image"]["properties"]["pullPolicy"]["default"], "IfNotPresent");
    assert_eq!(spec["image"]["default"], json!({"pullPolicy": "IfNotPresent"}));
}
