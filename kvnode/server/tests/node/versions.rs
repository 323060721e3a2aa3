//! Versions and conditions over HTTP, alone and in parallel.

use futures::future::join_all;
use http::StatusCode;

use crate::client::{delete, get, put, put_with, send};
use crate::in_process::TestNode;

/// K28, K29, K30, R1, C55
#[tokio::test]
async fn a_key_is_created_replaced_and_read_with_everything_said_about_it() {
    let node = TestNode::start();
    let path = "/dev/kv/user:123:profile";
    let absent = get(node.address, path).await;
    absent.expect_problem(404, "NotFound", &["Key 'user:123:profile' was not found."]);

    let created = put(node.address, path, r#"{"value":"hello world","ttl":3600,"tags":{"b":"2","a":"1"}}"#).await;
    let body = created.json();
    assert_eq!((created.status, body["status"].as_str()), (StatusCode::OK, Some("stored")));
    assert_eq!((created.version(), created.header("etag")), (1, "\"1\""));
    assert_eq!(put(node.address, path, r#"{"value":"hello again"}"#).await.version(), 2);

    let found = get(node.address, path).await;
    let body = found.json();
    assert_eq!(body["key"], "user:123:profile");
    assert_eq!(body["value"], "hello again");
    assert_eq!((body["tenant_id"].as_str(), body["node"].as_str()), (Some("dev"), Some("n0")));
    assert_eq!(body["metadata"]["version"], 2);
    assert!(body["metadata"]["ttl"].is_null() && body["metadata"]["expires_at"].is_null(), "a PUT replaces all of it");
    assert_eq!(body["metadata"]["tags"], serde_json::json!({}));
    assert!(body["status"].is_null());
    for time in ["created_at", "updated_at"] {
        let time = body["metadata"][time].as_str().expect("a time");
        assert!(time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    }
    assert_eq!(found.header("content-type"), "application/json");
}

/// K31, C48
#[tokio::test]
async fn a_delete_says_whether_there_was_anything() {
    let node = TestNode::start();
    put(node.address, "/dev/kv/k", r#"{"value":1}"#).await;
    let first = delete(node.address, "/dev/kv/k").await.json();
    assert_eq!((first["key"].as_str(), first["status"].as_str()), (Some("k"), Some("deleted")));
    assert_eq!((first["message"].as_str(), first["existed"].as_bool()), (Some("Key deleted successfully"), Some(true)));
    let second = delete(node.address, "/dev/kv/k").await;
    assert_eq!((second.status, second.json()["existed"].as_bool()), (StatusCode::OK, Some(false)));
    let minimal = send(node.address, "DELETE", "/dev/kv/k", &[("prefer", "return=minimal")], "").await;
    assert_eq!((minimal.status, minimal.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(put(node.address, "/dev/kv/k", r#"{"value":1}"#).await.version(), 3, "C43: above the tombstone");
}

/// R3
#[tokio::test]
async fn conditions_are_judged_and_a_failed_one_changes_nothing() {
    let node = TestNode::start();
    let write = async |query: &str, header: (&str, &str)| {
        put_with(node.address, &format!("/dev/kv/k{query}"), header, r#"{"value":1}"#).await
    };
    let plain = ("x-plain", "1");
    write("?ifVersion=3", plain).await.expect_problem(409, "VersionMismatch", &["'k'", "Expected 3", "actual 0"]);
    assert_eq!(write("?ifVersion=0", plain).await.version(), 1);
    write("?ifVersion=0", plain).await.expect_problem(409, "VersionMismatch", &["Expected 0", "actual 1"]);
    write("", ("if-none-match", "*")).await.expect_problem(412, "PreconditionFailed", &["actual 1"]);
    write("", ("if-match", "\"7\"")).await.expect_problem(412, "PreconditionFailed", &["one of 7", "actual 1"]);
    assert_eq!(write("", ("if-match", "\"7\", \"1\"")).await.version(), 2);
    assert_eq!(write("?ifVersion=2", ("if-match", "*")).await.version(), 3);
    write("?ifVersion=3", ("if-none-match", "\"3\"")).await.expect_problem(412, "PreconditionFailed", &["none of 3"]);

    let remove = async |query: &str| delete(node.address, &format!("/dev/kv/k{query}")).await;
    remove("?ifVersion=1").await.expect_problem(409, "VersionMismatch", &["Expected 1", "actual 3"]);
    assert_eq!(get(node.address, "/dev/kv/k").await.version(), 3);
    assert_eq!(remove("?ifVersion=3").await.status, StatusCode::OK);
    write("", ("if-match", "*")).await.expect_problem(412, "PreconditionFailed", &["actual 0"]);
    assert_eq!(write("", ("if-none-match", "*")).await.version(), 5);
}

#[tokio::test]
async fn a_reader_that_has_the_version_gets_304_and_no_body() {
    let node = TestNode::start();
    put(node.address, "/dev/kv/k", r#"{"value":1}"#).await;
    let read = async |tag: &str| send(node.address, "GET", "/dev/kv/k", &[("if-none-match", tag)], "").await;
    for tag in ["\"1\"", "W/\"1\"", "\"9\", \"1\"", "*"] {
        let answer = read(tag).await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0), "{tag}");
        assert_eq!(answer.header("etag"), "\"1\"");
    }
    assert_eq!(read("\"2\"").await.status, StatusCode::OK);
}

/// R33
#[tokio::test]
async fn five_hundred_parallel_puts_on_one_key_make_versions_1_to_500() {
    let node = TestNode::with(&["--threads", "4"], &[]);
    for path in ["/dev/kv/tenant", "/kv/bare"] {
        let puts = (0..500).map(|number| put(node.address, path, format!("{{\"value\":{number}}}")));
        let mut versions: Vec<u64> = join_all(puts).await.iter().map(crate::client::Answer::version).collect();
        versions.sort_unstable();
        assert_eq!(versions, (1..=500).collect::<Vec<u64>>());
        assert_eq!(get(node.address, path).await.version(), 500);
    }
}

/// R35
#[tokio::test]
async fn put_get_patch_get_is_the_plain_flow() {
    let node = TestNode::start();
    let json = [("content-type", "application/json")];
    assert_eq!(put(node.address, "/kv/k?ifVersion=0", r#"{"a":1}"#).await.version(), 1);
    assert_eq!(get(node.address, "/kv/k").await.json()["value"], serde_json::json!({"a": 1}));
    assert_eq!(send(node.address, "PATCH", "/kv/k?ifVersion=1", &json, r#"{"b":2}"#).await.version(), 2);
    assert_eq!(get(node.address, "/kv/k").await.json()["value"], serde_json::json!({"a": 1, "b": 2}));
}

/// R34
#[tokio::test]
async fn five_hundred_parallel_puts_on_distinct_keys_are_all_version_1() {
    let node = TestNode::with(&["--threads", "4"], &[]);
    let paths: Vec<String> = (0..500).map(|number| format!("/dev/kv/key{number}")).collect();
    let answers = join_all(paths.iter().map(|path| put(node.address, path, r#"{"value":1}"#))).await;
    assert!(answers.iter().all(|answer| answer.version() == 1));
    assert_eq!(get(node.address, "/dev/kv?limit=1000").await.json()["count"], 500);
}

/// R36, R38
#[tokio::test]
async fn three_clients_with_a_hundred_conditional_increments_each_end_at_300_and_version_301() {
    for (method, path, envelope) in
        [("PUT", "/dev/kv/counter", true), ("PUT", "/kv/counter", false), ("PATCH", "/kv/counter", false)]
    {
        count_to_300(method, path, envelope).await;
    }
}

async fn count_to_300(method: &str, path: &str, envelope: bool) {
    let node = TestNode::with(&["--threads", "3"], &[]);
    let body = |number: u64| if envelope { format!("{{\"value\":{number}}}") } else { number.to_string() };
    let write = async |version: u64, number| {
        let path = format!("{path}?ifVersion={version}");
        send(node.address, method, &path, &[("content-type", "application/json")], body(number)).await
    };
    assert_eq!(write(0, 0).await.version(), 1);
    let client = || async {
        let mut done = 0;
        while done < 100 {
            let now = get(node.address, path).await;
            let next = now.json()["value"].as_u64().expect("a number") + 1;
            match write(now.version(), next).await.status.as_u16() {
                200 => done += 1,
                409 => {}
                other => panic!("only 200 and 409 may be seen, not {other}"),
            }
        }
    };
    tokio::join!(client(), client(), client());
    let end = get(node.address, path).await;
    assert_eq!((end.json()["value"].as_u64(), end.version()), (Some(300), 301));
}

/// Of two parallel writes with the same condition one is done, the other refused.
#[tokio::test]
async fn of_two_writes_with_the_same_condition_exactly_one_is_done() {
    let node = TestNode::with(&["--threads", "2"], &[]);
    for version in 0..50 {
        let path = format!("/dev/kv/k?ifVersion={version}");
        let (first, second) =
            tokio::join!(put(node.address, &path, r#"{"value":1}"#), put(node.address, &path, r#"{"value":2}"#));
        let mut statuses = [first.status.as_u16(), second.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
}
