//! The rules in the definition, judged by a CEL evaluator outside an API server. What only the API server can say
//! (defaults, cost limits, `kubectl scale`) is proven by the cluster tests.

use kube_core::cel::Validator;
use serde_json::{Value, json};

fn schema() -> Value {
    let mut crd = kvtenant_api::crd();
    let version = crd.spec.versions.remove(0);
    let schema = version.schema.and_then(|validation| validation.open_api_v3_schema).expect("a schema");
    serde_json::to_value(schema).expect("a schema is JSON")
}

/// A stored object: `spec` as written, with the defaults the API server would have put in.
fn tenant(name: &str, spec: &Value) -> Value {
    let mut full = json!({"replicas": 1, "memory": "512Mi", "image": {"pullPolicy": "IfNotPresent"}, "suspend": false});
    for (field, value) in spec.as_object().expect("a spec is an object") {
        full[field] = value.clone();
    }
    json!({"apiVersion": "kvtenant.io/v1alpha1", "kind": "KVTenant", "metadata": {"name": name}, "spec": full})
}

/// The sentences with which `new` is refused.
fn refusals(new: &Value, old: Option<&Value>) -> Vec<String> {
    match Validator::new().validate(&schema(), new, old) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.to_string()).collect(),
    }
}

fn accepted(name: &str, spec: &Value) {
    let sentences = refusals(&tenant(name, spec), None);
    assert!(sentences.is_empty(), "{name} {spec} should be accepted, but: {sentences:?}");
}

fn refused(name: &str, spec: &Value, why: &str) {
    let sentences = refusals(&tenant(name, spec), None);
    assert!(sentences.iter().any(|sentence| sentence.contains(why)), "{name} {spec}: {why:?} not in {sentences:?}");
}

/// K12: nothing but a name is required.
#[test]
fn an_empty_spec_is_enough() {
    accepted("analytics", &json!({}));
}

#[test]
fn a_name_is_a_dns_label_of_at_most_40_characters() {
    let longest = "a".repeat(40);
    accepted(&longest, &json!({}));
    accepted("a", &json!({"tenant": longest}));
    refused(&"a".repeat(41), &json!({}), "metadata.name must be at most 40 characters");
    for bad in ["1st", "-a", "a-", "a.b"] {
        refused(bad, &json!({}), "metadata.name must be made of");
    }
    for bad in ["Upper", "under_score", "a/b", "a-", "9", "ä"] {
        refused("ok", &json!({"tenant": bad}), "tenant must be made of");
    }
}

/// K36: a tenant named like a bare path would hide it.
#[test]
fn a_bare_path_is_no_tenant_name_however_it_is_given() {
    for path in kvtenant_api::names::BARE_PATHS {
        refused("ok", &json!({"tenant": path}), "must not be a path every node serves");
        refused(path, &json!({}), "must not be a path every node serves");
        accepted(path, &json!({"tenant": "something-else"}));
    }
    accepted("api", &json!({}));
}

/// K12: the tenant is part of stored links, so it stays. Writing the default down is no change.
#[test]
fn the_tenant_cannot_change() {
    let by_name = tenant("analytics", &json!({}));
    let explicit = tenant("analytics", &json!({"tenant": "analytics"}));
    let other = tenant("analytics", &json!({"tenant": "reports"}));
    assert!(refusals(&explicit, Some(&by_name)).is_empty());
    assert!(refusals(&by_name, Some(&explicit)).is_empty());
    for (new, old) in [(&other, &by_name), (&other, &explicit), (&by_name, &other)] {
        let sentences = refusals(new, Some(old));
        assert!(sentences.iter().any(|sentence| sentence.contains("tenant cannot change")), "{sentences:?}");
    }
}

/// F9: memory is the one number a user picks.
#[test]
fn memory_is_a_quantity_within_bounds() {
    for good in ["64Mi", "512Mi", "1Gi", "2Gi", "4Gi", "1.5Gi", "1Ti", "67108864", "1G", "1e9"] {
        accepted("ok", &json!({"memory": good}));
    }
    for bad in ["lots", "512MB", "1 Gi", "", "67108864500m"] {
        refused("ok", &json!({"memory": bad}), "memory must be a whole number of bytes");
    }
    for small in ["63Mi", "0", "-1Gi", "1k"] {
        refused("ok", &json!({"memory": small}), "memory must be at least 64Mi");
    }
    for large in ["1025Gi", "2Ti", "1Pi"] {
        refused("ok", &json!({"memory": large}), "memory must be at most 1Ti");
    }
}

#[test]
fn there_is_one_node_per_tenant_for_now_and_the_refusal_says_so() {
    accepted("ok", &json!({"replicas": 1}));
    refused("ok", &json!({"replicas": 0}), "suspend: true");
    refused("ok", &json!({"replicas": 2}), "until clustering is there");
}

/// F25, F26: repository and tag are apart, so that one can be set without the other.
#[test]
fn the_image_is_given_as_repository_and_tag() {
    for repository in ["", "kvnode", "kvtenant/kvnode", "localhost:5000/kvnode", "registry.example.com/a/b-c/kv_node"] {
        accepted("ok", &json!({"image": {"repository": repository}}));
    }
    for repository in ["kvnode:1.0", "UPPER", "a//b", "kv node", "a@sha256:00"] {
        refused("ok", &json!({"image": {"repository": repository}}), "image.repository must be");
    }
    for tag in ["", "0.1.0", "v1", "_x", "sha-0a1b"] {
        accepted("ok", &json!({"image": {"tag": tag}}));
    }
    for tag in [".a", "-a", "a b", "a/b", "a:b"] {
        refused("ok", &json!({"image": {"tag": tag}}), "image.tag must be");
    }
}

#[test]
fn every_field_is_explained() {
    fn walk(path: &str, schema: &Value, missing: &mut Vec<String>) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            if field["description"].as_str().is_none_or(str::is_empty) {
                missing.push(path.clone());
            }
            walk(&path, field, missing);
            walk(&format!("{path}[]"), &field["items"], missing);
        }
    }
    let mut missing = Vec::new();
    walk("", &schema(), &mut missing);
    assert!(missing.is_empty(), "no description: {missing:?}");
}
