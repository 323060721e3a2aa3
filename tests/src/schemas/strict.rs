//! From the API's way of writing schemas (with `x-kubernetes-…` marks) to plain JSON Schema, draft 4, in which
//! an unknown field is an error. It must keep every rule that plain JSON Schema can hold; CEL rules it cannot.

use serde_json::{Map, Value, json};

use super::api::OBJECT_META;
use super::set::reference;

/// An object whose fields are not named is opaque to the API server if it is built in, but empty in a definition of
/// our own: there, fields that are not named are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    BuiltIn,
    Custom,
}

/// Words about a schema that judge nothing. Left out, files are a tenth of the size.
const REMARKS: [&str; 5] = ["default", "description", "example", "externalDocs", "title"];

/// Rules that hold beside the others. Inside of them a definition may name single fields of an object, so there
/// nothing says which fields there are, and nothing may be closed.
const COMBINATIONS: [&str; 4] = ["allOf", "anyOf", "oneOf", "not"];

/// What base64 looks like to Go's decoder, which passes over line breaks.
const BASE64: &str = "^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$";

pub(super) fn strict(schema: &Value, origin: Origin) -> Value {
    let Value::Object(given) = schema else { return schema.clone() };
    let mut out = Map::new();
    for (keyword, value) in given {
        let value = match keyword.as_str() {
            word if REMARKS.contains(&word) || word.starts_with("x-kubernetes-") || word == "nullable" => continue,
            "properties" => each(value, |property| strict(property, origin)),
            "items" | "additionalProperties" => strict(value, origin),
            word if COMBINATIONS.contains(&word) => combination(value),
            _ => value.clone(),
        };
        out.insert(keyword.clone(), value);
    }
    if given.get("format").is_some_and(|format| format == "byte") {
        out.insert("pattern".to_owned(), BASE64.into());
    }
    if origin == Origin::Custom {
        return custom(given, out);
    }
    if out.contains_key("properties") {
        close(&mut out);
    }
    Value::Object(out)
}

/// The marks of a definition of our own, as the API server reads them.
fn custom(given: &Map<String, Value>, mut out: Map<String, Value>) -> Value {
    let marked = |mark: &str| given.get(mark) == Some(&Value::Bool(true));
    if marked("x-kubernetes-embedded-resource") {
        add_type_and_metadata(&mut out);
    }
    if marked("x-kubernetes-int-or-string") {
        // The type says it all; the usual `anyOf` beside it would only make errors harder to read.
        out.remove("anyOf");
        out.insert("type".to_owned(), json!(["integer", "string"]));
    }
    forget_required_with_default(given, &mut out);
    let object = out.contains_key("properties") || out.get("type").is_some_and(|kind| kind == "object");
    if object && !marked("x-kubernetes-preserve-unknown-fields") {
        close(&mut out);
    }
    if marked("nullable") { nullable(out) } else { Value::Object(out) }
}

/// What every object has, though definitions leave it out. A definition may restrict the name: that rule stays.
pub(super) fn add_type_and_metadata(schema: &mut Map<String, Value>) {
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    let Value::Object(properties) = properties else { return };
    for text in ["apiVersion", "kind"] {
        properties.entry(text).or_insert_with(|| json!({"type": "string"}));
    }
    let metadata = json!({"$ref": reference(OBJECT_META)});
    let metadata = match properties.remove("metadata") {
        Some(Value::Object(mut own)) => {
            own.remove("additionalProperties");
            json!({"allOf": [metadata, own]})
        }
        _ => metadata,
    };
    properties.insert("metadata".to_owned(), metadata);
}

/// The API server fills in defaults before it looks for what is missing.
fn forget_required_with_default(given: &Map<String, Value>, out: &mut Map<String, Value>) {
    let Some(Value::Array(required)) = out.get_mut("required") else { return };
    required.retain(|name| {
        let property = name.as_str().and_then(|name| given.get("properties")?.get(name));
        property.is_none_or(|property| property.get("default").is_none())
    });
    // Draft 4 knows no empty list here.
    if required.is_empty() {
        out.remove("required");
    }
}

