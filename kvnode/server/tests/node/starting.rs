//! Flags, variables, files and ports, on the real program: what starts, what listens, and what is refused with exit
//! code 2 and one sentence.

use std::io::Write;
use std::net::TcpListener;

use http::StatusCode;

use crate::client::{get, put, send};
use crate::program::{Program, run};

const FREE: [&str; 4] = ["--port", "0", "--metrics-port", "0"];

fn complaint(flags: &[&str], variables: &[(&str, &str)]) -> String {
    let output = run(flags, variables);
    let sentence = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{flags:?} {variables:?}: {sentence}");
    assert_eq!(sentence.lines().count(), 1, "{sentence:?} is not one sentence");
    assert!(sentence.ends_with(".\n"), "{sentence:?} is no sentence");
    sentence
}

/// K47, K36, C94
#[test]
fn a_wrong_start_ends_with_2_and_one_sentence() {
    for (flags, variables, word) in [
        (&[][..], &[][..], "--tenant"),
        (&["--tenant", "kv"], &[], "'kv'"),
        (&[], &[("TENANT", "health")], "'health'"),
        (&["--tenant", "dev", "--prot", "3000"], &[], "--prot"),
        (&["--tenant", "dev", "--peer-port", "7400"], &[], "--peer-port"),
        (&["--tenant", "dev", "--port", "65536"], &[], "--port"),
        (&["--tenant", "dev"], &[("PORT", "x")], "PORT"),
        (&["--tenant", "dev", "--memory-limit", "0"], &[], "--memory-limit"),
        (&["--tenant", "dev", "--config", "/nowhere/kvnode.yaml"], &[], "/nowhere/kvnode.yaml"),
        (&["--tenant", "dev", "--admin-key-file", "/nowhere/key"], &[], "/nowhere/key"),
        (&["--tenant", "dev", "--bind", "192.0.2.1", "--port", "0"], &[], "192.0.2.1"),
    ] {
        let sentence = complaint(flags, variables);
        assert!(sentence.contains(word), "{sentence:?} does not name {word}");
    }
}

#[test]
fn an_unknown_key_of_the_config_file_ends_with_2() {
    let mut config = tempfile::NamedTempFile::new().expect("a temporary file");
    config.write_all(b"tenant: dev\nmetric-port: 9090\n").expect("room on the disk");
    let path = config.path().to_str().expect("a plain path");
    assert!(complaint(&["--config", path], &[]).contains("'metric-port'"));
}

#[test]
fn a_port_in_use_is_named_whoever_has_it() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = holder.local_addr().expect("it is bound").port().to_string();
    let fixed = ["--tenant", "dev", "--bind", "127.0.0.1"];
    let sentence = complaint(&[&fixed[..], &["--port", &port, "--metrics-port", "0"]].concat(), &[]);
    assert!(sentence.contains("--port") && sentence.contains(&port), "{sentence}");
    let sentence = complaint(&[&fixed[..], &["--port", "0", "--metrics-port", &port]].concat(), &[]);
    assert!(sentence.contains("--metrics-port") && sentence.contains(&port), "{sentence}");

    let sentence = complaint(&[&fixed[..], &FREE, &["--resp-port", &port]].concat(), &[]);
    assert!(sentence.contains("--resp-port") && sentence.contains(&port), "{sentence}");

    let node = Program::start(&[&FREE[..], &["--threads", "2"]].concat(), &[]);
    let port = node.address.port().to_string();
    let sentence = complaint(&[&fixed[..], &["--port", &port, "--metrics-port", "0"]].concat(), &[]);
    assert!(sentence.contains(&port), "a second node must not share the port of the first: {sentence}");
}

#[test]
fn help_and_version_end_with_0() {
    let help = run(&["--help"], &[]);
    assert_eq!(help.status.code(), Some(0));
    let text = String::from_utf8(help.stdout).expect("UTF-8");
    for word in ["--tenant", "TENANT", "--memory-limit", "MAX_VALUE_SIZE", "[default: 3000]", "Example"] {
        assert!(text.contains(word), "no {word} in {text}");
    }
    let version = run(&["--version"], &[]);
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(version.stdout, concat!("kvnode ", env!("CARGO_PKG_VERSION"), "\n").as_bytes());
}

