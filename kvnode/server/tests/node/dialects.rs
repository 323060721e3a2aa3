//! One store behind three families of paths: what one wrote the others read, and each answers in its own way.

use http::StatusCode;
use serde_json::json;

use crate::client::{Answer, MASTER_KEY, delete, get, patch, post, put, put_with, send};
use crate::in_process::TestNode;

/// A key under every prefix.
const PREFIXES: [&str; 4] = ["", "/dev", "/api/v1", "/dev/api/v1"];

/// K43, contradiction 1: the path picks how bodies look, never another store.
#[tokio::test]
async fn what_is_written_under_one_prefix_is_read_under_all() {
    let node = TestNode::with_master_key();
    put(node.address, "/kv/bare", "[1]").await;
    put(node.address, "/dev/kv/tenant", r#"{"value":[2]}"#).await;
    post(node.address, "/api/v1/kv", r#"{"key":"versioned","value":[3]}"#).await;
    post(node.address, "/dev/api/v1/kv", r#"{"key":"both","value":[4]}"#).await;
    for prefix in PREFIXES {
        for (key, value) in [("bare", 1), ("tenant", 2), ("versioned", 3), ("both", 4)] {
            let found = get(node.address, &format!("{prefix}/kv/{key}")).await;
            assert_eq!(found.version(), 1);
            let body = found.json();
            assert_eq!((&body["key"], &body["value"]), (&json!(key), &json!([value])), "{prefix}");
            assert_eq!((&body["tenant_id"], &body["node"]), (&json!("dev"), &json!("n0")));
            assert_eq!((body["status"].is_null(), found.header("etag")), (true, "\"1\""));
        }
    }
}

/// Method, path behind the prefix, body; then the status under the bare, the tenant's and the versioned prefix.
type Case<'c> = (&'c str, &'c str, &'c str, [u16; 3]);

/// K28–K31, C41, C45, C46, C48, C57, C90: on each row the key `k` exists and `absent` does not.
#[tokio::test]
async fn each_dialect_has_its_own_codes() {
    let long = format!("/kv/{}", "k".repeat(257));
    let tags = format!(r#"{{"value":1,"tags":{{"t":"{}"}}}}"#, "v".repeat(101));
    let deep = format!(r#"{{"value":{}1{}}}"#, "[".repeat(129), "]".repeat(129));
    let cases: &[Case<'_>] = &[
        ("GET", "/kv/k", "", [200, 200, 200]),
        ("HEAD", "/kv/k", "", [200, 200, 200]),
        ("GET", "/kv/absent", "", [404, 404, 404]),
        ("PUT", "/kv/k", r#"{"value":1}"#, [200, 200, 200]),
        ("PUT", "/kv/absent", r#"{"value":1}"#, [200, 200, 404]),
        ("PUT", "/kv/absent?ifVersion=3", r#"{"value":1}"#, [409, 409, 404]),
        ("PUT", "/kv/k?ifVersion=3", r#"{"value":1}"#, [409, 409, 409]),
        ("DELETE", "/kv/k?ifVersion=3", "", [409, 409, 409]),
        ("DELETE", "/kv/absent?ifVersion=3", "", [409, 409, 409]),
        ("PATCH", "/kv/absent?ifVersion=3", "{}", [409, 409, 409]),
        ("PATCH", "/kv/k", "{}", [200, 200, 200]),
        ("PATCH", "/kv/absent", "{}", [200, 200, 200]),
        ("PATCH", "/kv/k", "null", [400, 400, 400]),
        ("DELETE", "/kv/k", "", [200, 200, 200]),
        ("DELETE", "/kv/absent", "", [404, 200, 404]),
        ("PUT", "/kv/k", r#"{"value":1,}"#, [400, 400, 400]),
        ("PUT", "/kv/k", "", [400, 400, 400]),
        ("PUT", "/kv/k", r#"{"value":1,"ttl":-1}"#, [200, 400, 422]),
        ("PUT", "/kv/k", r#"{"value":1,"ttl":"1"}"#, [200, 400, 422]),
        ("PUT", "/kv/k", r#"{"value":1,"tll":1}"#, [200, 400, 422]),
        ("PUT", "/kv/k", "[1]", [200, 400, 422]),
        ("PUT", "/kv/k", &tags, [200, 422, 422]),
        ("PUT", "/kv/k", &deep, [400, 400, 400]),
        ("PUT", "/kv/k?ifVersion=x", r#"{"value":1}"#, [400, 400, 422]),
        ("PUT", "/kv/k?unknown=1", r#"{"value":1}"#, [400, 400, 422]),
        ("GET", "/kv/k?raw=maybe", "", [400, 400, 422]),
        ("GET", "/kv/k?raw=%zz", "", [400, 400, 400]),
        ("GET", &long, "", [400, 400, 422]),
        ("GET", "/kv/%20", "", [400, 400, 422]),
        ("GET", "/kv/", "", [400, 400, 422]),
        ("GET", "/kv/%FF", "", [400, 400, 400]),
        ("POST", "/kv/k", "", [405, 405, 405]),
    ];
    let node = TestNode::with_master_key();
    for (method, path, body, statuses) in cases {
        for (prefix, expected) in [("", 0), ("/dev", 1), ("/api/v1", 2), ("/dev/api/v1", 2)] {
            delete(node.address, "/dev/kv/absent").await;
            delete(node.address, "/dev/kv/k").await;
            let version = put(node.address, "/dev/kv/k", r#"{"value":{}}"#).await.version();
            let path = path.replace("ifVersion=3", &format!("ifVersion={}", version + 1));
            let answer = send(node.address, method, &format!("{prefix}{path}"), &[], (*body).to_owned()).await;
            let expected = statuses[expected];
            assert_eq!(answer.status.as_u16(), expected, "{method} {prefix}{path} {body}: {}", answer.text());
            if expected >= 400 && *method != "HEAD" {
                let code = answer.json()["code"].as_str().expect("a code").to_owned();
                answer.expect_problem(expected, &code, &[]);
            }
            if expected >= 400 {
                assert_eq!(get(node.address, "/dev/kv/k").await.version(), version, "{method} {path} wrote something");
            }
        }
    }
}

/// K29, R3
#[tokio::test]
async fn a_put_on_the_bare_path_takes_the_body_as_the_value() {
    let node = TestNode::with_master_key();
    for text in [r#"{"value":1,"ttl":5}"#, " [1.50, 2] ", "12345678901234567890", "null", "\"x\""] {
        let stored = put(node.address, "/kv/k?ttl=60", text).await;
        let body = stored.json();
        assert_eq!((body["status"].as_str(), body["metadata"]["ttl"].as_u64()), (Some("stored"), Some(60)), "{text}");
        assert_eq!(get(node.address, "/kv/k?raw=true").await.text(), text.trim());
    }
    assert!(put(node.address, "/kv/k", "1").await.json()["metadata"]["ttl"].is_null(), "a PUT replaces all of it");
    let bytes = send(node.address, "PUT", "/kv/k", &[("content-type", "application/octet-stream")], "{").await;
    assert_eq!(bytes.json()["metadata"]["encoding"], "utf-8");
    let refused = send(node.address, "PUT", "/kv/k", &[("content-type", "text/plain")], "1").await;
    refused.expect_problem(415, "UnsupportedMediaType", &["text/plain", "application/octet-stream"]);
}

/// C41–C44, C47
#[tokio::test]
async fn a_post_creates_and_never_overwrites() {
    let node = TestNode::with_master_key();
    let created = post(node.address, "/api/v1/kv", r#"{"key":"a/b","value":"v","ttl":3600,"tags":{"t":"1"}}"#).await;
    assert_eq!((created.status, created.header("etag")), (StatusCode::CREATED, "\"1\""));
    let body = created.json();
    assert_eq!((&body["key"], &body["value"]), (&json!("a/b"), &json!("v")));
    let metadata = &body["metadata"];
    assert_eq!((&metadata["version"], &metadata["ttl"]), (&json!(1), &json!(3600)));
    assert_eq!(metadata["tags"], json!({"t": "1"}));
    let again = post(node.address, "/api/v1/kv", r#"{"key":"a/b","value":"w"}"#).await;
    again.expect_problem(409, "AlreadyExists", &["'a/b'", "version 1"]);
    assert_eq!(get(node.address, "/api/v1/kv/a%2Fb").await.json()["value"], "v");
    delete(node.address, "/api/v1/kv/a%2Fb").await;
    let reborn = post(node.address, "/api/v1/kv", r#"{"key":"a/b","value":"w"}"#).await;
    assert_eq!((reborn.status.as_u16(), reborn.json()["version"].as_u64()), (201, Some(3)), "above the tombstone");
    for (body, status) in [
        (r#"{"value":1}"#, 422),
        (r#"{"key":"x"}"#, 422),
        (r#"{"key":7,"value":1}"#, 422),
        (r#"{"key":"","value":1}"#, 422),
        (r#"{"key":"x","value":1,"version":2}"#, 422),
        (r#"{"key":"x","value":1"#, 400),
        ("", 400),
    ] {
        assert_eq!(post(node.address, "/api/v1/kv", body).await.status.as_u16(), status, "{body}");
    }
    let conditional = post(node.address, "/api/v1/kv?ifVersion=2", r#"{"key":"y","value":1}"#).await;
    conditional.expect_problem(409, "VersionMismatch", &["Expected 2", "actual 0"]);
    assert_eq!(get(node.address, "/api/v1/kv/x").await.status, StatusCode::NOT_FOUND);
}

/// C46, C47: what is left out stays as it is.
#[tokio::test]
async fn a_put_on_the_versioned_path_changes_what_it_names() {
    let node = TestNode::with_master_key();
    let path = "/api/v1/kv/k";
    post(node.address, "/api/v1/kv", r#"{"key":"k","value":{"a":1},"ttl":3600,"tags":{"t":"1"}}"#).await;
    let facts = |answer: &Answer| {
        let body = answer.json();
        let metadata = &body["metadata"];
        (body["version"].clone(), body["value"].clone(), metadata["ttl"].clone(), metadata["tags"].clone())
    };
    let cases = [
        (r#"{"value":7}"#, (json!(2), json!(7), json!(3600), json!({"t": "1"}))),
        (r#"{"tags":{"u":"2"}}"#, (json!(3), json!(7), json!(3600), json!({"u": "2"}))),
        (r#"{"ttl":60}"#, (json!(4), json!(7), json!(60), json!({"u": "2"}))),
        ("{}", (json!(5), json!(7), json!(60), json!({"u": "2"}))),
        (r#"{"ttl":null}"#, (json!(6), json!(7), json!(null), json!({"u": "2"}))),
        (r#"{"value":null,"tags":null}"#, (json!(7), json!(null), json!(null), json!({}))),
        (r#"{"ttl":0}"#, (json!(8), json!(null), json!(null), json!({}))),
    ];
    for (body, expected) in cases {
        let changed = put(node.address, path, body).await;
        assert_eq!(facts(&changed), expected, "{body}");
        assert_eq!(facts(&get(node.address, path).await), expected, "{body}");
    }
    put(node.address, "/api/v1/kv/new", r#"{"value":1}"#).await.expect_problem(404, "NotFound", &["'new'"]);
    let nothing = put(node.address, "/api/v1/kv/new?upsert=true", r#"{"ttl":5}"#).await;
    nothing.expect_problem(422, "BadBody", &["'new'", "no value"]);
    assert_eq!(put(node.address, "/api/v1/kv/new?upsert=true", r#"{"value":1}"#).await.version(), 1);
    assert_eq!(put(node.address, "/api/v1/kv/new?upsert=true", r#"{"ttl":5}"#).await.version(), 2);
    let guarded = put_with(node.address, "/api/v1/kv/new", ("if-match", "\"1\""), r#"{"value":1}"#).await;
    guarded.expect_problem(412, "PreconditionFailed", &["actual 2"]);
}

/// C89: silent expiry would lose data, so only creations under the versioned paths take it.
#[tokio::test]
async fn the_default_ttl_is_for_creations_under_the_versioned_paths() {
    for setting in ["3600", "60m", "1h"] {
        let node = TestNode::with(&[], &[("DEFAULT_TTL", setting), ("ADMIN_KEY", MASTER_KEY)]);
        let ttl = async |answer: Answer| answer.json()["metadata"]["ttl"].clone();
        let create = async |body: &'static str| ttl(post(node.address, "/api/v1/kv", body).await).await;
        assert_eq!(create(r#"{"key":"a","value":1}"#).await, json!(3600));
        assert_eq!(create(r#"{"key":"b","value":1,"ttl":5}"#).await, json!(5));
        assert_eq!(create(r#"{"key":"c","value":1,"ttl":null}"#).await, json!(null));
        assert_eq!(ttl(put(node.address, "/api/v1/kv/c", r#"{"value":2}"#).await).await, json!(null), "it was there");
        let upsert = put(node.address, "/api/v1/kv/d?upsert=true", r#"{"value":1}"#).await;
        assert_eq!(ttl(upsert).await, json!(3600));
        let patched = patch(node.address, "/api/v1/kv/e", "application/json", "{}").await;
        assert_eq!(ttl(patched).await, json!(3600));
        assert_eq!(ttl(put(node.address, "/dev/kv/f", r#"{"value":1}"#).await).await, json!(null));
        assert_eq!(ttl(put(node.address, "/kv/g", "1").await).await, json!(null));
    }
}

/// C52–C54
#[tokio::test]
async fn a_key_can_be_asked_for_its_existence_and_its_time() {
    let node = TestNode::with_master_key();
    put(node.address, "/dev/kv/user:1", r#"{"value":1,"ttl":100}"#).await;
    put(node.address, "/dev/kv/ever", r#"{"value":1}"#).await;
    let ask = async |path: &str| get(node.address, &format!("/api/v1/kv/{path}")).await;
    assert_eq!(ask("user:1/exists").await.text(), r#"{"key":"user:1","exists":true}"#);
    assert_eq!(ask("nobody/exists").await.text(), r#"{"key":"nobody","exists":false}"#);
    assert_eq!(ask("user:1/ttl").await.text(), r#"{"key":"user:1","ttl":100}"#);
    assert_eq!(ask("ever/ttl").await.text(), r#"{"key":"ever","ttl":null}"#);
    ask("nobody/ttl").await.expect_problem(404, "NotFound", &["'nobody'"]);
    assert_eq!(ask("stats/count").await.text(), r#"{"tenant_id":"dev","count":2}"#);
    node.clock.put_ahead(std::time::Duration::from_secs(40));
    assert_eq!(ask("user:1/ttl").await.json()["ttl"], 60);
    assert_eq!(ask("user:1").await.json()["metadata"]["ttl"], 100, "the ttl as it was given");
    node.clock.put_ahead(std::time::Duration::from_secs(60));
    assert_eq!(ask("user:1/exists").await.json()["exists"], false);
    assert_eq!(ask("stats/count").await.json()["count"], 1);
}

/// Words that stand in paths are good keys all the same.
#[tokio::test]
async fn keys_may_be_called_like_parts_of_paths() {
    let node = TestNode::with_master_key();
    for key in ["batch", "stats", "kv", "exists", "health", "v1", "stats%2Fcount"] {
        assert_eq!(put(node.address, &format!("/kv/{key}"), "1").await.version(), 1, "{key}");
        for prefix in PREFIXES {
            let found = get(node.address, &format!("{prefix}/kv/{key}")).await;
            assert_eq!(found.version(), 1, "{prefix} {key}");
        }
        let exists = get(node.address, &format!("/api/v1/kv/{key}/exists")).await;
        assert_eq!(exists.json()["exists"], true, "{key}");
        assert_eq!(patch(node.address, &format!("/api/v1/kv/{key}"), "application/json", "2").await.version(), 2);
        assert_eq!(delete(node.address, &format!("/api/v1/kv/{key}")).await.status, StatusCode::OK, "{key}");
    }
}

/// K43
#[tokio::test]
async fn a_tenant_may_be_called_api() {
    let node = TestNode::with(&["--tenant", "api"], &[("ADMIN_KEY", MASTER_KEY)]);
    assert_eq!(put(node.address, "/api/kv/x", r#"{"value":1}"#).await.version(), 1);
    for path in ["/api/kv/x", "/kv/x", "/api/v1/kv/x", "/api/api/v1/kv/x"] {
        assert_eq!(get(node.address, path).await.version(), 1, "{path}");
    }
    assert_eq!(get(node.address, "/api/v1/kv").await.json()["total"], 1);
    assert_eq!(get(node.address, "/api/kv").await.json()["count"], 1);
    assert_eq!(get(node.address, "/api/health").await.json()["tenant"], "api");
}

/// C58
#[tokio::test]
async fn the_prefix_of_the_versioned_paths_can_be_set() {
    let node = TestNode::with(&[], &[("API_V1_PREFIX", "/api/v3"), ("ADMIN_KEY", MASTER_KEY)]);
    let created = post(node.address, "/api/v3/kv", r#"{"key":"k","value":1}"#).await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(get(node.address, "/dev/api/v3/kv/k").await.version(), 1);
    get(node.address, "/api/v1/kv/k").await.expect_problem(404, "NoSuchPath", &["/api/v3/kv"]);
    let page = get(node.address, "/metrics").await;
    let series = r#"http_requests_total{method="POST",endpoint="/api/v1/kv",status="201"} 1"#;
    assert!(page.text().contains(series), "dashboards fit every node");
}

#[tokio::test]
async fn head_is_get_without_the_body_in_every_dialect() {
    let node = TestNode::with_master_key();
    put(node.address, "/dev/kv/k", r#"{"value":1}"#).await;
    for path in ["/kv/k", "/dev/kv/k", "/api/v1/kv/k", "/api/v1/kv/k/exists", "/dev/kv", "/health", "/kv/absent"] {
        let full = get(node.address, path).await;
        let head = send(node.address, "HEAD", path, &[], "").await;
        assert_eq!((head.status, head.body.len()), (full.status, 0), "{path}");
        for name in ["content-type", "content-length", "etag", "x-kv-node"] {
            assert_eq!(head.headers.get(name), full.headers.get(name), "{name} of {path}");
        }
    }
    for path in ["/kv", "/api/v1/kv"] {
        let head = send(node.address, "HEAD", path, &[], "").await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0), "{path}");
    }
}
