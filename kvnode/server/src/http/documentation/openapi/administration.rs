//! What whoever runs the node asks of it.

use serde_json::{Value, json};

use super::components::{body, cursor, list, number, object, or_null, text, truth};
use super::operation::{Access, JSON, LINES, Operation, schema};
use super::{Paths, id, of};
use crate::http::routes::Mount;

pub(super) const TAG: &str = "Administration";

pub(super) fn describe(paths: &mut Paths<'_>) {
    for mount in [Mount::Bare, Mount::Tenant] {
        let diag = of(mount, operation(&id("diag", mount), "Tell how the node was set up and what it uses"))
            .about("Settings with the place each came from, memory, limits, ports, peers; no secret is in it.")
            .answers(200, "The diagnosis.", JSON, json!({"type": "object"}));
        paths.add(&paths.under(mount, "/diag"), "get", diag);
    }
    let status = operation("status", "Tell how the node and its cluster are").answers(
        200,
        "What may be decided by.",
        JSON,
        schema("Status"),
    );
    paths.add("/admin/status", "get", status);
    let room = operation("room", "Tell whether the data fits, with its copies and a fifth more")
        .query("without", &text(), "The name of a node that is to be gone.")
        .answers(200, "Whether it does.", JSON, schema("Room"))
        .refuses(&[400, 404]);
    paths.add("/admin/room", "get", room);
    let limit = json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 100});
    let keys = operation("keysOfAnyone", "List the keys of the tenant, or of an account")
        .parameter("prefix")
        .query("limit", &limit, "How many keys the page may have.")
        .query("cursor", &cursor(), "What the page before said in `next`.")
        .query("tenant_id", &json!({"type": "string", "format": "uuid"}), "The account.")
        .answers(200, "A page of keys.", JSON, schema("KeyPage"))
        .refuses(&[400, 503]);
    paths.add("/admin/keys", "get", keys);
    let monitor = operation("monitor", "Show operations as they happen")
        .about("A line for each operation, until the client goes. Whoever reads too slowly is told how many it missed.")
        .answers(200, "Lines without end.", LINES, schema("SeenOperation"))
        .refuses(&[503]);
    paths.add("/admin/monitor", "get", monitor);
    dumping(paths);
    moving(paths);
    let level = || json!({"enum": ["debug", "info", "warning", "error", "critical"]});
    let told = object(&[("level", level())], &[]);
    let levels = operation("logLevels", "Tell how much is logged").answers(200, "The level.", JSON, told.clone());
    paths.add("/admin/log-levels", "get", levels);
    let set = operation("setLogLevels", "Log more or less, until the node starts again")
        .takes(&[(JSON, body(&[("level", level())], &[]), json!({"level": "debug"}))])
        .answers(200, "The level as it is now.", JSON, told)
        .refuses(&[400, 413]);
    paths.add("/admin/log-levels", "put", set);
}

fn dumping(paths: &mut Paths<'_>) {
    let dump = operation("dump", "Write down everything the node holds")
        .about(
            "A first line, a line for each entry of all namespaces, and a last line; an answer without that was cut off. \
             The `crc` of each line is the CRC-32 of all bytes before it. The node goes on meanwhile.",
        )
        .answers(200, "The dump.", LINES, schema("DumpLine"))
        .refuses(&[400, 503]);
    paths.add("/admin/dump", "get", dump);
    let example = "{\"format\":\"kvnode-dump\",\"form\":1,\"tenant\":\"dev\",\"node\":\"dev-0\",…";
    let restore = operation("restore", "Take back what a dump holds")
        .about(
            "What is as new as in the dump, or newer, stays as it is, and nothing is deleted; to do it twice is the same as \
             to do it once. The first line that is not right ends it; the sentence says how far it came.",
        )
        .query("from", &text(), "The tenant that the dump is of, if it is another than the node's.")
        .takes(&[(LINES, schema("DumpLine"), example.into())])
        .answers(200, "All of it was taken.", JSON, schema("Restored"))
        .refuses(&[400, 409, 413, 503, 507]);
    paths.add("/admin/restore", "post", restore);
}

