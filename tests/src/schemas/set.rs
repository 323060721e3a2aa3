//! All schemas together: definitions by name, and the kinds that a manifest can name. It gives each kind a file that
//! holds everything the kind needs and nothing else, and must never write two kinds to one file.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

#[derive(Debug, Default)]
pub(super) struct Set {
    definitions: BTreeMap<String, Value>,
    /// File name to definition.
    kinds: BTreeMap<String, String>,
}

/// What a manifest says of itself in `apiVersion` and `kind`.
#[derive(Debug)]
pub(super) struct Kind<'a> {
    pub(super) group: &'a str,
    pub(super) version: &'a str,
    pub(super) name: &'a str,
}

impl Kind<'_> {
    /// As [`super::FILE_TEMPLATE`] has it: of an apiVersion without a slash, kubeconform takes the whole for the group.
    fn file(&self) -> String {
        let group = if self.group.is_empty() { self.version } else { self.group };
        format!("{}.{}.{group}.json", self.name.to_lowercase(), self.version)
    }
}

impl Set {
    pub(super) fn define(&mut self, name: &str, schema: Value) -> Result<()> {
        match self.definitions.entry(name.to_owned()) {
            Entry::Vacant(place) => place.insert(schema),
            Entry::Occupied(_) => bail!("{name} is defined twice"),
        };
        Ok(())
    }

    /// A kind whose schema is the definition called `definition`.
    pub(super) fn add(&mut self, kind: &Kind<'_>, definition: &str) -> Result<()> {
        match self.kinds.entry(kind.file()) {
            Entry::Vacant(place) => place.insert(definition.to_owned()),
            Entry::Occupied(other) => bail!("{definition} and {} are the same kind: {kind:?}", other.get()),
        };
        Ok(())
    }

    /// Each file's name and content.
    pub(super) fn files(&self) -> Result<Vec<(&str, Value)>> {
        self.kinds.iter().map(|(file, definition)| Ok((file.as_str(), self.file_of(definition)?))).collect()
    }

    fn file_of(&self, definition: &str) -> Result<Value> {
        let mut needed = Map::new();
        let mut open = vec![definition];
        while let Some(name) = open.pop() {
            if needed.contains_key(name) {
                continue;
            }
            let schema = self.definitions.get(name).with_context(|| format!("{name} is used but not defined"))?;
            needed.insert(name.to_owned(), schema.clone());
            references(schema, &mut open)?;
        }
        Ok(json!({"$ref": reference(definition), "definitions": needed}))
    }
}

pub(super) fn reference(definition: &str) -> String {
    format!("#/definitions/{definition}")
}

/// The names of the definitions that a schema refers to.
fn references<'a>(schema: &'a Value, found: &mut Vec<&'a str>) -> Result<()> {
    match schema {
        Value::Object(entries) => {
            for (key, value) in entries {
                match value {
                    // As the name of a property, `$ref` has a schema for a value, not a word.
                    Value::String(target) if key == "$ref" => found.push(
                        target
                            .strip_prefix("#/definitions/")
                            .with_context(|| format!("a schema refers to {target}, which lies outside of it"))?,
                    ),
                    _ => references(value, found)?,
                }
            }
            Ok(())
        }
        Value::Array(values) => values.iter().try_for_each(|value| references(value, found)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_what_its_kind_needs_and_nothing_else() {
        let mut set = Set::default();
        set.define("tree", json!({"properties": {"children": {"items": {"$ref": "#/definitions/tree"}}, "leaf": {"$ref": "#/definitions/leaf"}}})).unwrap();
        set.define("leaf", json!({"properties": {"$ref": {"type": "string"}}})).unwrap();
        set.define("stone", json!({"type": "object"})).unwrap();
        set.add(&Kind { group: "wood.io", version: "v1", name: "Tree" }, "tree").unwrap();
        let files = set.files().unwrap();
        let [(name, schema)] = files.as_slice() else { panic!("one file, not {files:?}") };
        assert_eq!(*name, "tree.v1.wood.io.json");
        assert_eq!(schema["$ref"], "#/definitions/tree");
        let names: Vec<_> = schema["definitions"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["leaf", "tree"]);
    }

    #[test]
    fn what_is_used_must_be_defined_and_nothing_is_twice_the_same_kind() {
        let mut set = Set::default();
        set.define("tree", json!({"items": {"$ref": "#/definitions/leaf"}})).unwrap();
        assert!(set.define("tree", json!({})).is_err());
        let kind = Kind { group: "", version: "v1", name: "Tree" };
        set.add(&kind, "tree").unwrap();
        assert!(set.add(&kind, "tree").is_err());
        assert_eq!(set.files().unwrap_err().to_string(), "leaf is used but not defined");
    }
}
