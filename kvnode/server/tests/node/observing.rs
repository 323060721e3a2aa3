//! What the node shows of itself: health, metrics, ids, administration.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

use http::StatusCode;

use crate::client::{delete, get, put, send};
use crate::in_process::TestNode;

/// K33, K50, C118, C120, C121
#[tokio::test]
async fn health_is_told_on_all_its_paths() {
    let node = TestNode::start();
    for path in ["/health", "/dev/health"] {
        let health = get(node.address, path).await.json();
        assert_eq!((health["status"].as_str(), health["tenant"].as_str()), (Some("healthy"), Some("dev")), "{path}");
        assert_eq!((health["peers"].as_u64(), health["cluster"]["nodes"].as_u64()), (Some(0), Some(1)));
        assert!(health["timestamp"].as_str().expect("a time").ends_with('Z'));
    }
    for path in ["/livez", "/health/live", "/dev/health/live", "/api/v1/health/live", "/dev/api/v1/health/live"] {
        assert_eq!(get(node.address, path).await.text(), r#"{"status":"alive"}"#);
    }
    for path in ["/readyz", "/health/ready", "/dev/health/ready", "/api/v1/health/ready", "/dev/api/v1/health/ready"] {
        assert_eq!(get(node.address, path).await.text(), r#"{"status":"ready"}"#);
    }
    for path in ["/api/v1/health", "/dev/api/v1/health"] {
        let health = get(node.address, path).await.json();
        assert_eq!((health["status"].as_str(), health["service"].as_str()), (Some("healthy"), Some("kvnode")));
        assert!(health["version"].is_string());
        let parts = health["dependencies"].as_object().expect("parts");
        let names: BTreeSet<&str> = parts.keys().map(String::as_str).collect();
        assert_eq!(names, BTreeSet::from(["disk", "peers", "store"]));
        for (name, part) in parts {
            assert_eq!(part["status"], "healthy", "{name}");
            assert!(part["message"].as_str().is_some_and(|message| message.ends_with('.')), "{name}");
        }
    }
}

/// K34: the list is without the node itself.
#[tokio::test]
async fn a_node_by_itself_has_no_peers() {
    let node = TestNode::start();
    for path in ["/peers", "/dev/peers"] {
        assert_eq!(get(node.address, path).await.text(), r#"{"peers":[],"count":0}"#);
    }
}

/// R17: one node, so one name; and every request can be found by its id.
#[tokio::test]
async fn every_answer_names_the_node_and_the_request() {
    let node = TestNode::with(&["--threads", "2"], &[]);
    let mut ids = BTreeSet::new();
    for number in 0..100 {
        let answer = get(node.address, &format!("/dev/kv/{}", number % 3)).await;
        assert_eq!(answer.header("x-kv-node"), "n0");
        ids.insert(answer.header("x-request-id").to_owned());
    }
    assert_eq!(ids.len(), 100, "each request has an id of its own");
    let own = send(node.address, "GET", "/health", &[("x-request-id", "my-id")], "").await;
    assert_eq!(own.header("x-request-id"), "my-id");
    for bad in [" ", "a b", &"x".repeat(129)] {
        let replaced = send(node.address, "GET", "/health", &[("x-request-id", bad)], "").await;
        assert_eq!(replaced.header("x-request-id").len(), 32, "{bad:?}");
    }
}

#[tokio::test]
async fn the_status_is_for_whoever_has_the_admin_key() {
    let node = TestNode::with(&["--memory-limit", "64Mi"], &[("ADMIN_KEY", "opensesame")]);
    put(node.address, "/dev/kv/k", r#"{"value":1}"#).await;
    let refused = get(node.address, "/admin/status").await;
    refused.expect_problem(401, "Unauthorized", &["master API key"]);
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    let wrong = send(node.address, "GET", "/admin/status", &[("x-api-key", "guess")], "").await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    for header in [("authorization", "Bearer opensesame"), ("x-api-key", "opensesame")] {
        let status = send(node.address, "GET", "/admin/status", &[header], "").await.json();
        assert_eq!((status["tenant"].as_str(), status["name"].as_str()), (Some("dev"), Some("n0")));
        assert_eq!((status["keys"].as_u64(), status["ready"].as_bool()), (Some(1), Some(true)));
        assert_eq!(status["memory_limit_bytes"], 64 << 20);
        assert!(status["memory_used_bytes"].as_u64().expect("a number") > 0);
        assert!(status["uptime_seconds"].is_u64() && status["version"].is_string());
        assert_eq!(status["nodes"][0]["secrets"]["admin-key"].as_str().map(str::len), Some(12));
        assert!(!status.to_string().contains("opensesame"));
    }
    let open = TestNode::start();
    assert_eq!(get(open.address, "/admin/status").await.status, StatusCode::OK, "no key, but the same machine");
}

/// One line of a page: the series, and its value.
fn series(page: &str) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value in {line:?}"));
        let value = value.parse().unwrap_or_else(|error| panic!("{error} in {line:?}"));
        assert!(found.insert(name.to_owned(), value).is_none(), "{name} comes twice");
    }
    found
}

/// What the text format demands: every series belongs to a family that was described just before, with a fitting type.
fn check_format(page: &str) {
    let mut family = ("", "");
    let mut described = BTreeSet::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a name and a help");
            assert!(described.insert(name) && !help.is_empty(), "{name} is described twice, or not at all");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            family = rest.split_once(' ').expect("a name and a type");
            assert!(described.contains(family.0), "{} has a type but no help", family.0);
            assert_eq!(family.1 == "counter", family.0.ends_with("_total"), "{line}");
        } else {
            let name = line.split(['{', ' ']).next().expect("a name");
            let suffix = name.strip_prefix(family.0).unwrap_or_else(|| panic!("{line:?} is not of {family:?}"));
            let allowed: &[&str] = if family.1 == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(allowed.contains(&suffix), "{line:?} is not of {family:?}");
        }
    }
}

