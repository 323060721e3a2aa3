//! What is wrong with a request is said in a sentence that names it, and nothing is written.

use http::StatusCode;

use crate::client::{get, put, put_with, send};
use crate::in_process::TestNode;

/// Body, expected code, words of the sentence.
type Case<'c> = (&'c str, &'c str, &'c [&'c str]);

/// C56, C94: shape and type errors are 400 here.
#[tokio::test]
async fn a_body_of_the_wrong_shape_is_400_and_writes_nothing() {
    let node = TestNode::start();
    let deep = format!("{{\"value\":{}{}}}", "[".repeat(129), "]".repeat(129));
    let cases: &[Case<'_>] = &[
        ("", "BadBody", &["value"]),
        ("hello", "BadBody", &["value"]),
        ("{}", "BadBody", &["missing field `value`"]),
        ("[1]", "BadBody", &["value"]),
        ("{\"value\":1", "BadBody", &["value"]),
        ("{\"value\":01}", "BadBody", &["value"]),
        ("{\"value\":1}{", "BadBody", &["value"]),
        ("{\"value\":1,\"value\":2}", "BadBody", &["duplicate field `value`"]),
        ("{\"value\":1,\"tll\":60}", "BadBody", &["tll"]),
        (&deep, "JsonTooDeep", &["128"]),
        ("{\"value\":1,\"ttl\":-5}", "BadTtl", &["-5", "whole seconds"]),
        ("{\"value\":1,\"ttl\":1.5}", "BadTtl", &["1.5"]),
        ("{\"value\":1,\"ttl\":\"60\"}", "BadTtl", &["\"60\""]),
        ("{\"value\":1,\"ttl\":true}", "BadTtl", &["true"]),
        ("{\"value\":1,\"ttl\":1e3}", "BadTtl", &["1e3"]),
        ("{\"value\":1,\"ttl\":99999999999999999999999}", "TtlTooLong", &["3153600000"]),
        ("{\"value\":1,\"tags\":[\"a\"]}", "BadTags", &["text to text"]),
        ("{\"value\":1,\"tags\":{\"a\":1}}", "BadTags", &["text to text"]),
    ];
    for (body, code, words) in cases {
        put(node.address, "/dev/kv/k", (*body).to_owned()).await.expect_problem(400, code, words);
    }
    assert_eq!(get(node.address, "/dev/kv/k").await.status, StatusCode::NOT_FOUND);
}

/// C57
#[tokio::test]
async fn too_many_or_too_long_tags_are_422() {
    let node = TestNode::start();
    let many: Vec<String> = (0..51).map(|number| format!("\"t{number}\":\"v\"")).collect();
    let body = format!("{{\"value\":1,\"tags\":{{{}}}}}", many.join(","));
    put(node.address, "/dev/kv/k", body).await.expect_problem(422, "TooManyTags", &["51", "50"]);
    let long = format!("{{\"value\":1,\"tags\":{{\"t\":\"{}\"}}}}", "v".repeat(101));
    put(node.address, "/dev/kv/k", long).await.expect_problem(422, "TagTooLong", &["101", "100"]);
    let most = format!("{{\"value\":1,\"tags\":{{{}}}}}", many[..50].join(","));
    assert_eq!(put(node.address, "/dev/kv/k", most).await.version(), 1);
}

/// C90
#[tokio::test]
async fn bad_keys_are_400() {
    let node = TestNode::start();
    let long = "k".repeat(257);
    for (key, code, words) in [
        (long.as_str(), "KeyTooLong", ["257", "256"]),
        ("%20%20", "KeyBlank", ["blank", "256"]),
        ("", "KeyBlank", ["no key", "/kv/"]),
        ("a%00b", "KeyControlCharacter", ["control", "U+0000"]),
        ("a%0Ab", "KeyControlCharacter", ["control", "U+000A"]),
        ("a%FFb", "BadPath", ["UTF-8", "path"]),
    ] {
        let path = format!("/dev/kv/{key}");
        put(node.address, &path, r#"{"value":1}"#).await.expect_problem(400, code, &words);
        get(node.address, &path).await.expect_problem(400, code, &words);
    }
    assert_eq!(put(node.address, &format!("/dev/kv/{}", "k".repeat(256)), r#"{"value":1}"#).await.version(), 1);
}

#[tokio::test]
async fn bad_queries_and_conditions_are_400() {
    let node = TestNode::start();
    let body = r#"{"value":1}"#;
    for query in ["ifVersion=x", "ifVersion=-1", "ifVersion=", "ifversion=1", "ttl=5", "ifVersion=1&ifVersion=2"] {
        let refused = put(node.address, &format!("/dev/kv/k?{query}"), body).await;
        refused.expect_problem(400, "BadQuery", &[]);
    }
    get(node.address, "/dev/kv/k?raw=maybe").await.expect_problem(400, "BadQuery", &["raw", "maybe"]);
    for tag in ["3", "\"3", "abc"] {
        let refused = put_with(node.address, "/dev/kv/k", ("if-match", tag), body).await;
        refused.expect_problem(400, "BadCondition", &["if-match"]);
    }
    assert_eq!(get(node.address, "/dev/kv/k").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_json_and_bytes_are_understood() {
    let node = TestNode::start();
    let body = r#"{"value":1}"#;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        let refused = send(node.address, "PUT", "/dev/kv/k", &[("content-type", content_type)], body).await;
        refused.expect_problem(415, "UnsupportedMediaType", &[content_type, "application/json"]);
    }
    for headers in
        [&[][..], &[("content-type", "application/json; charset=utf-8")], &[("content-type", "Application/JSON")]]
    {
        assert_eq!(send(node.address, "PUT", "/dev/kv/k", headers, body).await.status, StatusCode::OK, "{headers:?}");
    }
}

#[tokio::test]
async fn another_method_is_405_and_told_which_are_allowed() {
    let node = TestNode::start();
    for (method, path, allowed) in [
        ("POST", "/dev/kv/k", vec!["DELETE", "GET", "HEAD", "PATCH", "PUT"]),
        ("POST", "/dev/kv", vec!["GET", "HEAD"]),
        ("PUT", "/kv", vec!["GET", "HEAD"]),
        ("DELETE", "/api/v1/kv", vec!["GET", "HEAD", "POST"]),
        ("POST", "/dev/api/v1/kv/k", vec!["DELETE", "GET", "HEAD", "PATCH", "PUT"]),
        ("PUT", "/api/v1/kv/k/exists", vec!["GET", "HEAD"]),
        ("DELETE", "/health", vec!["GET", "HEAD"]),
    ] {
        let refused = send(node.address, method, path, &[], "").await;
        refused.expect_problem(405, "MethodNotAllowed", &[method]);
        let mut found: Vec<&str> = refused.header("allow").split(',').map(str::trim).collect();
        found.sort_unstable();
        assert_eq!(found, allowed);
    }
}

/// K36
#[tokio::test]
async fn another_tenants_name_is_404_on_every_path() {
    let node = TestNode::start();
    put(node.address, "/dev/kv/x", r#"{"value":1}"#).await;
    for path in ["/other/kv/x", "/other/kv", "/other/kv/", "/other/health", "/other/health/ready", "/other/metrics"] {
        get(node.address, path).await.expect_problem(404, "UnknownTenant", &["'other'"]);
    }
    put(node.address, "/other/kv/x", r#"{"value":2}"#).await.expect_problem(404, "UnknownTenant", &["'other'"]);
    assert_eq!(get(node.address, "/dev/kv/x").await.version(), 1);
}

#[tokio::test]
async fn what_is_not_there_is_404_and_says_where_the_keys_are() {
    let node = TestNode::start();
    for path in ["/", "/nothing", "/api/v1", "/api/v2/kv", "/dev", "/dev/v1/kv"] {
        get(node.address, path).await.expect_problem(404, "NoSuchPath", &["/dev/kv", "/api/v1/kv"]);
    }
    for path in ["/dev/kv/a/b", "/kv/a/b", "/api/v1/kv/a/b/c", "/dev/api/v1/kv/a/b"] {
        get(node.address, path).await.expect_problem(404, "NoSuchPath", &["%2F"]);
    }
}