fn moving(paths: &mut Paths<'_>) {
    let mode = body(&[("mode", json!({"enum": ["restart", "leave"], "default": "restart"}))], &["mode"]);
    let drain = operation("drain", "Have the node step aside")
        .may_take(mode, json!({"mode": "restart"}))
        .answers(200, "How far it has come.", JSON, schema("Drained"))
        .refuses(&[400, 409, 413]);
    paths.add("/admin/drain", "post", drain);
    let cancel = operation("cancelDrain", "Call the node back").answers(
        200,
        "It takes part as always.",
        JSON,
        schema("Drained"),
    );
    paths.add("/admin/drain", "delete", cancel);
    let gone = operation("gone", "Say that a node will never come back")
        .takes(&[(JSON, body(&[("nodeId", text())], &[]), json!({"nodeId": "dev-1"}))])
        .answers_nothing(200, "Others take its place.")
        .refuses(&[400, 404, 409, 413]);
    paths.add("/admin/gone", "post", gone);
    let recover = operation("recover", "Go on without a lost majority")
        .answers_nothing(200, "The cluster goes on.")
        .refuses(&[409]);
    paths.add("/admin/recover", "post", recover);
}

fn operation(id: &str, summary: &str) -> Operation {
    Operation::new(id, TAG, Access::Admin, summary)
}

pub(super) fn schemas() -> [(&'static str, Value); 6] {
    let node = object(
        &[
            ("name", text()),
            ("member", truth()),
            ("state", json!({"enum": ["ready", "drained", "stopping"]})),
            ("secrets", json!({"type": "object", "additionalProperties": text()})),
            ("partitions", number()),
        ],
        &[],
    );
    let partitions = [("total", number()), ("in_sync", number()), ("moving", number()), ("lost", number())];
    let status = object(
        &[
            ("tenant", text()),
            ("name", text()),
            ("version", text()),
            ("ready", truth()),
            ("reason", text()),
            ("keys", number()),
            ("memory_used_bytes", number()),
            ("memory_limit_bytes", number()),
            ("uptime_seconds", number()),
            ("leader", text()),
            ("nodes", list(&node)),
            ("partitions", object(&partitions, &[])),
            ("drain", or_null(&text())),
            ("room", schema("Room")),
            ("roll_safe", object(&[("safe", truth()), ("reason", text())], &[])),
        ],
        &["reason"],
    );
    let room = object(
        &[("fits", truth()), ("data_bytes", number()), ("needed_bytes", number()), ("limit_bytes", number())],
        &[],
    );
    let seen = object(
        &[
            ("time", text()),
            ("protocol", text()),
            ("operation", text()),
            ("status", text()),
            ("tenant_id", text()),
            ("key", text()),
            ("version", number()),
            ("lost", number()),
        ],
        &["time", "protocol", "operation", "status", "tenant_id", "key", "version", "lost"],
    );
    let drained = object(
        &[
            ("node", text()),
            ("state", text()),
            ("mode", or_null(&text())),
            ("handed_over", number()),
            ("kept", number()),
            ("reason", text()),
        ],
        &[],
    );
    let restored = [
        ("restored", json!({"type": "integer", "description": "Entries that are as the dump has them."})),
        ("kept", json!({"type": "integer", "description": "Entries that were there already, as new or newer."})),
        ("expired", json!({"type": "integer", "description": "Entries whose time is over."})),
    ];
    [
        ("Status", status),
        ("Room", room),
        ("SeenOperation", seen),
        ("Drained", drained),
        ("DumpLine", dump_line()),
        ("Restored", object(&restored, &[])),
    ]
}

/// Of an entry. The first line and the last one have other members, which programs need not know.
fn dump_line() -> Value {
    let moment = |about: &str| json!({"type": "integer", "format": "int64", "minimum": 0, "description": about});
    let members = [
        ("key", text()),
        (
            "namespace",
            json!({"type": "string", "description": "An account's UUID, or `system`; absent: the tenant's own keys."}),
        ),
        ("json", json!({"type": "string", "description": "The exact text of a JSON value."})),
        ("bytes", json!({"type": "string", "contentEncoding": "base64"})),
        ("version", number()),
        ("created_at", moment("Milliseconds since 1970, as all moments here.")),
        ("updated_at", moment("When it was written last.")),
        ("expires_at", moment("When it is gone.")),
        ("ttl", json!({"type": "integer", "minimum": 1, "description": "The seconds it was given."})),
        ("tags", json!({"type": "object", "additionalProperties": text()})),
        (
            "crc",
            json!({"type": "string", "description": "The CRC-32 of all bytes of the dump before it.", "pattern": "^[0-9a-f]{8}$"}),
        ),
    ];
    let always = ["key", "version", "created_at", "updated_at", "crc"];
    let optional: Vec<&str> = members.iter().map(|(name, _)| *name).filter(|name| !always.contains(name)).collect();
    let mut line = object(&members, &optional);
    line["description"] = "A line of an entry.".into();
    line
}
