//! The interface described as an OpenAPI 3.1 document. It is written down beside the code as a table of operations, each
//! once, and put under every prefix that the routes have; a test asks the router for its methods and compares.

mod accounts;
mod administration;
#[cfg(test)]
mod completeness;
mod components;
mod data;
mod operation;
mod running;

use serde_json::{Map, Value, json};

use super::super::routes::Mount;
use crate::settings::Settings;
use operation::Operation;

const ABOUT: &str = "\
One store, spoken to in three families of paths: `/{tenant}/…`, where a value comes in an envelope with its ttl and tags; \
`/…`, where the body is the value itself; and `/api/v1/…`, for clients that create, update and page through entries. \
An answer that says no has one form everywhere: a sentence, and a code for programs.";

/// Paths, each with its methods.
#[derive(Debug)]
struct Paths<'s> {
    settings: &'s Settings,
    paths: Map<String, Value>,
}

impl Paths<'_> {
    fn add(&mut self, path: &str, method: &str, operation: Operation) {
        let methods = self.paths.entry(path.to_owned()).or_insert_with(|| json!({}));
        let known = methods.as_object_mut().expect("it was made as one");
        let before = known.insert(method.to_owned(), operation.into_json());
        assert!(before.is_none(), "{method} {path} is described twice");
    }

    /// A path behind one of the prefixes.
    fn under(&self, mount: Mount, behind: &str) -> String {
        format!("{}{behind}", mount.prefix(self.settings))
    }
}

/// Everything but the servers, which depend on who asks.
pub(super) fn document(settings: &Settings) -> Value {
    let mut paths = Paths { settings, paths: Map::new() };
    data::describe(&mut paths);
    accounts::describe(&mut paths);
    running::describe(&mut paths);
    administration::describe(&mut paths);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "kvnode",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": tags(),
        "paths": paths.paths,
        "components": components::components(settings.tenant.as_str()),
    })
}

fn tags() -> Value {
    json!([
        {"name": data::tag(Mount::Tenant), "description": "Values in an envelope, with ttl and tags."},
        {"name": data::tag(Mount::Bare), "description": "The body is the value."},
        {"name": data::tag(Mount::Versioned), "description": "Create, update, page and batch."},
        {"name": data::tag(Mount::TenantVersioned), "description": "The same behind the tenant's name."},
        {"name": accounts::TAG, "description": "Who may do what, and what was done."},
        {"name": running::TAG, "description": "How the node is, for probes, scrapes and people."},
        {"name": administration::TAG, "description": "For whoever runs the node; the master API key is asked for."},
    ])
}

/// What an operation is called under one of the prefixes; every operation has a name of its own.
fn id(name: &str, mount: Mount) -> String {
    let behind = match mount {
        Mount::Bare => "",
        Mount::Tenant => "OfTenant",
        Mount::Versioned => "V1",
        Mount::TenantVersioned => "OfTenantV1",
    };
    format!("{name}{behind}")
}

/// The tenant's name is a parameter where it is part of the prefix.
fn of(mount: Mount, operation: Operation) -> Operation {
    match mount {
        Mount::Bare | Mount::Versioned => operation,
        Mount::Tenant | Mount::TenantVersioned => operation.parameter("tenant"),
    }
}
