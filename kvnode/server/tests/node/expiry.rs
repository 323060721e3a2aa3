//! Time to live over HTTP, with the node's clock in the test's hand.

use std::time::Duration;

use http::StatusCode;

use crate::client::{get, put, put_with, send};
use crate::in_process::TestNode;

/// C56, C71
#[tokio::test]
async fn an_entry_is_gone_at_its_second_from_get_list_and_conditions() {
    let node = TestNode::start();
    put(node.address, "/dev/kv/short", r#"{"value":1,"ttl":3600}"#).await;
    put(node.address, "/dev/kv/long", r#"{"value":1,"ttl":7200}"#).await;
    let found = get(node.address, "/dev/kv/short").await.json();
    assert_eq!(found["metadata"]["ttl"], 3600);
    let time =
        |name: &str| found["metadata"][name].as_str().expect("a time").parse::<jiff::Timestamp>().expect("RFC 3339");
    assert_eq!((time("expires_at") - time("updated_at")).get_seconds(), 3600);

    node.clock.put_ahead(Duration::from_secs(3590));
    assert_eq!(get(node.address, "/dev/kv/short").await.status, StatusCode::OK);
    node.clock.put_ahead(Duration::from_secs(10));
    assert_eq!(get(node.address, "/dev/kv").await.json()["keys"], serde_json::json!(["long"]));
    get(node.address, "/dev/kv/short").await.expect_problem(404, "NotFound", &["'short'"]);
    let again = put_with(node.address, "/dev/kv/short", ("if-none-match", "*"), r#"{"value":1}"#).await;
    assert_eq!(again.version(), 3);
}

#[tokio::test]
async fn bytes_take_their_ttl_from_the_query() {
    let node = TestNode::start();
    let bytes = [("content-type", "application/octet-stream")];
    let stored = send(node.address, "PUT", "/dev/kv/k?ttl=60", &bytes, "x").await;
    assert_eq!(stored.json()["metadata"]["ttl"], 60);
    node.clock.put_ahead(Duration::from_secs(60));
    assert_eq!(get(node.address, "/dev/kv/k").await.status, StatusCode::NOT_FOUND);
}

/// C71, C72, C75: in development the sweep runs every second.
#[tokio::test]
async fn the_sweep_frees_what_nobody_asks_for() {
    let node = TestNode::with(&[], &[("ENVIRONMENT", "development")]);
    let metric = async |name: &str| {
        let page = get(node.address, "/metrics").await;
        let line = page.text().lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        line.expect("the metric").trim().parse::<f64>().expect("a number")
    };
    for number in 0..100 {
        let body = format!("{{\"value\":\"{}\",\"ttl\":60}}", "x".repeat(1000));
        put(node.address, &format!("/dev/kv/k{number}"), body).await;
    }
    let full = metric("kv_memory_bytes ").await;
    assert!(full > 100_000.0);
    node.clock.put_ahead(Duration::from_secs(60));
    assert!(metric("kv_keys ").await < 0.5, "they are invisible before the sweep");
    let deadline = tokio::time::timeout(Duration::from_secs(10), async {
        while metric("kv_expired_keys_total ").await < 99.5 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    deadline.await.expect("the sweep comes within a second or two");
    assert!(metric("kv_memory_bytes ").await < full / 5.0);
    assert!(metric("background_tasks_total{task=\"ttl_cleanup\",status=\"success\"} ").await >= 1.0);
}
