//! Keys and values, in all dialects.

use serde_json::{Value, json};

use super::components::{body, cursor, list, number, object, text};
use super::operation::{Access, BYTES, JSON, LINES, Operation, schema};
use super::{Paths, id, of};
use crate::http::routes::Mount;

const KEY: &str = "/kv/{key}";
const KEYS: &str = "/kv";

const MERGE_PATCH: &str = "application/merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";

const PATCHES: &str = "\
application/json merges the members of the body into the value; application/merge-patch+json is RFC 7396, \
application/json-patch+json RFC 6902. An absent key is created by the first two and is 404 for the third.";

pub(super) fn tag(mount: Mount) -> &'static str {
    match mount {
        Mount::Bare => "Keys: /",
        Mount::Tenant => "Keys: /{tenant}",
        Mount::Versioned => "Keys: /api/v1",
        Mount::TenantVersioned => "Keys: /{tenant}/api/v1",
    }
}

pub(super) fn describe(paths: &mut Paths<'_>) {
    for mount in Mount::ALL {
        let key = paths.under(mount, KEY);
        for (method, operation) in
            [("get", read(mount, "getEntry")), ("head", read(mount, "headEntry")), ("put", put(mount))]
        {
            paths.add(&key, method, operation);
        }
        paths.add(&key, "patch", patch(mount));
        paths.add(&key, "delete", delete(mount));
        let keys = paths.under(mount, KEYS);
        match mount {
            Mount::Bare => paths.add(&keys, "get", list_lines(mount)),
            Mount::Tenant => paths.add(&keys, "get", list_page(mount)),
            Mount::Versioned | Mount::TenantVersioned => versioned(paths, mount),
        }
    }
}

fn access(mount: Mount) -> Access {
    match mount {
        Mount::Bare | Mount::Tenant => Access::Data,
        Mount::Versioned | Mount::TenantVersioned => Access::User,
    }
}

fn operation(mount: Mount, name: &str, summary: &str) -> Operation {
    of(mount, Operation::new(&id(name, mount), tag(mount), access(mount), summary))
}

fn read(mount: Mount, name: &str) -> Operation {
    let summary = if name == "headEntry" { "Look at an entry without its value" } else { "Read an entry" };
    let operation = operation(mount, name, summary).parameters(&["key", "raw", "ifNoneMatch"]);
    let operation = if name == "headEntry" {
        operation.answers_nothing(200, "It is there.")
    } else {
        let alone = json!({"description": "With ?raw=true: the value alone."});
        operation.answers_entry_or(200, "The entry, or its value alone.", &[(JSON, alone), (BYTES, binary())])
    };
    operation.answers_nothing(304, "The entry still has that version.").refuses(&[400, 404, 412, 422, 503])
}

fn envelope_example() -> Value {
    json!({"value": "hello", "ttl": 3600, "tags": {"team": "shop"}})
}

fn binary() -> Value {
    json!({"type": "string", "contentMediaType": BYTES})
}

fn put(mount: Mount) -> Operation {
    let any = json!({});
    let operation = operation(mount, "putEntry", "Write an entry");
    let operation = operation.parameters(&["key", "ifVersion", "ifMatch", "ifNoneMatch"]);
    let operation = match mount {
        Mount::Tenant => operation
            .parameter("ttl")
            .takes(&[(JSON, schema("Envelope"), envelope_example()), (BYTES, binary(), Value::from("any bytes"))]),
        Mount::Bare => operation
            .parameter("ttl")
            .takes(&[(JSON, any, json!({"name": "Ada"})), (BYTES, binary(), Value::from("any bytes"))]),
        Mount::Versioned | Mount::TenantVersioned => operation
            .about("What is left out stays as it is.")
            .query("upsert", &json!({"type": "boolean"}), "true: create the entry if there is none.")
            .takes(&[(JSON, schema("Changes"), envelope_example())]),
    };
    operation.answers_entry(200, "The entry as it is now.").refuses(&[400, 404, 409, 412, 413, 415, 422, 503, 507])
}

fn patch(mount: Mount) -> Operation {
    operation(mount, "patchEntry", "Change a part of a value")
        .about(PATCHES)
        .parameters(&["key", "ifVersion", "ifMatch", "ifNoneMatch"])
        .takes(&[
            (JSON, json!({"type": "object"}), json!({"age": 36})),
            (MERGE_PATCH, json!({"type": "object"}), json!({"age": null})),
            (JSON_PATCH, list(&step()), json!([{"op": "add", "path": "/age", "value": 36}])),
        ])
        .answers_entry(200, "The entry as it is now.")
        .refuses(&[400, 404, 409, 412, 413, 415, 422, 503, 507])
}

