//! API keys: made by who administers the tenant, shown once, each with a scope.

use serde_json::{Value, json};

use crate::access::{as_bearer, as_master, node, register};
use crate::client::{Answer, get, send};
use crate::in_process::TestNode;

async fn create(node: &TestNode, scope: &str) -> Value {
    let body = json!({"name": format!("a {scope} key"), "scope": scope}).to_string();
    let answer = as_master(node.address, "POST", "/api/v1/keys", &body).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (201, "no-store"), "{}", answer.text());
    answer.json()
}

fn text<'v>(key: &'v Value, name: &str) -> &'v str {
    key[name].as_str().unwrap_or_else(|| panic!("no {name} in {key}"))
}

/// C32
#[tokio::test]
async fn a_key_is_shown_once_and_opens_the_tenants_own_data() {
    let node = node();
    let created = create(&node, "read_write_delete").await;
    let (id, key) = (text(&created, "id"), text(&created, "key"));
    assert!(key.starts_with("kvt_"));
    assert_eq!((&created["name"], &created["scope"]), (&json!("a read_write_delete key"), &json!("read_write_delete")));
    assert!(text(&created, "created_at").ends_with('Z'));
    let listed = as_master(node.address, "GET", "/dev/api/v1/keys", "").await;
    assert!(!listed.text().contains(key), "it is never shown again");
    let items = listed.json()["items"].as_array().expect("a list").clone();
    assert_eq!((items.len(), &items[0]["id"]), (1, &json!(id)));

    for header in [("x-api-key", key.to_owned()), ("authorization", format!("Bearer {key}"))] {
        let header = (header.0, header.1.as_str());
        let put = send(node.address, "PUT", "/api/v1/kv/k?upsert=true", &[header], r#"{"value":1}"#).await;
        assert_eq!(put.status.as_u16(), 200, "{}", put.text());
        assert_eq!(put.json()["tenant_id"], "dev");
    }
    assert_eq!(get(node.address, "/dev/kv/k").await.version(), 2, "strangers share the namespace");

    let deleted = as_master(node.address, "DELETE", &format!("/api/v1/keys/{id}"), "").await;
    assert_eq!(deleted.status.as_u16(), 204);
    let refused = send(node.address, "GET", "/api/v1/kv/k", &[("x-api-key", key)], "").await;
    refused.expect_problem(401, "Unauthorized", &["API key"]);
    for gone in [id, "0123456789abcdef", "x", "0123456789ABCDEF"] {
        let again = as_master(node.address, "DELETE", &format!("/api/v1/keys/{gone}"), "").await;
        again.expect_problem(404, "NotFound", &["API key"]);
    }
}

/// Contradiction 10
#[tokio::test]
async fn a_key_may_do_what_its_scope_says_and_no_more() {
    let node = node();
    for (scope, allowed) in [("readonly", 1), ("read_write", 2), ("read_write_delete", 3)] {
        let created = create(&node, scope).await;
        let key = text(&created, "key");
        let path = format!("/dev/kv/{scope}");
        let body = r#"{"value":1}"#;
        as_master(node.address, "PUT", &path, body).await;
        let ask =
            async |method, body: &str| send(node.address, method, &path, &[("x-api-key", key)], body.to_owned()).await;
        let answers: [Answer; 3] = [ask("GET", "").await, ask("PUT", body).await, ask("DELETE", "").await];
        for (number, answer) in answers.iter().enumerate() {
            if number < allowed {
                assert_eq!(answer.status.as_u16(), 200, "{scope}: {}", answer.text());
            } else {
                answer.expect_problem(403, "ScopeTooSmall", &[scope, ["read", "write", "delete"][number]]);
            }
        }
    }
}

#[tokio::test]
async fn keys_are_for_who_administers_the_tenant() {
    let node = node();
    let alice = register(node.address, "alice").await;
    let created = create(&node, "read_write_delete").await;
    let body = r#"{"name":"n","scope":"readonly"}"#;
    for token in [alice.access_token.as_str(), text(&created, "key"), "guess"] {
        for (method, body) in [("POST", body), ("GET", "")] {
            let refused = as_bearer(node.address, token, method, "/api/v1/keys", body).await;
            refused.expect_problem(401, "Unauthorized", &["master API key"]);
        }
    }
    as_bearer(node.address, text(&created, "key"), "GET", "/api/v1/auth/me", "").await.expect_problem(
        403,
        "NoAccount",
        &["log in"],
    );
    let open = TestNode::start();
    let made = send(open.address, "POST", "/api/v1/keys", &[], body).await;
    assert_eq!(made.status.as_u16(), 201, "without a master key the own machine administers");
}

#[tokio::test]
async fn what_is_wrong_with_a_wanted_key_is_named() {
    let node = node();
    let long = format!(r#"{{"name":"{}","scope":"readonly"}}"#, "n".repeat(101));
    for (body, code, word) in [
        (r#"{"scope":"readonly"}"#, "BadBody", "name"),
        (r#"{"name":"n"}"#, "BadBody", "scope"),
        (r#"{"name":"n","scope":"all"}"#, "BadScope", "read_write_delete"),
        (r#"{"name":" ","scope":"readonly"}"#, "BadName", "blank"),
        (r#"{"name":"a\nb","scope":"readonly"}"#, "BadName", "control"),
        (r#"{"name":"n","scope":"readonly","key":"mine"}"#, "BadBody", "key"),
        (&long, "BadName", "100"),
    ] {
        as_master(node.address, "POST", "/api/v1/keys", body).await.expect_problem(422, code, &[word]);
    }
}
