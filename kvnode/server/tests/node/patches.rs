//! PATCH over HTTP, by its three content types. How each changes a value is the core's business and tested there; here it
//! is that the right one is chosen, in every dialect, and what it is answered with.

use http::StatusCode;
use serde_json::json;

use crate::client::{MASTER_KEY, get, patch, put, send};
use crate::in_process::TestNode;

const SHALLOW: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
const OPERATIONS: &str = "application/json-patch+json";

const PATHS: [&str; 4] = ["/kv/k", "/dev/kv/k", "/api/v1/kv/k", "/dev/api/v1/kv/k"];

/// Content type, the value before, the patch, the value after.
type Case<'c> = (&'c str, &'c str, &'c str, &'c str);

/// R4: the tables of RFC 7396 and RFC 6902, and the shallow merge.
#[tokio::test]
async fn the_examples_of_the_standards_hold_in_every_dialect() {
    let cases: &[Case<'_>] = &[
        (SHALLOW, r#"{"a":{"x":1},"b":2}"#, r#"{"a":{"y":1},"c":null}"#, r#"{"a":{"y":1},"b":2,"c":null}"#),
        (SHALLOW, r#"{"a":1}"#, "[1]", "[1]"),
        (SHALLOW, "[1]", r#"{"a":1}"#, r#"{"a":1}"#),
        (MERGE, r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (MERGE, r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
        (MERGE, r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
        (MERGE, r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
        (MERGE, r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (MERGE, r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
        (MERGE, r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
        (MERGE, r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
        (MERGE, r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
        (MERGE, r#"{"a":"foo"}"#, "null", "null"),
        (MERGE, r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
        (MERGE, "[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
        (MERGE, "{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        (
            OPERATIONS,
            r#"{"foo":"bar"}"#,
            r#"[{"op":"add","path":"/baz","value":"qux"}]"#,
            r#"{"foo":"bar","baz":"qux"}"#,
        ),
        (OPERATIONS, r#"{"foo":[1,3]}"#, r#"[{"op":"add","path":"/foo/1","value":2}]"#, r#"{"foo":[1,2,3]}"#),
        (OPERATIONS, r#"{"baz":1,"foo":2}"#, r#"[{"op":"remove","path":"/baz"}]"#, r#"{"foo":2}"#),
        (OPERATIONS, r#"{"baz":1}"#, r#"[{"op":"replace","path":"/baz","value":2}]"#, r#"{"baz":2}"#),
        (
            OPERATIONS,
            r#"{"a":{"x":1},"b":{}}"#,
            r#"[{"op":"move","from":"/a/x","path":"/b/y"}]"#,
            r#"{"a":{},"b":{"y":1}}"#,
        ),
        (OPERATIONS, r#"{"a":1}"#, r#"[{"op":"copy","from":"/a","path":"/b"}]"#, r#"{"a":1,"b":1}"#),
        (OPERATIONS, r#"{"/":9,"~1":10}"#, r#"[{"op":"test","path":"/~01","value":10}]"#, r#"{"/":9,"~1":10}"#),
        (OPERATIONS, r#"{"foo":["bar"]}"#, r#"[{"op":"add","path":"/foo/-","value":[1]}]"#, r#"{"foo":["bar",[1]]}"#),
    ];
    let node = TestNode::with_master_key();
    for (content_type, before, body, after) in cases {
        for path in PATHS {
            let version = put(node.address, "/kv/k", *before).await.version();
            let patched = patch(node.address, path, content_type, *body).await;
            assert_eq!(patched.version(), version + 1, "{content_type} {body}");
            assert_eq!(
                (patched.header("etag"), patched.json()["status"].is_null()),
                (&*format!("\"{}\"", version + 1), true)
            );
            assert_eq!(get(node.address, "/kv/k?raw=true").await.text(), *after, "{before} with {content_type} {body}");
        }
    }
}

/// R4: what a patch does not touch keeps every character.
#[tokio::test]
async fn a_patch_leaves_numbers_order_and_duplicates_alone() {
    let node = TestNode::with_master_key();
    put(node.address, "/kv/k", r#"{"n": 12345678901234567890.10, "a":1, "a":2, "z":-0.0e-0}"#).await;
    patch(node.address, "/kv/k", MERGE, r#"{"b":9007199254740993}"#).await;
    let text = get(node.address, "/kv/k?raw=true").await;
    for part in ["12345678901234567890.10", r#""a":1, "a":2"#, "-0.0e-0", "9007199254740993"] {
        assert!(text.text().contains(part), "{} lost {part}", text.text());
    }
}

#[tokio::test]
async fn a_patch_keeps_ttl_and_tags_and_does_nothing_under_a_failed_condition() {
    let node = TestNode::with_master_key();
    put(node.address, "/dev/kv/k", r#"{"value":{},"ttl":3600,"tags":{"t":"1"}}"#).await;
    let patched = patch(node.address, "/dev/kv/k?ifVersion=1", SHALLOW, r#"{"a":1}"#).await.json();
    assert_eq!((&patched["metadata"]["ttl"], &patched["metadata"]["tags"]), (&json!(3600), &json!({"t": "1"})));
    let stale = patch(node.address, "/dev/kv/k?ifVersion=1", SHALLOW, r#"{"a":2}"#).await;
    stale.expect_problem(409, "VersionMismatch", &["Expected 1", "actual 2"]);
    let headers = [("content-type", MERGE), ("if-match", "\"9\"")];
    let stale = send(node.address, "PATCH", "/dev/kv/k", &headers, r#"{"a":2}"#).await;
    stale.expect_problem(412, "PreconditionFailed", &["one of 9", "actual 2"]);
    assert_eq!(get(node.address, "/kv/k").await.json()["value"], json!({"a": 1}));
}

/// R4: two kinds create a key, the third finds nothing to work on.
#[tokio::test]
async fn an_absent_key_is_created_by_a_merge_and_not_by_operations() {
    for path in PATHS {
        let node = TestNode::with_master_key();
        let absent = patch(node.address, path, OPERATIONS, r#"[{"op":"add","path":"","value":1}]"#).await;
        absent.expect_problem(404, "NotFound", &["Key 'k' was not found."]);
        assert_eq!(patch(node.address, path, SHALLOW, r#"{"a":null}"#).await.version(), 1);
        assert_eq!(get(node.address, path).await.json()["value"], json!({"a": null}));
        let node = TestNode::with_master_key();
        assert_eq!(patch(node.address, path, MERGE, r#"{"a":null,"b":1}"#).await.version(), 1);
        assert_eq!(get(node.address, path).await.json()["value"], json!({"b": 1}));
    }
}

/// Body, content type; the status on the bare path and on the versioned one; the code.
type Refused<'c> = (&'c str, String, [u16; 2], &'c str);

#[tokio::test]
async fn what_cannot_be_applied_says_why_and_changes_nothing() {
    let node = TestNode::with_master_key();
    let deep = "[".repeat(10_000);
    let deep_closed = format!("{}{}", "[".repeat(129), "]".repeat(129));
    let copies = r#"{"op":"copy","from":"","path":"/c"}"#;
    let many = vec![r#"{"op":"test","path":"/a","value":1}"#; 1001].join(",");
    let cases: Vec<Refused<'_>> = vec![
        (SHALLOW, "null".into(), [400, 400], "NullBody"),
        (SHALLOW, "{".into(), [400, 400], "NotJson"),
        (SHALLOW, String::new(), [400, 400], "NotJson"),
        (MERGE, deep.clone(), [400, 400], "NotJson"),
        (MERGE, deep_closed, [400, 400], "TooDeep"),
        (OPERATIONS, "{}".into(), [400, 422], "NotOperations"),
        (OPERATIONS, r#"[{"op":"melt","path":"/a"}]"#.into(), [400, 422], "NotOperations"),
        (OPERATIONS, r#"[{"op":"test","path":"/a","value":2}]"#.into(), [409, 409], "TestFailed"),
        (OPERATIONS, r#"[{"op":"remove","path":"/b"}]"#.into(), [422, 422], "NoTarget"),
        (OPERATIONS, r#"[{"op":"remove","path":"a"}]"#.into(), [422, 422], "BadPointer"),
        (OPERATIONS, r#"[{"op":"move","from":"/a","path":"/a/b"}]"#.into(), [422, 422], "MoveIntoItself"),
        (OPERATIONS, format!("[{many}]"), [422, 422], "TooManyOperations"),
        (OPERATIONS, format!("[{}]", vec![copies; 200].join(",")), [422, 422], "ResultTooDeep"),
    ];
    put(node.address, "/kv/k", r#"{"a":1}"#).await;
    for (content_type, body, statuses, code) in &cases {
        for (path, status) in [("/kv/k", statuses[0]), ("/dev/kv/k", statuses[0]), ("/api/v1/kv/k", statuses[1])] {
            patch(node.address, path, content_type, body.clone()).await.expect_problem(status, code, &[]);
        }
    }
    assert_eq!(get(node.address, "/kv/k").await.version(), 1);

    let refused = patch(node.address, "/kv/k", "text/plain", "{}").await;
    refused.expect_problem(415, "UnsupportedMediaType", &["text/plain", MERGE, OPERATIONS]);
    assert!(refused.header("accept-patch").contains(OPERATIONS));
    send(node.address, "PUT", "/kv/b", &[("content-type", "application/octet-stream")], "no json").await;
    patch(node.address, "/kv/b", MERGE, "{}").await.expect_problem(422, "ValueUnfit", &["'b'", "no JSON"]);
    send(node.address, "PUT", "/kv/b", &[("content-type", "application/octet-stream")], r#"{"a":1}"#).await;
    let patched = patch(node.address, "/kv/b", MERGE, r#"{"b":2}"#).await.json();
    assert_eq!((&patched["value"], patched["metadata"].get("encoding")), (&json!({"a": 1, "b": 2}), None));
}

/// C91: the limit is on what is stored, not on what is sent.
#[tokio::test]
async fn a_patch_that_would_make_the_value_too_large_is_413() {
    let node = TestNode::with(&[], &[("MAX_VALUE_SIZE", "20"), ("ADMIN_KEY", MASTER_KEY)]);
    put(node.address, "/kv/k", r#"{"a":"0123456789"}"#).await;
    let refused = patch(node.address, "/kv/k", MERGE, r#"{"b":123}"#).await;
    refused.expect_problem(413, "ResultTooLarge", &["'k'", "20"]);
    assert_eq!(get(node.address, "/kv/k").await.status, StatusCode::OK);
}