/// One operation of a JSON Patch.
fn step() -> Value {
    let pointer = json!({"type": "string", "pattern": "^(/([^/~]|~[01])*)*$", "example": "/age"});
    let form = |names: &[&str], member: &str, about: &Value| {
        object(&[("op", json!({"enum": names})), ("path", pointer.clone()), (member, about.clone())], &[])
    };
    let remove = object(&[("op", json!({"const": "remove"})), ("path", pointer.clone())], &[]);
    json!({"oneOf": [
        form(&["add", "replace", "test"], "value", &json!({})),
        form(&["move", "copy"], "from", &pointer),
        remove,
    ]})
}

fn delete(mount: Mount) -> Operation {
    let about = match mount {
        Mount::Tenant => "A key that is not there is answered with 200 and `existed: false`.",
        _ => "A key that is not there is answered with 404.",
    };
    operation(mount, "deleteEntry", "Delete an entry")
        .about(about)
        .parameters(&["key", "ifVersion", "ifMatch", "ifNoneMatch", "prefer"])
        .answers(200, "It is gone.", JSON, schema("Deleted"))
        .answers_nothing(204, "The same, with Prefer: return=minimal.")
        .refuses(&[400, 404, 409, 412, 422, 503])
}

fn list_page(mount: Mount) -> Operation {
    let limit = json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 100});
    operation(mount, "listKeys", "List keys, a page at a time")
        .parameter("prefix")
        .query("limit", &limit, "How many keys the page may have.")
        .query("cursor", &cursor(), "What the page before said in `next`.")
        .answers(200, "A page of keys, in no order that means anything.", JSON, schema("KeyPage"))
        .refuses(&[400, 503])
}

fn list_lines(mount: Mount) -> Operation {
    let line = object(&[("key", text()), ("node", text())], &[]);
    operation(mount, "listKeys", "List all keys, a line each")
        .about("Accept: application/json asks for one array instead of lines.")
        .answers_forms(200, "Each live key once, in no order.", &[(LINES, line.clone()), (JSON, list(&line))])
        .refuses(&[503])
}

fn versioned(paths: &mut Paths<'_>, mount: Mount) {
    let keys = paths.under(mount, KEYS);
    paths.add(&keys, "get", page_entries(mount));
    paths.add(&keys, "post", create(mount));
    paths.add(&paths.under(mount, "/kv/batch"), "post", batch(mount));
    let existence = object(&[("key", text()), ("exists", json!({"type": "boolean"}))], &[]);
    let exists = operation(mount, "entryExists", "Tell whether a key is there")
        .parameter("key")
        .answers(200, "Whether it is.", JSON, existence)
        .refuses(&[400, 422, 503]);
    paths.add(&paths.under(mount, "/kv/{key}/exists"), "get", exists);
    let remaining = object(&[("key", text()), ("ttl", json!({"type": ["integer", "null"], "minimum": 0}))], &[]);
    let ttl = operation(mount, "entryTtl", "Tell how long an entry will be there")
        .parameter("key")
        .answers(200, "The seconds that are left; null when it does not expire.", JSON, remaining)
        .refuses(&[400, 404, 422, 503]);
    paths.add(&paths.under(mount, "/kv/{key}/ttl"), "get", ttl);
    let count = operation(mount, "countKeys", "Count the caller's keys")
        .answers(200, "How many there are.", JSON, object(&[("tenant_id", text()), ("count", number())], &[]))
        .refuses(&[503]);
    paths.add(&paths.under(mount, "/kv/stats/count"), "get", count);
}

fn page_entries(mount: Mount) -> Operation {
    let from_one = |default: u64| json!({"type": "integer", "minimum": 1, "default": default});
    let size = json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 20});
    operation(mount, "pageEntries", "Page through entries in the order of their keys")
        .parameter("prefix")
        .query("page", &from_one(1), "The page's number.")
        .query("page_size", &size, "Entries on a page.")
        .query(
            "tag_filter",
            &list(&json!({"type": "string", "pattern": "^[^:]+:"})),
            "name:value; only entries with this tag. It may be repeated.",
        )
        .answers(200, "A page of entries.", JSON, schema("EntryPage"))
        .refuses(&[400, 422, 503])
}

fn create(mount: Mount) -> Operation {
    operation(mount, "createEntry", "Create an entry")
        .parameters(&["ifVersion", "ifMatch", "ifNoneMatch"])
        .takes(&[(JSON, schema("NewEntry"), json!({"key": "greeting", "value": "hello"}))])
        .answers_entry(201, "The new entry.")
        .refuses(&[400, 409, 412, 413, 415, 422, 503, 507])
}

fn batch(mount: Mount) -> Operation {
    let items = json!({"type": "array", "items": schema("NewEntry"), "minItems": 1, "maxItems": 100});
    let example = json!({"items": [{"key": "a", "value": 1}, {"key": "b", "value": 2}]});
    operation(mount, "createEntries", "Create many entries, each by itself")
        .takes(&[(JSON, body(&[("items", items)], &[]), example)])
        .answers(201, "What was created, and why the others were not.", JSON, schema("BatchResult"))
        .refuses(&[400, 413, 415, 422, 503, 507])
}
