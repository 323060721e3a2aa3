//! Lists over HTTP.

use crate::client::{delete, get, put};
use crate::in_process::TestNode;

/// K32, R37
#[tokio::test]
async fn a_hundred_keys_are_listed_in_pages_each_once() {
    let node = TestNode::start();
    let mut expected: Vec<String> = (0..100).map(|number| format!("user:{number}")).collect();
    for key in &expected {
        put(node.address, &format!("/dev/kv/{key}"), r#"{"value":1}"#).await;
    }
    put(node.address, "/dev/kv/other%20key", r#"{"value":1}"#).await;
    expected.sort();

    let mut listed = Vec::new();
    let mut path = "/dev/kv?prefix=user%3A&limit=30".to_owned();
    loop {
        let page = get(node.address, &path).await.json();
        let keys: Vec<String> = serde_json::from_value(page["keys"].clone()).expect("texts");
        assert_eq!(page["count"], keys.len());
        assert!(keys.len() <= 30);
        listed.extend(keys);
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/dev/kv?prefix=user%3A&limit=30&cursor={next}");
    }
    listed.sort();
    assert_eq!(listed, expected);

    let first = get(node.address, "/dev/kv").await.json();
    assert_eq!(first["count"].as_u64(), Some(100), "100 by default");
    assert!(first["next"].is_string());
    delete(node.address, "/dev/kv/other%20key").await;
    let all = get(node.address, "/dev/kv").await.json();
    assert_eq!((all["count"].as_u64(), all.get("next")), (Some(100), None), "the last page names no next");
}

#[tokio::test]
async fn an_empty_store_lists_nothing_and_bad_pages_are_400() {
    let node = TestNode::start();
    assert_eq!(get(node.address, "/dev/kv").await.text(), r#"{"keys":[],"count":0}"#);
    for limit in ["0", "1001", "99999999999999999999"] {
        let refused = get(node.address, &format!("/dev/kv?limit={limit}")).await;
        assert_eq!(refused.status.as_u16(), 400, "{limit}");
    }
    get(node.address, "/dev/kv?limit=1001").await.expect_problem(400, "PageLimit", &["1001", "1000"]);
    for cursor in ["", "0", "user:98", "00000000000000", &"c".repeat(257)] {
        let refused = get(node.address, &format!("/dev/kv?cursor={cursor}")).await;
        refused.expect_problem(400, "BadCursor", &["cursor", "next"]);
    }
}
