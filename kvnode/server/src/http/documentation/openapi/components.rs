//! What many operations share: the forms of bodies, parameters, refusals, and how callers show who they are.

use kvnode_core::store::limits::TTL_SECONDS_MAX;
use serde_json::{Map, Value, json};

use super::operation::schema;
use super::{accounts, administration, running};

/// What an answer that says no means, by its status.
const REFUSALS: [(u16, &str); 13] = [
    (400, "The request is malformed; the sentence names what and the limit."),
    (401, "The path needs a key or a token, and none that is valid was shown."),
    (403, "The caller may not do this."),
    (404, "There is nothing of this name."),
    (409, "What is there is not what the request expects."),
    (412, "A condition in a header does not hold."),
    (413, "The body or the value is too large."),
    (415, "The Content-Type is not understood here."),
    (422, "The request is well-formed, but what it says cannot be."),
    (429, "Too many requests; Retry-After says when to try again."),
    (501, "The node has no accounts: it was started without a key to sign tokens with."),
    (503, "The node cannot serve this now, and nothing was done; Retry-After says when to try again."),
    (507, "Memory is full, and nothing was written."),
];

pub(super) fn components(tenant: &str) -> Value {
    json!({
        "schemas": schemas(),
        "parameters": parameters(tenant),
        "responses": responses(),
        "headers": {
            "ETag": {"description": "The version of the entry, in quotes.", "schema": {"type": "string"}, "example": "\"1\""},
        },
        "securitySchemes": {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "The access token of an account, an API key, or the master API key.",
            },
            "apiKey": {
                "type": "apiKey",
                "in": "header",
                "name": "X-API-Key",
                "description": "An API key, or the master API key.",
            },
        },
    })
}

/// An object whose members are all there, unless they are named as optional.
pub(super) fn object(members: &[(&str, Value)], optional: &[&str]) -> Value {
    let required: Vec<&str> = members.iter().map(|(name, _)| *name).filter(|name| !optional.contains(name)).collect();
    let properties: Map<String, Value> =
        members.iter().map(|(name, form)| ((*name).to_owned(), form.clone())).collect();
    json!({"type": "object", "properties": properties, "required": required})
}

/// The same for what a client sends: what it may not say is refused, because a misspelt member would be without effect.
pub(super) fn body(members: &[(&str, Value)], optional: &[&str]) -> Value {
    let mut form = object(members, optional);
    form["additionalProperties"] = false.into();
    form
}

/// A key as clients may choose it. How many bytes its characters have is beyond what a schema can say.
pub(super) fn key() -> Value {
    const NO_CONTROLS: &str = "[^\\u0000-\\u001f\\u007f-\\u009f]*";
    const VISIBLE: &str = "[^\\s\\u0000-\\u001f\\u007f-\\u009f]";
    json!({"type": "string", "minLength": 1, "maxLength": 256, "pattern": format!("^{NO_CONTROLS}{VISIBLE}{NO_CONTROLS}$")})
}

/// What a page says in `next`.
pub(super) fn cursor() -> Value {
    json!({"type": "string", "pattern": "^[0-9a-f]{14}$", "example": "00c0ffee000001"})
}

pub(super) fn text() -> Value {
    json!({"type": "string"})
}

pub(super) fn number() -> Value {
    json!({"type": "integer", "format": "int64", "minimum": 0})
}

pub(super) fn truth() -> Value {
    json!({"type": "boolean"})
}

pub(super) fn moment() -> Value {
    json!({"type": "string", "format": "date-time"})
}

pub(super) fn or_null(form: &Value) -> Value {
    let mut form = form.clone();
    form["type"] = json!([form["type"], "null"]);
    form
}

