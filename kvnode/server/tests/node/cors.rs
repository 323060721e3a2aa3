//! Web pages of other origins.

use http::StatusCode;

use crate::client::{Answer, put, send};
use crate::in_process::TestNode;

fn with_origins(origins: &str) -> (TestNode, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kvnode.yaml");
    std::fs::write(&file, format!("http:\n  corsOrigins: {origins}\n")).expect("a file");
    let node = TestNode::with(&["--config", file.to_str().expect("UTF-8")], &[]);
    (node, folder)
}

async fn preflight(node: &TestNode, origin: &str) -> Answer {
    let headers = [("origin", origin), ("access-control-request-method", "PATCH")];
    send(node.address, "OPTIONS", "/api/v1/kv/k", &headers, "").await
}

/// C127
#[tokio::test]
async fn a_listed_origin_may_use_everything_and_another_fails_its_preflight() {
    let (node, _folder) = with_origins(r#"["https://a.example", "http://localhost:8080"]"#);
    for origin in ["https://a.example", "http://localhost:8080"] {
        let allowed = preflight(&node, origin).await;
        assert_eq!((allowed.status, allowed.body.len()), (StatusCode::NO_CONTENT, 0));
        assert_eq!(allowed.header("access-control-allow-origin"), origin);
        assert_eq!(allowed.header("vary"), "Origin");
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
            assert!(allowed.header("access-control-allow-methods").contains(method), "{method}");
        }
        for header in
            ["Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key", "X-API-Key", "Prefer"]
        {
            assert!(allowed.header("access-control-allow-headers").contains(header), "{header}");
        }
        let read = send(node.address, "GET", "/dev/kv/absent", &[("origin", origin)], "").await;
        assert_eq!((read.status.as_u16(), read.header("access-control-allow-origin")), (404, origin));
        for header in ["ETag", "X-KV-Node", "X-Request-Id"] {
            assert!(read.header("access-control-expose-headers").contains(header), "{header}");
        }
    }
    for origin in ["https://b.example", "http://a.example", "null"] {
        let refused = preflight(&node, origin).await;
        refused.expect_problem(403, "OriginRefused", &[origin, "http.corsOrigins"]);
        assert!(refused.headers.get("access-control-allow-origin").is_none());
        let read = send(node.address, "GET", "/health", &[("origin", origin)], "").await;
        assert_eq!((read.status, read.headers.get("access-control-allow-origin")), (StatusCode::OK, None));
        assert_eq!(read.header("vary"), "Origin", "a cache must not give this answer to the others");
    }
}

/// C127
#[tokio::test]
async fn a_star_allows_all_and_nothing_allows_none() {
    let (node, _folder) = with_origins("'*'");
    let allowed = preflight(&node, "https://anywhere.example").await;
    assert_eq!((allowed.header("access-control-allow-origin"), allowed.headers.get("vary")), ("*", None));
    put(node.address, "/kv/k", "1").await;
    let plain = send(node.address, "GET", "/kv/k", &[], "").await;
    assert!(plain.headers.get("access-control-allow-origin").is_none(), "nobody asked");

    let closed = TestNode::start();
    preflight(&closed, "https://a.example").await.expect_problem(405, "MethodNotAllowed", &["OPTIONS"]);
    let read = send(closed.address, "GET", "/health", &[("origin", "https://a.example")], "").await;
    assert!(read.headers.get("access-control-allow-origin").is_none() && read.headers.get("vary").is_none());
}
