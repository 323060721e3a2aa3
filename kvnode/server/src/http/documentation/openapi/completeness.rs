//! The document against the router: every path that has a method is described with exactly its methods, and nothing is
//! described that is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt;

use super::document;
use crate::clock::Clock;
use crate::http::{patterns, public};
use crate::settings::machine::Machine;
use crate::settings::{self, Settings};
use crate::shared::Shared;

type Methods = BTreeMap<String, BTreeSet<String>>;

fn settings() -> Settings {
    let machine = Machine { memory_bytes: Some(1 << 30), cpu_cores: 1.0 };
    match settings::resolve(["kvnode", "--tenant", "dev"].map(OsString::from), &|_| None, &machine) {
        Ok(settings::Request::Run(settings)) => *settings,
        other => panic!("no good settings: {other:?}"),
    }
}

fn described(document: &Value) -> Methods {
    let paths = document["paths"].as_object().expect("an object");
    let methods = |item: &Value| item.as_object().expect("an object").keys().map(|name| name.to_uppercase()).collect();
    paths.iter().map(|(path, item)| (path.clone(), methods(item))).collect()
}

/// A path with something in place of each of its parameters.
fn filled(pattern: &str) -> String {
    let segment = |segment: &str| match segment {
        "{tenant}" => "dev".to_owned(),
        other => other.replace(['{', '}'], ""),
    };
    pattern.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// What the router itself says: a method that nobody has is answered with those that the path does have.
async fn served(pattern: &str, shared: &Arc<Shared>) -> Option<BTreeSet<String>> {
    let request = Request::builder().method("BREW").uri(filled(pattern)).body(Body::empty()).expect("well-formed");
    let answer = public(shared).oneshot(request).await.expect("the router never fails");
    // A path that answers every method alike, to say what is wrong with it, has none.
    (answer.status() == StatusCode::METHOD_NOT_ALLOWED).then(|| {
        let allowed = answer.headers()[header::ALLOW].to_str().expect("ASCII").split(',');
        allowed.map(|method| method.trim().to_owned()).collect()
    })
}

/// C25
#[tokio::test]
async fn the_document_has_every_path_and_method_of_the_router_and_no_other() {
    let settings = settings();
    let described = described(&document(&settings));
    let shared = Arc::new(Shared::new(settings, Clock::default()));
    let mut paths = BTreeSet::new();
    for pattern in patterns(&shared.settings) {
        let Some(mut served) = served(&pattern, &shared).await else { continue };
        let mut told = described.get(&pattern).cloned().unwrap_or_default();
        if !told.is_empty() {
            paths.insert(pattern.clone());
        }
        // The key of this name is a key like any other, and described there.
        if pattern.ends_with("/kv/batch") {
            told.extend(described[&pattern.replace("batch", "{key}")].clone());
        }
        // Every GET has it, and it is described where somebody would look for it.
        for methods in [&mut told, &mut served] {
            methods.remove("HEAD");
        }
        assert_eq!(told, served, "{pattern}");
    }
    assert_eq!(described.keys().cloned().collect::<BTreeSet<_>>(), paths);
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_to_something_and_everything_is_referred_to() {
    let document = document(&settings());
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').expect("within the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    for part in ["schemas", "parameters", "responses", "headers"] {
        for name in document["components"][part].as_object().expect("an object").keys() {
            assert!(found.contains(&format!("#/components/{part}/{name}")), "nobody refers to {part}/{name}");
        }
    }
}

#[test]
fn operations_have_names_of_their_own_and_parameters_stand_in_their_paths() {
    let document = document(&settings());
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("an object") {
        for (method, operation) in item.as_object().expect("an object") {
            let name = operation["operationId"].as_str().expect("a name");
            assert!(names.insert(name.to_owned()), "{method} {path}: {name} comes twice");
            let resolved = |parameter: &Value| match parameter["$ref"].as_str() {
                Some(reference) => document.pointer(&reference[1..]).expect("it leads somewhere").clone(),
                None => parameter.clone(),
            };
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let told: BTreeSet<String> = parameters
                .iter()
                .map(resolved)
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| format!("{{{}}}", parameter["name"].as_str().expect("a name")))
                .collect();
            let needed = path.split('/').filter(|segment| segment.starts_with('{')).map(str::to_owned).collect();
            assert_eq!(told, needed, "{method} {path}");
        }
    }
}
