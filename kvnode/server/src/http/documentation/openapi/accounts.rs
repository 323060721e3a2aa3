//! Accounts, API keys and the audit trail, under the versioned paths.

use serde_json::{Value, json};

use super::components::{body, list, moment, number, object, text, truth};
use super::operation::{Access, JSON, Operation, schema};
use super::{Paths, id, of};
use crate::http::routes::Mount;

pub(super) const TAG: &str = "Accounts";

pub(super) fn describe(paths: &mut Paths<'_>) {
    for mount in [Mount::Versioned, Mount::TenantVersioned] {
        entering(paths, mount);
        me(paths, mount);
        api_keys(paths, mount);
        let limit = json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 100});
        let audit = operation(mount, Access::User, "audit", "List what was done, newest first")
            .query("limit", &limit, "How many events.")
            .query("since", &moment(), "Only events from then on.")
            .answers(200, "Events of the caller's namespace.", JSON, schema("AuditTrail"))
            .refuses(&[400, 422]);
        paths.add(&paths.under(mount, "/audit"), "get", audit);
    }
}

fn operation(mount: Mount, access: Access, name: &str, summary: &str) -> Operation {
    of(mount, Operation::new(&id(name, mount), TAG, access, summary))
}

fn entering(paths: &mut Paths<'_>, mount: Mount) {
    let register = operation(mount, Access::Everybody, "register", "Make an account")
        .takes(&[(
            JSON,
            schema("Registration"),
            json!({"username": "ada", "email": "ada@example.com", "password": "Correct-Horse-7"}),
        )])
        .answers(201, "The account, and tokens for it.", JSON, schema("Registered"))
        .refuses(&[400, 403, 409, 413, 422, 429, 501, 503, 507]);
    paths.add(&paths.under(mount, "/auth/register"), "post", register);
    let login = operation(mount, Access::Everybody, "login", "Get tokens for a name and a password")
        .takes(&[(
            JSON,
            body(&[("username", text()), ("password", text())], &[]),
            json!({"username": "ada", "password": "Correct-Horse-7"}),
        )])
        .answers(200, "Tokens.", JSON, schema("Tokens"))
        .refuses(&[400, 401, 413, 422, 429, 501, 503]);
    paths.add(&paths.under(mount, "/auth/login"), "post", login);
    let refresh = operation(mount, Access::Everybody, "refresh", "Get new tokens for a refresh token")
        .takes(&[(JSON, body(&[("refresh_token", text())], &[]), json!({"refresh_token": "eyJ…"}))])
        .answers(200, "Tokens.", JSON, schema("Tokens"))
        .refuses(&[400, 401, 413, 422, 429, 501, 503]);
    paths.add(&paths.under(mount, "/auth/refresh"), "post", refresh);
}

fn me(paths: &mut Paths<'_>, mount: Mount) {
    let path = paths.under(mount, "/auth/me");
    let read = operation(mount, Access::User, "me", "Show the caller's account")
        .answers(200, "The account.", JSON, schema("User"))
        .refuses(&[501]);
    paths.add(&path, "get", read);
    let changes = body(&[("email", email()), ("password", password())], &["email", "password"]);
    let change = operation(mount, Access::User, "changeMe", "Change the caller's email or password")
        .about("A new password ends all sessions; the answer has the tokens of a new one.")
        .takes(&[(JSON, changes, json!({"email": "ada@example.org"}))])
        .answers(200, "The account as it is now.", JSON, schema("User"))
        .refuses(&[400, 409, 413, 422, 501, 503, 507]);
    paths.add(&path, "put", change);
    let delete = operation(mount, Access::User, "deleteMe", "Delete the caller's account and all of its data")
        .answers_nothing(204, "Both are gone.")
        .refuses(&[501, 503]);
    paths.add(&path, "delete", delete);
}

fn api_keys(paths: &mut Paths<'_>, mount: Mount) {
    let path = paths.under(mount, "/keys");
    let all = operation(mount, Access::Admin, "listApiKeys", "List API keys")
        .answers(200, "Without the keys themselves.", JSON, object(&[("items", list(&schema("ApiKey")))], &[]))
        .refuses(&[503]);
    paths.add(&path, "get", all);
    let wanted = body(&[("name", text()), ("scope", scope())], &[]);
    let create = operation(mount, Access::Admin, "createApiKey", "Make an API key")
        .takes(&[(JSON, wanted, json!({"name": "reports", "scope": "readonly"}))])
        .answers(201, "The key, this once.", JSON, schema("NewApiKey"))
        .refuses(&[400, 409, 413, 422, 503, 507]);
    paths.add(&path, "post", create);
    let key = json!({"name": "id", "in": "path", "required": true, "schema": text(), "description": "Of the API key."});
    let delete = operation(mount, Access::Admin, "deleteApiKey", "Delete an API key")
        .inline_parameter(key)
        .answers_nothing(204, "It is accepted no more.")
        .refuses(&[404, 503]);
    paths.add(&paths.under(mount, "/keys/{id}"), "delete", delete);
}

fn scope() -> Value {
    json!({"enum": ["readonly", "read_write", "read_write_delete"]})
}

pub(super) fn schemas() -> [(&'static str, Value); 7] {
    let user = [("username", text()), ("email", text()), ("tenant_id", uuid()), ("is_active", truth())];
    let tokens = [
        ("access_token", text()),
        ("refresh_token", text()),
        ("token_type", json!({"const": "bearer"})),
        ("expires_in", number()),
    ];
    let registered: Vec<(&str, Value)> =
        [("tenant_id", uuid()), ("user", schema("User"))].into_iter().chain(tokens.clone()).collect();
    let changed: Vec<(&str, Value)> = user.into_iter().chain(tokens.clone()).collect();
    let registration = body(
        &[
            ("username", json!({"type": "string", "pattern": "^[A-Za-z0-9._-]{3,50}$"})),
            ("email", email()),
            ("password", password()),
        ],
        &[],
    );
    let api_key = [("id", text()), ("name", text()), ("scope", scope()), ("created_at", moment())];
    let new_key: Vec<(&str, Value)> = api_key.clone().into_iter().chain([("key", text())]).collect();
    let event = object(
        &[
            ("event_type", text()),
            ("tenant_id", text()),
            ("timestamp", moment()),
            ("details", json!({"type": "object"})),
        ],
        &[],
    );
    [
        ("Registration", registration),
        ("Registered", object(&registered, &[])),
        ("Tokens", object(&tokens, &[])),
        ("User", object(&changed, &["access_token", "refresh_token", "token_type", "expires_in"])),
        ("ApiKey", object(&api_key, &[])),
        ("NewApiKey", object(&new_key, &[])),
        ("AuditTrail", object(&[("items", list(&event))], &[])),
    ]
}

fn email() -> Value {
    json!({"type": "string", "format": "email", "maxLength": 254})
}

fn password() -> Value {
    json!({
        "type": "string", "minLength": 8, "format": "password",
        "description": "With an upper-case letter, a lower-case letter and a digit.",
        "pattern": "^(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])",
    })
}

fn uuid() -> Value {
    json!({"type": "string", "format": "uuid"})
}
