//! What whoever runs the node asks of it: how it is, whether it may go, and what it is doing.

use http::StatusCode;
use serde_json::json;

use crate::client::{Answer, Lines, delete, get, put, send};
use crate::in_process::TestNode;
use crate::redis::wire::Wire;

const ROUTES: [(&str, &str); 7] = [
    ("GET", "/admin/status"),
    ("GET", "/admin/room"),
    ("GET", "/admin/monitor"),
    ("POST", "/admin/drain"),
    ("DELETE", "/admin/drain"),
    ("POST", "/admin/gone"),
    ("POST", "/admin/recover"),
];

async fn post(node: &TestNode, path: &str, body: &str) -> Answer {
    send(node.address, "POST", path, &[], body.to_owned()).await
}

#[tokio::test]
async fn nothing_here_is_for_callers_without_the_admin_key() {
    let node = TestNode::with(&[], &[("ADMIN_KEY", "opensesame")]);
    for (method, path) in ROUTES {
        for headers in [&[][..], &[("x-api-key", "guess")]] {
            let refused = send(node.address, method, path, headers, "").await;
            refused.expect_problem(401, "Unauthorized", &["master API key"]);
        }
    }
    assert_eq!(get(node.address, "/readyz").await.status, StatusCode::OK, "a refused drain drains nothing");
}

