//! How the node is, and what describes it.

use serde_json::json;

use super::components::{list, number, object, text, truth};
use super::operation::{Access, JSON, Operation, TEXT, schema};
use super::{Paths, id, of};
use crate::http::routes::Mount;

pub(super) const TAG: &str = "Node";

pub(super) fn describe(paths: &mut Paths<'_>) {
    for mount in Mount::ALL {
        of_mount(paths, mount);
    }
    paths.add("/livez", "get", live("livez"));
    paths.add("/readyz", "get", ready("readyz"));
    documents(paths);
}

fn operation(id: &str, summary: &str) -> Operation {
    Operation::new(id, TAG, Access::Everybody, summary)
}

fn live(id: &str) -> Operation {
    operation(id, "Tell whether the process lives").answers(200, "It does.", JSON, schema("Liveness"))
}

fn ready(id: &str) -> Operation {
    operation(id, "Tell whether the node takes requests").answers(200, "It does.", JSON, schema("Readiness")).answers(
        503,
        "It does not, and says why.",
        JSON,
        schema("Readiness"),
    )
}

fn of_mount(paths: &mut Paths<'_>, mount: Mount) {
    let live = of(mount, live(&id("live", mount)));
    paths.add(&paths.under(mount, "/health/live"), "get", live);
    let ready = of(mount, ready(&id("ready", mount)));
    paths.add(&paths.under(mount, "/health/ready"), "get", ready);
    let health = of(mount, operation(&id("health", mount), "Tell how the node is"));
    if matches!(mount, Mount::Versioned | Mount::TenantVersioned) {
        let health = health.answers(200, "How each part that it needs is.", JSON, schema("Dependencies"));
        paths.add(&paths.under(mount, "/health"), "get", health);
        return;
    }
    paths.add(&paths.under(mount, "/health"), "get", health.answers(200, "It is cheap.", JSON, schema("Health")));
    let peers = of(mount, operation(&id("peers", mount), "List the other nodes, as this one sees them")).answers(
        200,
        "The nodes.",
        JSON,
        schema("Peers"),
    );
    paths.add(&paths.under(mount, "/peers"), "get", peers);
    if paths.settings.metrics {
        let metrics = of(mount, operation(&id("metrics", mount), "What the node counts, for Prometheus")).answers(
            200,
            "The text format of Prometheus.",
            TEXT,
            text(),
        );
        paths.add(&paths.under(mount, "/metrics"), "get", metrics);
    }
}

fn documents(paths: &mut Paths<'_>) {
    let document = operation("openapi", "This document")
        .answers(200, "The document.", JSON, json!({"type": "object"}))
        .answers_nothing(304, "It is as it was.");
    paths.add("/openapi.json", "get", document);
    let file = json!({"name": "file", "in": "path", "required": true, "schema": text(), "description": "Of the page."});
    for (path, name) in [("/docs", "Swagger UI"), ("/redoc", "ReDoc")] {
        let id = name.replace(' ', "");
        let shown = operation(&format!("show{id}"), &format!("This document in {name}"))
            .answers(200, "The page.", "text/html", text())
            .answers_nothing(304, "It is as it was.");
        paths.add(path, "get", shown);
        let served = operation(&format!("fileOf{id}"), &format!("What the page of {name} loads"))
            .inline_parameter(file.clone())
            .answers_forms(200, "The file.", &[("text/javascript", text()), ("text/css", text()), (TEXT, text())])
            .answers_nothing(304, "It is as it was.")
            .refuses(&[404]);
        paths.add(&format!("{path}/{{file}}"), "get", served);
    }
}

pub(super) fn schemas() -> [(&'static str, serde_json::Value); 3] {
    let part = object(&[("status", json!({"enum": ["healthy", "degraded"]})), ("message", text())], &[]);
    let peer = object(
        &[
            ("name", text()),
            ("ip", text()),
            ("port", number()),
            ("lastSeen", text()),
            ("source", text()),
            ("ready", truth()),
        ],
        &[],
    );
    let dependencies = object(
        &[
            ("status", json!({"enum": ["healthy", "degraded"]})),
            ("service", text()),
            ("version", text()),
            ("dependencies", json!({"type": "object", "additionalProperties": part})),
        ],
        &[],
    );
    let peers = object(&[("peers", list(&peer)), ("count", number())], &[]);
    let readiness = object(&[("status", json!({"enum": ["ready", "not ready"]})), ("reason", text())], &["reason"]);
    [("Dependencies", dependencies), ("Peers", peers), ("Readiness", readiness)]
}
