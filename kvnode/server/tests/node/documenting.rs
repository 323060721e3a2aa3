//! The interface's description, as programs and people get it.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use http::StatusCode;

use crate::client::{get, send};
use crate::in_process::TestNode;

/// A browser starts within seconds, and on a busy machine within a minute.
const BROWSER_SECONDS_MAX: &str = "100";

/// C22, C25
#[tokio::test]
async fn the_document_is_openapi_and_names_the_server_that_was_asked() {
    let node = TestNode::start();
    let answer = get(node.address, "/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], format!("http://{}", node.address));
    assert_eq!(document["components"]["parameters"]["tenant"]["schema"]["enum"][0], "dev");
    for path in ["/{tenant}/kv/{key}", "/kv/{key}", "/api/v1/kv/{key}", "/admin/status", "/openapi.json"] {
        assert!(document["paths"][path]["get"]["responses"]["200"].is_object(), "{path}");
    }
    let known = send(node.address, "GET", "/openapi.json", &[("if-none-match", answer.header("etag"))], "").await;
    assert_eq!((known.status, known.body.len()), (StatusCode::NOT_MODIFIED, 0));
}

/// C23, C24
#[tokio::test]
async fn pages_and_their_files_come_from_the_node_alone() {
    let node = TestNode::start();
    for (page, files) in [
        ("docs", &["start.js", "swagger-ui-bundle.js", "swagger-ui.css", "swagger-ui-bundle.js.LICENSE.txt"][..]),
        ("redoc", &["start.js", "redoc.standalone.js", "redoc.standalone.js.LICENSE.txt"]),
    ] {
        let html = get(node.address, &format!("/{page}")).await;
        assert_eq!(html.header("content-type"), "text/html; charset=utf-8");
        assert!(!html.text().contains("//"), "{page} names another host");
        let policy = html.header("content-security-policy");
        let sources: BTreeSet<&str> = policy.split([';', ' ']).filter(|word| word.contains(['.', '/'])).collect();
        assert!(policy.contains("default-src 'none'") && sources.is_empty(), "{policy}");
        for file in files {
            let path = format!("/{page}/{file}");
            let plain = get(node.address, &path).await;
            assert_eq!(plain.status, StatusCode::OK, "{path}");
            assert!(!plain.headers.contains_key("content-encoding") && plain.text().len() > 50, "{path}");
            let known = send(node.address, "GET", &path, &[("if-none-match", plain.header("etag"))], "").await;
            assert_eq!(known.status, StatusCode::NOT_MODIFIED, "{path}");
        }
        let packed = [("accept-encoding", "gzip, br")];
        let packed = send(node.address, "GET", &format!("/{page}/{}", files[1]), &packed, "").await;
        assert_eq!(packed.header("content-encoding"), "gzip");
        assert_eq!(packed.body[..2], [0x1f, 0x8b]);
        assert_eq!(get(node.address, &format!("/{page}/other.js")).await.status, StatusCode::NOT_FOUND);
    }
}

/// C23, C24: a real browser shows what the document says, from a node that it can reach and nothing else.
#[tokio::test]
async fn a_browser_shows_both_pages() {
    let node = TestNode::start();
    let browser = ["chromium", "chromium-browser"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok());
    let Some(browser) = browser else {
        println!("There is no Chromium here, so no browser has looked at /docs and /redoc.");
        return;
    };
    for (page, words) in
        [("docs", ["Read an entry", "/{tenant}/kv/{key}"]), ("redoc", ["Read an entry", "Administration"])]
    {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let shown = Command::new("timeout")
            .args([BROWSER_SECONDS_MAX, browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
            .args(["--virtual-time-budget=20000", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"])
            .arg(format!("--user-data-dir={}", folder.path().display()))
            .arg(format!("http://{}/{page}", node.address))
            .output()
            .expect("it can be run");
        let shown = String::from_utf8_lossy(&shown.stdout);
        for word in words {
            // Swagger UI lets long paths break at their slashes.
            let shown = shown.replace("<wbr>", "").replace('\u{200b}', "");
            assert!(shown.contains(word), "{page} does not show {word:?}:\n{shown}");
        }
    }
}