#[tokio::test]
async fn the_status_says_what_an_operator_decides_by() {
    let node = TestNode::with(&["--memory-limit", "64Mi"], &[]);
    let status = get(node.address, "/admin/status").await.json();
    assert_eq!(status["leader"], "n0");
    assert_eq!(
        status["nodes"],
        json!([{"name": "n0", "member": true, "state": "ready", "secrets": {}, "partitions": 256}])
    );
    assert_eq!(status["partitions"], json!({"total": 256, "in_sync": 256, "moving": 0, "lost": 0}));
    assert_eq!((&status["drain"], &status["roll_safe"]["safe"]), (&json!(null), &json!(true)));
    put(node.address, "/dev/kv/k", r#"{"value":1}"#).await;
    let status = get(node.address, "/admin/status").await.json();
    assert_eq!(status["roll_safe"]["safe"], false);
    assert!(status["roll_safe"]["reason"].as_str().is_some_and(|reason| reason.contains("1 keys would be lost")));
}

#[tokio::test]
async fn room_is_asked_for_before_a_node_is_taken_away() {
    let node = TestNode::with(&["--memory-limit", "64Mi"], &[]);
    let room = get(node.address, "/admin/room").await.json();
    assert_eq!(room, json!({"fits": true, "data_bytes": 0, "needed_bytes": 0, "limit_bytes": 64 << 20}));
    put(node.address, "/dev/kv/k", r#"{"value":1}"#).await;
    let without = get(node.address, "/admin/room?without=n0").await.json();
    assert_eq!((&without["fits"], &without["limit_bytes"]), (&json!(false), &json!(0)));
    get(node.address, "/admin/room?without=n7").await.expect_problem(404, "UnknownNode", &["n7", "n0"]);
}

#[tokio::test]
async fn a_drained_node_is_not_ready_and_still_answers_until_it_is_called_back() {
    let node = TestNode::start();
    put(node.address, "/dev/kv/k", r#"{"value":1}"#).await;
    for _ in 0..2 {
        let drained = post(&node, "/admin/drain", r#"{"mode":"restart"}"#).await.json();
        assert_eq!((&drained["state"], &drained["mode"]), (&json!("drained"), &json!("restart")));
        assert_eq!((&drained["handed_over"], &drained["kept"]), (&json!(0), &json!(256)));
        let ready = get(node.address, "/readyz").await;
        assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(ready.json()["reason"].as_str().is_some_and(|reason| reason.contains("step aside")));
        assert_eq!(get(node.address, "/livez").await.status, StatusCode::OK);
        assert_eq!(get(node.address, "/dev/kv/k").await.status, StatusCode::OK);
        let status = get(node.address, "/admin/status").await.json();
        assert_eq!((&status["ready"], &status["nodes"][0]["state"]), (&json!(false), &json!("drained")));
    }
    for _ in 0..2 {
        assert_eq!(delete(node.address, "/admin/drain").await.json()["state"], "none");
        assert_eq!(get(node.address, "/readyz").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_last_node_may_not_leave_with_its_data() {
    let node = TestNode::start();
    put(node.address, "/dev/kv/k", r#"{"value":1}"#).await;
    let refused = post(&node, "/admin/drain", r#"{"mode":"leave"}"#).await;
    refused.expect_problem(409, "LastNode", &["n0", "only node", "mode restart"]);
    assert_eq!(get(node.address, "/readyz").await.status, StatusCode::OK);
    for body in ["{", r#"{"mode":"away"}"#, r#"{"mood":"leave"}"#] {
        post(&node, "/admin/drain", body).await.expect_problem(400, "BadBody", &["mode"]);
    }
    delete(node.address, "/dev/kv/k").await;
    assert_eq!(post(&node, "/admin/drain", r#"{"mode":"leave"}"#).await.json()["mode"], "leave");
}

#[tokio::test]
async fn a_node_by_itself_has_nobody_to_be_gone_and_no_majority_to_lose() {
    let node = TestNode::start();
    post(&node, "/admin/gone", r#"{"nodeId":"n0"}"#).await.expect_problem(409, "NothingToDo", &["n0", "only node"]);
    post(&node, "/admin/gone", r#"{"nodeId":"n7"}"#).await.expect_problem(404, "UnknownNode", &["n7", "n0"]);
    post(&node, "/admin/gone", "n7").await.expect_problem(400, "BadBody", &["nodeId"]);
    post(&node, "/admin/recover", "").await.expect_problem(409, "NothingToDo", &["n0", "majority"]);
}

#[tokio::test]
async fn whoever_looks_on_sees_operations_and_no_values() {
    let node = TestNode::start();
    let mut lines = Lines::of(node.address, "/admin/monitor", &[]).await;
    put(node.address, "/dev/kv/k", r#"{"value":"secret content"}"#).await;
    put(node.address, "/dev/kv/k?ifVersion=9", r#"{"value":1}"#).await;
    get(node.address, "/dev/kv/k").await;
    get(node.address, "/dev/kv/absent").await;
    get(node.address, "/dev/kv").await;
    delete(node.address, "/dev/kv/k").await;
    for (operation, status, key, version) in [
        ("create", "success", Some("k"), Some(1)),
        ("update", "error", Some("k"), Some(1)),
        ("read", "success", Some("k"), Some(1)),
        ("read", "not_found", Some("absent"), None),
        ("list", "success", None, None),
        ("delete", "success", Some("k"), Some(2)),
    ] {
        let line = lines.next().await.expect("another line");
        assert_eq!((line["operation"].as_str(), line["status"].as_str()), (Some(operation), Some(status)), "{line}");
        assert_eq!((line["key"].as_str(), line["version"].as_u64()), (key, version), "{line}");
        assert_eq!(line["protocol"], "http");
        assert!(!line.to_string().contains("secret content"), "{line}");
    }
}

#[tokio::test]
async fn whoever_looks_on_sees_what_redis_clients_do_in_the_same_words() {
    let node = TestNode::with_resp(&[]);
    let mut lines = Lines::of(node.address, "/admin/monitor", &[]).await;
    let mut wire = Wire::plain(&node);
    wire.ask("SET k secret-content", "+OK\r\n");
    wire.ask("SET k other NX", "$-1\r\n");
    wire.ask("GET k", "$14\r\nsecret-content\r\n");
    wire.ask("MGET k absent", "*2\r\n$14\r\nsecret-content\r\n$-1\r\n");
    wire.ask("DEL k", ":1\r\n");
    for (operation, status, key, version) in [
        ("create", "success", "k", Some(1)),
        ("update", "error", "k", Some(1)),
        ("read", "success", "k", Some(1)),
        ("read", "success", "k", Some(1)),
        ("read", "not_found", "absent", None),
        ("delete", "success", "k", Some(2)),
    ] {
        let line = lines.next().await.expect("another line");
        assert_eq!((line["operation"].as_str(), line["status"].as_str()), (Some(operation), Some(status)), "{line}");
        assert_eq!((line["key"].as_str(), line["version"].as_u64()), (Some(key), version), "{line}");
        assert_eq!(line["protocol"], "resp");
        assert!(!line.to_string().contains("secret-content"), "{line}");
    }
}

/// Somebody who looks on all day must not keep a node from ending: the test's node drains when it is dropped.
#[tokio::test]
async fn whoever_looks_on_is_let_go_when_the_node_ends() {
    let node = TestNode::start();
    let mut lines = Lines::of(node.address, "/admin/monitor", &[]).await;
    let dropped = tokio::task::spawn_blocking(move || drop(node));
    assert!(lines.next().await.is_none());
    dropped.await.expect("it drains");
}
