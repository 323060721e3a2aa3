//! Our own kinds, from the definitions (CRDs) that are installed. Only served versions count: a manifest of
//! another would be refused by the API server too.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use super::set::{Kind, Set};
use super::strict::{Origin, add_type_and_metadata, strict};

#[derive(Debug, Deserialize)]
struct Definition {
    spec: Spec,
}

#[derive(Debug, Deserialize)]
struct Spec {
    group: String,
    names: Names,
    versions: Vec<Version>,
}

#[derive(Debug, Deserialize)]
struct Names {
    kind: String,
}

#[derive(Debug, Deserialize)]
struct Version {
    name: String,
    served: bool,
    schema: Schema,
}

#[derive(Debug, Deserialize)]
struct Schema {
    #[serde(rename = "openAPIV3Schema")]
    open_api: Value,
}

/// The files of a folder that hold definitions, sorted. None at all is a mistake: every tenant would go unjudged.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        // kustomize's list of the definitions lies among them.
        let list = path.file_name().is_some_and(|name| name == "kustomization.yaml");
        if !list && path.extension().is_some_and(|end| end == "yaml") {
            found.push(path);
        }
    }
    if found.is_empty() {
        bail!("{} holds no CustomResourceDefinition: run crds/generate.sh", folder.display());
    }
    found.sort();
    Ok(found)
}

/// Adds the kind that a file defines, once for each served version.
pub(super) fn add(file: &str, set: &mut Set) -> Result<()> {
    let Definition { spec } = serde_yaml::from_str(file)?;
    for version in spec.versions.iter().filter(|version| version.served) {
        let Value::Object(mut root) = strict(&version.schema.open_api, Origin::Custom) else {
            bail!("version {} has no schema", version.name);
        };
        add_type_and_metadata(&mut root);
        let name = format!("{}.{}.{}", spec.group, version.name, spec.names.kind);
        set.define(&name, json!(root))?;
        let kind = Kind { group: &spec.group, version: &version.name, name: &spec.names.kind };
        set.add(&kind, &name)?;
    }
    Ok(())
}
