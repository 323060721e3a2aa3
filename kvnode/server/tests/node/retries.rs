//! `Idempotency-Key`: what is sent again is done once.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use crate::client::{Answer, delete, get, put, send};
use crate::in_process::TestNode;

async fn once(node: &TestNode, key: &str, method: &str, path: &str, body: &str) -> Answer {
    let content_type = if body.starts_with("[{") { "application/json-patch+json" } else { "application/json" };
    let headers = [("content-type", content_type), ("idempotency-key", key)];
    send(node.address, method, path, &headers, body.to_owned()).await
}

#[tokio::test]
async fn a_repeated_write_gets_its_first_answer_and_is_done_once() {
    for (method, path, body) in [
        ("PUT", "/dev/kv/k", r#"{"value":{"n":1},"ttl":60}"#),
        ("PUT", "/kv/k", "[1]"),
        ("PUT", "/api/v1/kv/k", r#"{"tags":{"t":"1"}}"#),
        ("PUT", "/api/v1/kv/k?upsert=true&ifVersion=1", r#"{"value":2}"#),
        ("PATCH", "/kv/k?ifVersion=1", r#"{"a":1}"#),
        ("PATCH", "/dev/kv/k", r#"[{"op":"add","path":"/list/-","value":1}]"#),
        ("POST", "/api/v1/kv", r#"{"key":"new","value":1}"#),
        ("DELETE", "/dev/kv/k", ""),
        ("DELETE", "/kv/k", ""),
        ("DELETE", "/api/v1/kv/k", ""),
    ] {
        let node = TestNode::with_master_key();
        put(node.address, "/kv/k", r#"{"list":[]}"#).await;
        let first = once(&node, "retry-1", method, path, body).await;
        assert!(first.status.is_success(), "{method} {path}: {}", first.text());
        let version = get(node.address, "/kv/k").await.body;
        let again = once(&node, "retry-1", method, path, body).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body), "{method} {path}");
        assert_eq!(again.headers.get("etag"), first.headers.get("etag"));
        assert_eq!(get(node.address, "/kv/k").await.body, version, "{method} {path} was done again");
        let other = once(&node, "retry-2", method, path, body).await;
        let same = (other.status, &other.body) == (first.status, &first.body);
        assert!(
            !same || path == "/dev/kv/k" && method == "DELETE",
            "{method} {path} with another key is another write"
        );
    }
}

/// The answer is that of then, whatever happened since.
#[tokio::test]
async fn a_retry_is_told_what_its_first_attempt_did() {
    let node = TestNode::with_master_key();
    let first = once(&node, "k1", "PUT", "/kv/k", "1").await;
    put(node.address, "/kv/k", "2").await;
    let again = once(&node, "k1", "PUT", "/kv/k", "1").await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    delete(node.address, "/kv/k").await;
    assert_eq!(once(&node, "k1", "PUT", "/kv/k", "1").await.body, first.body);
    assert_eq!(get(node.address, "/kv/k").await.status, StatusCode::NOT_FOUND);
    node.clock.put_ahead(Duration::from_mins(10));
    assert_eq!(once(&node, "k1", "PUT", "/kv/k", "1").await.version(), 4, "a key is remembered for ten minutes");
}

#[tokio::test]
async fn a_key_that_comes_with_another_request_is_422() {
    let node = TestNode::with_master_key();
    assert_eq!(once(&node, "k1", "PUT", "/kv/k", "1").await.version(), 1);
    for (method, path, body) in [
        ("PUT", "/kv/k", "2"),
        ("PUT", "/kv/k?ttl=5", "1"),
        ("PATCH", "/kv/k", "1"),
        ("DELETE", "/kv/k", ""),
        ("PUT", "/dev/kv/k", r#"{"value":1}"#),
    ] {
        let refused = once(&node, "k1", method, path, body).await;
        refused.expect_problem(422, "IdempotencyKeyReused", &["another request"]);
    }
    let headers = [("idempotency-key", "k1"), ("content-type", "application/json"), ("if-match", "\"1\"")];
    let refused = send(node.address, "PUT", "/kv/k", &headers, "1").await;
    refused.expect_problem(422, "IdempotencyKeyReused", &[]);
    assert_eq!(get(node.address, "/kv/k").await.version(), 1);
    // Another caller's key is another key, though both write the same entry: here the caller is not anonymous.
    let other = once(&node, "k1", "PUT", "/api/v1/kv/k", r#"{"value":3}"#).await;
    assert_eq!(other.version(), 2);
    let refused = once(&node, "k1", "PUT", "/api/v1/kv/k", r#"{"value":4}"#).await;
    refused.expect_problem(422, "IdempotencyKeyReused", &["another request"]);
}

/// What was refused was not done, and may be tried again with the same key.
#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let node = TestNode::with_master_key();
    let refused = once(&node, "k1", "PUT", "/kv/k?ifVersion=1", "7").await;
    refused.expect_problem(409, "VersionMismatch", &[]);
    put(node.address, "/kv/k", "1").await;
    assert_eq!(once(&node, "k1", "PUT", "/kv/k?ifVersion=1", "7").await.version(), 2);
    assert_eq!(once(&node, "k1", "PUT", "/kv/k?ifVersion=1", "7").await.version(), 2);
}

#[tokio::test]
async fn a_repeated_batch_creates_nothing_twice() {
    let node = TestNode::with_master_key();
    let body = json!({"items": [{"key": "a", "value": 1}, {"key": "b", "value": 2}]}).to_string();
    let first = once(&node, "batch-1", "POST", "/api/v1/kv/batch", &body).await;
    assert_eq!(first.json()["created"], 2);
    let again = once(&node, "batch-1", "POST", "/api/v1/kv/batch", &body).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(get(node.address, "/kv/a").await.version(), 1);
    let another = json!({"items": [{"key": "a", "value": 3}]}).to_string();
    let refused = once(&node, "batch-1", "POST", "/api/v1/kv/batch", &another).await.json();
    assert_eq!((&refused["created"], refused["errors"].as_array().map(Vec::len)), (&json!(0), Some(1)));
    assert!(refused["errors"][0]["error"].as_str().is_some_and(|error| error.contains("another request")));
}

#[tokio::test]
async fn a_key_that_is_none_is_400() {
    let node = TestNode::with_master_key();
    for key in ["", &"k".repeat(256)] {
        once(&node, key, "PUT", "/kv/k", "1").await.expect_problem(400, "BadIdempotencyKey", &["255"]);
    }
    let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
    send(node.address, "DELETE", "/kv/k", &twice, "").await.expect_problem(400, "BadIdempotencyKey", &["once"]);
    assert_eq!(get(node.address, "/kv/k").await.status, StatusCode::NOT_FOUND);
    assert_eq!(once(&node, &"k".repeat(255), "PUT", "/kv/k", "1").await.version(), 1);
}

/// Fifty clients that all retry the same increment: it is done once.
#[tokio::test]
async fn parallel_retries_are_one_write() {
    let node = TestNode::with(&["--threads", "2"], &[]);
    put(node.address, "/kv/k", r#"{"list":[]}"#).await;
    let add = r#"[{"op":"add","path":"/list/-","value":1}]"#;
    let answers = futures::future::join_all((0..50).map(|_| once(&node, "k1", "PATCH", "/kv/k", add))).await;
    assert!(answers.iter().all(|answer| answer.version() == 2));
    assert_eq!(get(node.address, "/kv/k").await.json()["value"], json!({"list": [1]}));
}