pub(super) fn list(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

fn any_json() -> Value {
    json!({"description": "Any JSON; its text is kept as it was sent."})
}

fn tags() -> Value {
    json!({
        "type": "object",
        "additionalProperties": {"type": "string", "maxLength": 100},
        "maxProperties": 50,
        "example": {"team": "shop"},
    })
}

fn ttl() -> Value {
    json!({
        "type": ["integer", "null"],
        "format": "int64",
        "minimum": 0,
        "maximum": TTL_SECONDS_MAX,
        "description": "Seconds until the entry is gone; 0 or null means never.",
    })
}

fn schemas() -> Value {
    let metadata = object(
        &[
            ("version", number()),
            ("ttl", or_null(&number())),
            ("tags", tags()),
            ("created_at", moment()),
            ("updated_at", moment()),
            ("expires_at", or_null(&moment())),
            ("encoding", json!({"enum": ["utf-8", "base64"], "description": "Of bytes only: how `value` shows them."})),
        ],
        &["encoding"],
    );
    let entry = object(
        &[
            ("key", text()),
            ("value", any_json()),
            ("version", number()),
            ("tenant_id", text()),
            ("node", text()),
            ("metadata", schema("Metadata")),
            ("status", json!({"const": "stored", "description": "In the answer to a PUT outside /api/v1."})),
        ],
        &["status"],
    );
    let health = object(
        &[
            ("status", text()),
            ("tenant", text()),
            ("node", text()),
            ("peers", number()),
            ("cluster", object(&[("nodes", number()), ("partitions", number())], &[])),
            ("timestamp", moment()),
        ],
        &[],
    );
    let new_entry = body(&[("key", key()), ("value", any_json()), ("ttl", ttl()), ("tags", tags())], &["ttl", "tags"]);
    let batch = object(
        &[
            ("created", number()),
            ("total", number()),
            ("items", list(&schema("Entry"))),
            ("errors", list(&object(&[("key", text()), ("error", text())], &[]))),
        ],
        &[],
    );
    let entry_page = object(
        &[
            ("items", list(&schema("Entry"))),
            ("page", number()),
            ("page_size", number()),
            ("total", number()),
            ("total_pages", number()),
        ],
        &[],
    );
    let key_page = object(
        &[
            ("keys", list(&text())),
            ("count", json!({"type": "integer", "description": "Keys on this page."})),
            ("next", json!({"type": "string", "description": "Give it back as `cursor`; absent on the last page."})),
        ],
        &["next"],
    );
    let content = [("value", any_json()), ("ttl", ttl()), ("tags", tags())];
    let deleted = [("key", text()), ("status", json!({"const": "deleted"})), ("message", text()), ("existed", truth())];
    let problem = [("error", text()), ("detail", text()), ("code", text()), ("node", text())];
    let of_all = [
        ("Problem", object(&problem, &["node"])),
        ("Metadata", metadata),
        ("Entry", entry),
        ("Envelope", body(&content, &["ttl", "tags"])),
        ("Changes", body(&content, &["value", "ttl", "tags"])),
        ("NewEntry", new_entry),
        ("BatchResult", batch),
        ("EntryPage", entry_page),
        ("KeyPage", key_page),
        ("Deleted", object(&deleted, &[])),
        ("Health", health),
        ("Liveness", object(&[("status", json!({"const": "alive"}))], &[])),
    ];
    let schemas =
        of_all.into_iter().chain(accounts::schemas()).chain(running::schemas()).chain(administration::schemas());
    schemas.map(|(name, schema)| (name.to_owned(), schema)).collect::<Map<_, _>>().into()
}

fn parameters(tenant: &str) -> Value {
    let query = |name: &str, schema: Value, about: &str| json!({"name": name, "in": "query", "description": about, "schema": schema});
    let header = |name: &str, about: &str, example: &str| json!({"name": name, "in": "header", "description": about, "schema": text(), "example": example});
    json!({
        "tenant": {
            "name": "tenant", "in": "path", "required": true,
            "description": "The tenant this node serves; another name is 404.",
            "schema": {"type": "string", "enum": [tenant]},
            "example": tenant,
        },
        "key": {
            "name": "key", "in": "path", "required": true,
            "description": "1 to 256 bytes of UTF-8 without control characters, not blank; a `/` is written %2F.",
            "schema": key(),
            "example": "greeting",
        },
        "raw": query("raw", truth(), "true: the value alone, as it was written."),
        "ttl": query("ttl", json!({"type": "integer", "format": "int64", "minimum": 0, "maximum": TTL_SECONDS_MAX}), "Seconds until the entry is gone, for bodies that have no envelope to say it in."),
        "ifVersion": query("ifVersion", number(), "Write only if the entry has this version; 0: only if there is none."),
        "prefix": query("prefix", text(), "Only keys that begin with this."),
        "ifMatch": header("If-Match", "Write only if the entry has this version, or any with *.", "\"1\""),
        "ifNoneMatch": header("If-None-Match", "Only if the entry has not this version; * for a write: only if there is none.", "\"1\""),
        "prefer": header("Prefer", "return=minimal: the answer has no body.", "return=minimal"),
    })
}

fn responses() -> Value {
    let problem =
        |about: &str| json!({"description": about, "content": {"application/json": {"schema": schema("Problem")}}});
    let refusals = REFUSALS.iter().map(|(status, about)| (status.to_string(), problem(about)));
    let mut responses: Map<String, Value> = refusals.collect();
    responses.insert("Problem".to_owned(), problem("It did not work; the sentence says why."));
    responses.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_null_still_has_its_other_type() {
        assert_eq!(or_null(&moment()), json!({"type": ["string", "null"], "format": "date-time"}));
    }
}