/// Lets null be there. Of the rules beside the type, only an enumeration looks at a null.
fn nullable(mut schema: Map<String, Value>) -> Value {
    if COMBINATIONS.iter().any(|word| schema.contains_key(*word)) {
        return json!({"anyOf": [{"type": "null"}, schema]});
    }
    match schema.get_mut("type") {
        Some(Value::Array(types)) => types.push("null".into()),
        Some(one) => *one = json!([one.take(), "null"]),
        None => {}
    }
    Value::Object(schema)
}

fn close(schema: &mut Map<String, Value>) {
    schema.entry("additionalProperties").or_insert(Value::Bool(false));
}

/// Inside a combination only remarks go: what it says of fields it says of some, never of all.
fn combination(value: &Value) -> Value {
    match value {
        Value::Array(parts) => parts.iter().map(combination).collect(),
        Value::Object(part) => part
            .iter()
            .filter(|(word, _)| !REMARKS.contains(&word.as_str()) && !word.starts_with("x-kubernetes-"))
            .map(|(word, value)| {
                let value = match word.as_str() {
                    "properties" => each(value, combination),
                    "items" | "additionalProperties" => combination(value),
                    word if COMBINATIONS.contains(&word) => combination(value),
                    _ => value.clone(),
                };
                (word.clone(), value)
            })
            .collect(),
        other => other.clone(),
    }
}

/// Names of properties are the user's: one called `description` is no remark.
fn each(properties: &Value, change: impl Fn(&Value) -> Value) -> Value {
    match properties {
        Value::Object(properties) => {
            properties.iter().map(|(name, property)| (name.clone(), change(property))).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_with_named_fields_is_closed_and_a_map_is_not() {
        let given = json!({"type": "object", "description": "text", "properties": {
            "description": {"type": "string", "description": "text"},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "raw": {"type": "object"},
        }});
        let wanted = json!({"type": "object", "additionalProperties": false, "properties": {
            "description": {"type": "string"},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "raw": {"type": "object"},
        }});
        assert_eq!(strict(&given, Origin::BuiltIn), wanted);
        let mut wanted = wanted;
        wanted["properties"]["raw"] = json!({"type": "object", "additionalProperties": false});
        assert_eq!(strict(&given, Origin::Custom), wanted, "a definition of our own drops what it does not name");
    }

    #[test]
    fn marks_of_a_definition_become_rules() {
        let rule = |given: Value| strict(&given, Origin::Custom);
        assert_eq!(
            rule(json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]})),
            json!({"type": ["integer", "string"]})
        );
        assert_eq!(
            rule(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {}})),
            json!({"type": "object", "properties": {}})
        );
        assert_eq!(rule(json!({"type": "string", "nullable": true})), json!({"type": ["string", "null"]}));
        assert_eq!(
            rule(json!({"type": "string", "nullable": true, "not": {"pattern": "^x"}})),
            json!({"anyOf": [{"type": "null"}, {"type": "string", "not": {"pattern": "^x"}}]})
        );
        let embedded = rule(json!({"type": "object", "x-kubernetes-embedded-resource": true}));
        assert_eq!(embedded["properties"]["metadata"]["$ref"], reference(OBJECT_META));
        assert_eq!(embedded["additionalProperties"], false);
    }

    #[test]
    fn what_has_a_default_is_not_missed() {
        let properties = json!({"size": {"type": "integer", "default": 1}, "name": {"type": "string"}});
        let given = json!({"type": "object", "required": ["name", "size"], "properties": properties});
        assert_eq!(strict(&given, Origin::Custom)["required"], json!(["name"]));
        let given = json!({"type": "object", "required": ["size"], "properties": properties});
        assert_eq!(strict(&given, Origin::Custom).get("required"), None);
    }

    #[test]
    fn a_combination_does_not_close_the_object_that_it_speaks_of() {
        let given = json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "oneOf": [{"required": ["a"], "properties": {"a": {"minLength": 1}}}, {"required": ["b"]}]});
        let made = strict(&given, Origin::Custom);
        assert_eq!(made["oneOf"], given["oneOf"]);
        assert_eq!(made["additionalProperties"], false);
    }
}