/// K35, C113, C114, C115, C116, C117
#[tokio::test]
async fn metrics_count_what_happened_under_their_documented_names() {
    let node = TestNode::with(&["--memory-limit", "64Mi"], &[]);
    for _ in 0..3 {
        put(node.address, "/dev/kv/k", r#"{"value":1}"#).await;
    }
    get(node.address, "/dev/kv/k").await;
    get(node.address, "/dev/kv/absent").await;
    put(node.address, "/dev/kv/k?ifVersion=9", r#"{"value":1}"#).await;
    get(node.address, "/dev/kv").await;
    delete(node.address, "/dev/kv/k").await;
    put(node.address, "/dev/kv/k2", r#"{"value":1}"#).await;
    get(node.address, "/invented/path").await;
    send(node.address, "BREW", "/health", &[], "").await;

    let page = get(node.address, "/metrics").await;
    assert_eq!(page.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    check_format(page.text());
    let series = series(page.text());
    let value = |name: &str| *series.get(name).unwrap_or_else(|| panic!("no {name} in\n{}", page.text()));
    let is = |name: &str, expected: f64| {
        assert!((value(name) - expected).abs() < 1e-9, "{name} is {} in place of {expected}", value(name));
    };
    is(r#"http_requests_total{method="PUT",endpoint="/{tenant}/kv/{key}",status="200"}"#, 4.0);
    is(r#"http_requests_total{method="PUT",endpoint="/{tenant}/kv/{key}",status="409"}"#, 1.0);
    is(r#"http_requests_total{method="GET",endpoint="/{tenant}/kv/{key}",status="404"}"#, 1.0);
    is(r#"http_requests_total{method="GET",endpoint="none",status="404"}"#, 1.0);
    is(r#"http_requests_total{method="OTHER",endpoint="/health",status="405"}"#, 1.0);
    is(r#"kvstore_operations_total{operation="create",tenant="dev",status="success"}"#, 2.0);
    is(r#"kvstore_operations_total{operation="update",tenant="dev",status="success"}"#, 2.0);
    is(r#"kvstore_operations_total{operation="update",tenant="dev",status="error"}"#, 1.0);
    is(r#"kvstore_operations_total{operation="read",tenant="dev",status="success"}"#, 1.0);
    is(r#"kvstore_operations_total{operation="read",tenant="dev",status="not_found"}"#, 1.0);
    is(r#"kvstore_operations_total{operation="list",tenant="dev",status="success"}"#, 1.0);
    is(r#"kvstore_operations_total{operation="delete",tenant="dev",status="success"}"#, 1.0);
    is("http_request_duration_seconds_count", 11.0);
    is(r#"http_request_duration_seconds_bucket{le="+Inf"}"#, 11.0);
    is("kv_peers_count", 0.0);
    is(r#"kv_partitions{state="in_sync"}"#, 256.0);
    is(r#"kv_partitions{state="lost"}"#, 0.0);
    is("kv_replication_lag_ops", 0.0);
    is("kv_failovers_total", 0.0);
    is("kv_evicted_keys_total", 0.0);
    is(r#"kv_discovery_messages_total{type="heartbeat",direction="received",result="foreign"}"#, 0.0);
    is("kv_keys", 1.0);
    is("kv_memory_limit_bytes", f64::from(64 << 20));
    is("kv_expired_keys_total", 0.0);
    for name in ["kv_memory_bytes", "kv_cpu_limit_cores", "kv_uptime_seconds", "process_resident_memory_bytes"] {
        assert!(value(name) > 0.0, "{name}");
    }
    for name in ["process_cpu_seconds_total", "kv_requests_per_second"] {
        assert!(value(name) >= 0.0, "{name}");
    }
    assert!(value(r#"background_tasks_total{task="ttl_cleanup",status="success"}"#) >= 1.0);
    assert!(!page.text().contains("invented"), "no client can make up a label");

    // That the client of the request before has gone reaches the node a little later than the client.
    let mut alone = false;
    for _ in 0..1000 {
        let page = get(node.address, "/metrics").await;
        alone = page.text().lines().any(|line| line == "active_connections 1");
        if alone {
            break;
        }
    }
    assert!(alone, "connections are counted that nobody has any more");

    let same = get(node.address, "/dev/metrics").await;
    let names = |text: &str| text.lines().filter(|line| line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names(same.text()), names(page.text()));
}

/// K35. Only where Prometheus' own tool is at hand; [`check_format`] demands the same everywhere.
#[tokio::test]
async fn promtool_finds_nothing_wrong_but_a_name_that_users_know() {
    let node = TestNode::start();
    put(node.address, "/dev/kv/k", r#"{"value":1}"#).await;
    let page = get(node.address, "/metrics").await;
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else { return };
    promtool.stdin.take().expect("it is piped").write_all(&page.body).expect("it reads");
    let output = promtool.wait_with_output().expect("it ends");
    let complaints = String::from_utf8(output.stdout).expect("UTF-8") + &String::from_utf8_lossy(&output.stderr);
    // The name is the one of the seed, and dashboards use it.
    let expected = r#"kv_peers_count non-histogram and non-summary metrics should not have "_count" suffix"#;
    assert_eq!(complaints.trim(), expected);
}
