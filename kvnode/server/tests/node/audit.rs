//! The audit trail: what accounts and keys did, for themselves to see.

use std::time::Duration;

use serde_json::{Value, json};

use crate::access::{PASSWORD, as_master, log_in, node, register, with};
use crate::client::{get, put};

/// C64, C73, C74
#[tokio::test]
async fn everything_an_account_does_is_in_its_trail_newest_first() {
    let node = node();
    let alice = register(node.address, "alice").await;
    log_in(node.address, "alice", "Wrong4Password").await;
    log_in(node.address, "alice", PASSWORD).await;
    alice.ask("POST", "/api/v1/kv", r#"{"key":"k","value":1}"#).await;
    alice.ask("PUT", "/api/v1/kv/k", r#"{"value":2}"#).await;
    alice.ask("GET", "/dev/kv/k", "").await;
    alice.ask("GET", "/api/v1/kv", "").await;
    alice.ask("GET", "/api/v1/kv/absent", "").await;
    alice.ask("POST", "/api/v1/kv/batch", r#"{"items":[{"key":"b","value":1}]}"#).await;
    alice.ask("DELETE", "/api/v1/kv/k", "").await;
    let trail = alice.ask("GET", "/api/v1/audit", "").await;
    let items = trail.json()["items"].as_array().expect("a list").clone();
    let kinds: Vec<&str> = items.iter().filter_map(|item| item["event_type"].as_str()).collect();
    let expected = ["delete", "batch_create", "list", "read", "update", "create", "login", "login_failed", "register"];
    assert_eq!(kinds, expected);
    assert!(items.iter().all(|item| item["tenant_id"] == alice.tenant_id.as_str()));
    assert_eq!(items[5]["details"], json!({"key": "k", "version": 1}));
    assert_eq!(items[4]["details"], json!({"key": "k", "version": 2}));
    assert_eq!(items[0]["details"]["key"], "k");
    let times: Vec<&str> = items.iter().filter_map(|item| item["timestamp"].as_str()).collect();
    assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "{times:?}");
}

/// C64, C66
#[tokio::test]
async fn a_trail_is_shown_to_its_own_account_alone_and_for_thirty_days() {
    let node = node();
    let (alice, bob) = (register(node.address, "alice").await, register(node.address, "bob").await);
    alice.ask("PUT", "/dev/kv/hers", r#"{"value":1}"#).await;
    put(node.address, "/dev/kv/nobodys", r#"{"value":1}"#).await;
    as_master(node.address, "PUT", "/dev/kv/masters", r#"{"value":1}"#).await;
    let kinds = |trail: &Value| {
        let items = trail["items"].as_array().expect("a list");
        items.iter().map(|item| item["event_type"].as_str().expect("text").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&bob.ask("GET", "/api/v1/audit", "").await.json()), ["register"]);
    let shared = as_master(node.address, "GET", "/api/v1/audit", "").await.json();
    assert_eq!(kinds(&shared), ["create"], "strangers leave no trail");
    assert_eq!(
        (&shared["items"][0]["tenant_id"], &shared["items"][0]["details"]["key"]),
        (&json!("dev"), &json!("masters"))
    );
    let limited = alice.ask("GET", "/api/v1/audit?limit=1", "").await.json();
    assert_eq!(kinds(&limited), ["create"]);
    let none = alice.ask("GET", "/api/v1/audit?since=2999-01-01T00:00:00Z", "").await.json();
    assert_eq!(none, json!({"items": []}));
    for query in ["limit=0", "limit=1001", "since=yesterday"] {
        alice.ask("GET", &format!("/api/v1/audit?{query}"), "").await.expect_problem(422, "BadQuery", &[]);
    }
    assert_eq!(get(node.address, "/api/v1/audit").await.status.as_u16(), 401);

    node.clock.put_ahead(Duration::from_secs(30 * 24 * 60 * 60));
    log_in(node.address, "alice", PASSWORD).await;
    let token = log_in(node.address, "alice", PASSWORD).await.json();
    let token = token["access_token"].as_str().expect("text");
    let trail = crate::access::as_bearer(node.address, token, "GET", "/api/v1/audit", "").await.json();
    assert_eq!(kinds(&trail), ["login", "login"]);
}

/// C75, C78
#[tokio::test]
async fn in_development_an_event_is_written_before_its_answer() {
    let node = with(&[("ENVIRONMENT", "development")]);
    let alice = register(node.address, "alice").await;
    alice.ask("PUT", "/dev/kv/k", r#"{"value":1}"#).await;
    let trail = alice.ask("GET", "/api/v1/audit", "").await.json();
    assert_eq!(trail["items"][0]["event_type"], "create");
}
