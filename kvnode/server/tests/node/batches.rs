//! Many keys in one request.

use http::StatusCode;
use serde_json::{Value, json};

use crate::client::{MASTER_KEY, get, post, put, send};
use crate::in_process::TestNode;

const PATH: &str = "/api/v1/kv/batch";

fn batch(count: usize) -> String {
    let items: Vec<Value> = (0..count).map(|number| json!({"key": format!("k{number}"), "value": number})).collect();
    json!({ "items": items }).to_string()
}

/// C51
#[tokio::test]
async fn each_item_of_a_batch_has_an_outcome_of_its_own() {
    let node = TestNode::with_master_key();
    put(node.address, "/kv/there", "0").await;
    let body = r#"{"items":[
        {"key":"a","value":1.50,"ttl":60,"tags":{"t":"1"}},
        {"key":"there","value":1},
        {"key":"b","value":{"x":[]}}
    ]}"#;
    for path in [PATH, "/dev/api/v1/kv/batch"] {
        let node = TestNode::with_master_key();
        put(node.address, "/kv/there", "0").await;
        let answer = post(node.address, path, body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        let told = answer.json();
        assert_eq!((&told["created"], &told["total"]), (&json!(2), &json!(3)));
        assert_eq!((&told["items"][0]["key"], &told["items"][0]["metadata"]["ttl"]), (&json!("a"), &json!(60)));
        assert!(answer.text().contains(r#""value":1.50,"#), "a value keeps its text");
        assert_eq!((&told["items"][1]["key"], &told["items"][1]["version"]), (&json!("b"), &json!(1)));
        assert_eq!(told["items"].as_array().map(Vec::len), Some(2));
        assert_eq!(
            told["errors"],
            json!([{"key": "there", "error": "Key 'there' exists already, with version 1; PUT changes it."}])
        );
        assert_eq!(get(node.address, "/kv/there").await.json()["value"], 0);
        let again = post(node.address, path, body).await;
        assert_eq!(again.status, StatusCode::CREATED, "a batch where every item fails");
        assert_eq!(
            (again.json()["created"].as_u64(), again.json()["errors"].as_array().map(Vec::len)),
            (Some(0), Some(3))
        );
        assert_eq!(get(node.address, "/kv/a").await.version(), 1);
    }
}

/// C51: 1 to 100 items.
#[tokio::test]
async fn a_batch_has_1_to_100_items() {
    let node = TestNode::with_master_key();
    assert_eq!(post(node.address, PATH, batch(100)).await.json()["created"], 100);
    assert_eq!(get(node.address, "/api/v1/kv/stats/count").await.json()["count"], 100);
    for count in [0, 101, 5000] {
        let refused = post(node.address, PATH, batch(count)).await;
        refused.expect_problem(422, "BatchSize", &[&count.to_string(), "100"]);
    }
    assert_eq!(get(node.address, "/api/v1/kv/stats/count").await.json()["count"], 100);
}

/// C51: one item that could never be stored, and nothing of the batch is.
#[tokio::test]
async fn an_invalid_item_rejects_the_whole_batch() {
    let node = TestNode::with(&[], &[("MAX_VALUE_SIZE", "100"), ("ADMIN_KEY", MASTER_KEY)]);
    let deep = format!(r#"{{"key":"x","value":{}{}}}"#, "[".repeat(40), "]".repeat(40));
    let long = format!(r#"{{"key":"{}","value":1}}"#, "k".repeat(257));
    let large = format!(r#"{{"key":"x","value":"{}"}}"#, "v".repeat(100));
    let tags = format!(r#"{{"key":"x","value":1,"tags":{{"t":"{}"}}}}"#, "v".repeat(101));
    let cases: &[(&str, &str, &[&str])] = &[
        (r#"{"key":"good","value":2}"#, "DoubleKey", &["Item 2", "'good'", "twice"]),
        (r#"{"key":"g\u006fod","value":2}"#, "DoubleKey", &["Item 2", "'good'"]),
        (r#"{"key":"x"}"#, "BadBody", &["Item 2", "missing field `value`"]),
        (r#"{"value":1}"#, "BadBody", &["Item 2", "missing field `key`"]),
        (r#"{"key":"x","value":1,"tll":5}"#, "BadBody", &["Item 2", "tll"]),
        (r#"{"key":"x","value":1,"ttl":-5}"#, "BadTtl", &["Item 2", "-5"]),
        (r#"{"key":" ","value":1}"#, "KeyBlank", &["Item 2"]),
        ("7", "BadBody", &["Item 2"]),
        (&long, "KeyTooLong", &["Item 2", "257"]),
        (&large, "ValueTooLarge", &["Item 2", "100"]),
        (&tags, "TagTooLong", &["Item 2", "101"]),
    ];
    for (item, code, words) in cases {
        let body = format!(r#"{{"items":[{{"key":"good","value":1}},{item}]}}"#);
        post(node.address, PATH, body).await.expect_problem(422, code, words);
    }
    for (body, status) in [
        (r#"{"items":7}"#, 422),
        (r#"{"keys":[]}"#, 422),
        ("{}", 422),
        ("[]", 422),
        (r#"{"items":[}"#, 400),
        (r#"{"items":[{"key":"x","value":01}]}"#, 400),
        ("", 400),
    ] {
        let refused = post(node.address, PATH, body).await;
        refused.expect_problem(status, "BadBody", &[]);
    }
    let bytes = send(node.address, "POST", PATH, &[("content-type", "application/octet-stream")], "x").await;
    bytes.expect_problem(415, "UnsupportedMediaType", &["application/json"]);
    assert_eq!(post(node.address, PATH, format!(r#"{{"items":[{deep}]}}"#)).await.json()["created"], 1);
    assert_eq!(get(node.address, "/kv/good").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_batch_may_be_as_large_as_the_largest_value() {
    let node = TestNode::with_master_key();
    let value = "v".repeat(40_000);
    let items: Vec<Value> = (0..50).map(|number| json!({"key": format!("k{number}"), "value": value})).collect();
    let created = post(node.address, PATH, json!({ "items": items }).to_string()).await.json();
    assert_eq!(created["created"], 50);
}
