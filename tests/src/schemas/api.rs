//! The built-in kinds, from the description of the API that comes with Kubernetes. Where that description says less
//! than the API server demands, or other than what it takes, the few types concerned are given by hand here.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::set::{Kind, Set, reference};
use super::strict::{Origin, strict};

pub(super) const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
const TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Time";
const JSON_SCHEMA: &str = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";

pub(super) fn add(description: &Value, set: &mut Set) -> Result<()> {
    let definitions = description["definitions"].as_object().context("the description of the API defines nothing")?;
    let by_hand = by_hand();
    // Were such a type renamed, its rule would be lost without a word.
    if let Some((name, _)) = by_hand.iter().find(|(name, _)| !definitions.contains_key(name)) {
        bail!("the description of the API no longer defines {name}: see which type took its place");
    }
    for (name, schema) in definitions {
        let better = by_hand.iter().find(|(known, _)| known == name).map(|(_, better)| better.clone());
        set.define(name, better.unwrap_or_else(|| strict(schema, Origin::BuiltIn)))?;
        // Types with many kinds (DeleteOptions, WatchEvent) are parts of requests, not manifests.
        if let Some([kind]) = schema["x-kubernetes-group-version-kind"].as_array().map(Vec::as_slice) {
            let part = |part: &str| kind[part].as_str().with_context(|| format!("{name} has a kind without {part}"));
            set.add(&Kind { group: part("group")?, version: part("version")?, name: part("kind")? }, name)?;
        }
    }
    Ok(())
}

/// Types of which the description tells only how they are printed, or nothing.
fn by_hand() -> Vec<(String, Value)> {
    let schema = json!({"$ref": reference(JSON_SCHEMA)});
    let or = |other: Value| json!({"anyOf": [schema, other]});
    let given = [
        (QUANTITY.to_owned(), quantity()),
        (INT_OR_STRING.to_owned(), json!({"type": ["integer", "string"]})),
        // Programs that print objects from Go leave `creationTimestamp: null` in them, and the API server takes it.
        (TIME.to_owned(), json!({"type": ["string", "null"], "format": "date-time"})),
        (format!("{JSON_SCHEMA}OrBool"), or(json!({"type": "boolean"}))),
        (format!("{JSON_SCHEMA}OrArray"), or(json!({"type": "array", "items": schema}))),
        (format!("{JSON_SCHEMA}OrStringArray"), or(json!({"type": "array", "items": {"type": "string"}}))),
    ];
    given.into()
}

/// A number, or one with a unit: `512Mi` is one and `512MB` is not.
fn quantity() -> Value {
    json!({
        "type": ["number", "string"],
        "pattern": r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_that_is_gone_is_told() {
        let error = add(&json!({"definitions": {}}), &mut Set::default()).unwrap_err().to_string();
        assert!(error.contains(QUANTITY), "{error}");
    }
}