/// C13, C93, R11, C92
#[tokio::test]
async fn metrics_and_health_are_on_both_ports_unless_turned_off() {
    let node = Program::start(&["--port", "0", "--metrics-port", "0"], &[]);
    assert!(node.metrics_address.is_none(), "0 means none");
    assert_eq!(get(node.address, "/metrics").await.status, StatusCode::OK);

    let free = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it is bound").port();
    let node = Program::start(&["--port", "0"], &[("METRICS_PORT", &free.to_string())]);
    let metrics_address = node.metrics_address.expect("a second listener");
    for path in ["/metrics", "/livez", "/readyz", "/health"] {
        assert_eq!(get(metrics_address, path).await.status, StatusCode::OK, "{path}");
        assert_eq!(get(node.address, path).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(get(metrics_address, "/dev/kv").await.status, StatusCode::NOT_FOUND, "no data there");
    drop(node);

    let node = Program::start(&["--port", "0"], &[("METRICS_PORT", &free.to_string()), ("ENABLE_METRICS", "false")]);
    for address in [node.address, node.metrics_address.expect("a second listener")] {
        assert_eq!(get(address, "/metrics").await.status, StatusCode::NOT_FOUND);
        assert_eq!(get(address, "/livez").await.status, StatusCode::OK);
    }
    drop(node);

    let same = free.to_string();
    let node = Program::start(&[], &[("PORT", &same), ("METRICS_PORT", &same)]);
    assert_eq!((node.address.port(), node.metrics_address), (free, None));
    assert_eq!(get(node.address, "/health").await.status, StatusCode::OK);
    assert_eq!(get(node.address, "/metrics").await.status, StatusCode::OK);
}

/// C133
#[tokio::test]
async fn as_many_threads_serve_as_were_asked_for() {
    let node = Program::start(&[&FREE[..], &["--threads", "3"]].concat(), &[]);
    assert_eq!(get(node.address, "/livez").await.status, StatusCode::OK);
    let serving = node.threads().into_iter().filter(|name| name.starts_with("kvnode-serve-")).count();
    assert_eq!(serving, 3);
}

/// C122, C123, C79: lines are JSON and name what a write was about; nothing secret is in them.
#[tokio::test]
async fn each_write_is_a_line_of_json_at_debug() {
    let mut node = Program::start(&FREE, &[("DEBUG", "true"), ("ADMIN_KEY", "opensesame")]);
    let id = [("x-request-id", "id-1"), ("content-type", "application/json")];
    send(node.address, "PUT", "/dev/kv/greeting", &id, r#"{"value":"secret content"}"#).await;
    let line = node.wait_for_line("write");
    assert_eq!(line["level"], "DEBUG");
    assert_eq!((line["tenant_id"].as_str(), line["key"].as_str()), (Some("dev"), Some("greeting")));
    assert_eq!((line["operation"].as_str(), line["request_id"].as_str()), (Some("create"), Some("id-1")));
    let time = line["timestamp"].as_str().expect("a time");
    assert!(time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    assert!(!line.to_string().contains("secret content") && !line.to_string().contains("opensesame"));
    send(node.address, "DELETE", "/dev/kv/greeting", &[], "").await;
    assert_eq!(node.wait_for_line("write")["operation"], "delete");
}

#[tokio::test]
async fn the_config_file_sets_what_no_flag_and_no_variable_does() {
    let mut config = tempfile::NamedTempFile::new().expect("a temporary file");
    config
        .write_all(b"name: from-file\nport: 0\nmetrics-port: 0\nlimits:\n  maxValueBytes: 10\n")
        .expect("room on the disk");
    let path = config.path().to_str().expect("a plain path");
    let node = Program::start(&["--config", path], &[]);
    assert_eq!(get(node.address, "/health").await.json()["node"], "from-file");
    let refused = put(node.address, "/dev/kv/k", r#"{"value":"more than ten"}"#).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    drop(node);
    let node = Program::start(&["--config", path], &[("NODE_NAME", "from-variable")]);
    assert_eq!(get(node.address, "/health").await.json()["node"], "from-variable");
}
