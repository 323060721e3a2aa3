//! A full node says so and stays usable.

use http::StatusCode;

use crate::client::{delete, get, put};
use crate::in_process::TestNode;

#[tokio::test]
async fn a_full_node_answers_507_to_growth_and_goes_on_with_the_rest() {
    let node = TestNode::with(&["--memory-limit", "1Mi"], &[]);
    let body = format!("{{\"value\":\"{}\"}}", "x".repeat(100_000));
    let mut stored = 0;
    let refused = loop {
        let answer = put(node.address, &format!("/dev/kv/k{stored}"), body.clone()).await;
        if answer.status != StatusCode::OK {
            break answer;
        }
        stored += 1;
    };
    assert!((8..=10).contains(&stored), "{stored} values of 100 kB fit in 1 MiB");
    refused.expect_problem(507, "MemoryFull", &["Memory is full", "1048576"]);
    assert_eq!(get(node.address, "/dev/kv/k0").await.version(), 1);
    assert_eq!(put(node.address, "/dev/kv/k0", r#"{"value":1}"#).await.version(), 2, "it is smaller now");
    assert_eq!(delete(node.address, "/dev/kv/k1").await.status, StatusCode::OK);
    assert_eq!(put(node.address, &format!("/dev/kv/k{stored}"), body).await.version(), 1);
}
