//! Settings that change while the node runs: by the files it was started with, and by whoever may administer it.

use std::os::unix::fs::symlink;
use std::path::Path;

use http::StatusCode;
use serde_json::Value;

use crate::access::{PASSWORD, as_bearer, log_in, register};
use crate::client::{get, put, send};
use crate::program::Program;

const FIXED: &str = "name: n0\nport: 0\nmetrics-port: 0\n";

fn write(path: &Path, content: &str) {
    std::fs::write(path, content).expect("room on the disk");
}

fn start(config: &Path) -> Program {
    Program::start(&["--config", config.to_str().expect("a plain path")], &[])
}

/// What a line says of a setting: its name, then from what to what.
fn change(line: &Value) -> [&str; 3] {
    ["setting", "from", "to"].map(|member| line[member].as_str().expect("text"))
}

/// C111, C80
#[tokio::test]
async fn limits_and_log_level_follow_the_config_file_and_the_log_says_what_changed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("config.yaml");
    write(&config, &format!("{FIXED}limits: {{maxValueBytes: 10}}\n"));
    let mut node = start(&config);
    let large = r#"{"value":"more than ten"}"#;
    assert_eq!(put(node.address, "/dev/kv/k", large).await.status, StatusCode::PAYLOAD_TOO_LARGE);

    write(&config, &format!("{FIXED}limits: {{maxValueBytes: 3Mi, maxKeyBytes: 3}}\nlog-level: debug\n"));
    let mut changes = Vec::new();
    for _ in 0..3 {
        changes.push(node.wait_for_line("setting changed"));
    }
    let changes: Vec<_> = changes.iter().map(change).collect();
    assert_eq!(
        changes,
        [["limits.maxKeyBytes", "256", "3"], ["limits.maxValueBytes", "10", "3Mi"], ["log-level", "info", "debug"]]
    );
    assert_eq!(put(node.address, "/dev/kv/k", large).await.status, StatusCode::OK);
    assert_eq!(node.wait_for_line("write")["level"], "DEBUG", "the level is in force");
    let larger_than_the_default = format!(r#"{{"value":"{}"}}"#, "x".repeat(5 << 19));
    assert_eq!(put(node.address, "/dev/kv/k", larger_than_the_default).await.status, StatusCode::OK);
    put(node.address, "/dev/kv/long", large).await.expect_problem(400, "KeyTooLong", &["4 bytes", "at most 3"]);
}

#[tokio::test]
async fn a_wrong_file_changes_nothing_and_is_named_in_the_log() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("config.yaml");
    write(&config, &format!("{FIXED}limits: {{maxValueBytes: 10}}\n"));
    let mut node = start(&config);
    for (content, word) in [
        ("limits: {maxValueBytes: many}\n", "'many'"),
        ("limits: {maxValueBytes: 20}\nloglevel: debug\n", "'loglevel'"),
        ("limits: {maxValueBytes: [\n", "is not what is expected"),
    ] {
        write(&config, &format!("{FIXED}{content}"));
        let line = node.wait_for_line("changed files are not taken over");
        let reason = line["reason"].as_str().expect("a sentence");
        assert!(reason.contains(word) && reason.contains("config.yaml"), "{reason}");
        assert_eq!(line["level"], "WARN");
        let refused = put(node.address, "/dev/kv/k", r#"{"value":"more than ten"}"#).await;
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE, "what held before still holds");
    }
    std::fs::remove_file(&config).expect("it is there");
    assert!(node.wait_for_line("changed files are not taken over")["reason"].as_str().is_some());
    write(&config, &format!("{FIXED}limits: {{maxValueBytes: 20}}\n"));
    assert_eq!(change(&node.wait_for_line("setting changed")), ["limits.maxValueBytes", "10", "20"]);
}

#[test]
fn what_cannot_change_at_run_time_is_named_in_a_warning() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("config.yaml");
    write(&config, FIXED);
    let mut node = start(&config);
    write(&config, &format!("{FIXED}threads: 7\n"));
    let warning = node.wait_for_line("setting cannot change while the node runs; start it again");
    assert_eq!(change(&warning), ["threads", "cores of the cgroup", "7"]);
    assert_eq!(warning["level"], "WARN");
}

async fn status(node: &Program, key: &str) -> StatusCode {
    send(node.address, "GET", "/admin/status", &[("x-api-key", key)], "").await.status
}

/// C111: a volume of Kubernetes changes by moving the link `..data`, on which all files of it hang.
#[tokio::test]
async fn a_config_map_and_a_secret_are_followed_when_kubernetes_exchanges_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let volume = folder.path();
    let key_file = volume.join("api-key");
    let content =
        |key: &str, extra: &str| (format!("{FIXED}admin-key-file: {}\n{extra}", key_file.display()), key.to_owned());
    let bring = |version: &str, (config, key): (String, String)| {
        let data = volume.join(version);
        std::fs::create_dir(&data).expect("room on the disk");
        write(&data.join("config.yaml"), &config);
        write(&data.join("api-key"), &key);
        let link = volume.join("..data_tmp");
        symlink(version, &link).expect("room on the disk");
        std::fs::rename(&link, volume.join("..data")).expect("one file system");
    };
    bring("..1", content("first-key", ""));
    for file in ["config.yaml", "api-key"] {
        symlink(Path::new("..data").join(file), volume.join(file)).expect("room on the disk");
    }
    let mut node = start(&volume.join("config.yaml"));
    assert_eq!(status(&node, "first-key").await, StatusCode::OK);
    assert_eq!(status(&node, "second-key").await, StatusCode::UNAUTHORIZED);

    bring("..2", content("second-key", "limits: {maxTags: 7}\n"));
    assert_eq!(change(&node.wait_for_line("setting changed")), ["limits.maxTags", "50", "7"]);
    let line = node.wait_for_line("secret changed");
    assert_eq!(line["secret"], "the master API key");
    assert!(!line.to_string().contains("second-key"), "a secret is never shown");
    assert_eq!(status(&node, "first-key").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&node, "second-key").await, StatusCode::OK);
}

/// C125: the new key stands above the old one until the last token of that has ended.
#[tokio::test]
async fn a_signing_key_is_exchanged_without_logging_anybody_out() {
    const OLD: &str = "the-old-signing-key-of-forty-bytes-or-so";
    const NEW: &str = "the-new-signing-key-of-forty-bytes-or-so";
    let folder = tempfile::tempdir().expect("a temporary folder");
    let keys = folder.path().join("signing-keys");
    write(&keys, OLD);
    let flags = ["--port", "0", "--metrics-port", "0", "--secret-file", keys.to_str().expect("a plain path")];
    let mut node = Program::start(&flags, &[]);
    let status = async |token: &str| as_bearer(node.address, token, "GET", "/api/v1/auth/me", "").await.status;
    let before = register(node.address, "alice").await;
    assert_eq!(status(&before.access_token).await, StatusCode::OK);

    write(&keys, &format!("{NEW}\n{OLD}\n"));
    assert_eq!(node.wait_for_line("secret changed")["secret"], "the keys that sign tokens");
    let after = log_in(node.address, "alice", PASSWORD).await.json();
    let after = after["access_token"].as_str().expect("a token");
    for token in [&before.access_token, after] {
        assert_eq!(as_bearer(node.address, token, "GET", "/api/v1/auth/me", "").await.status, StatusCode::OK);
    }

    write(&keys, NEW);
    node.wait_for_line("secret changed");
    let status = async |token: &str| as_bearer(node.address, token, "GET", "/api/v1/auth/me", "").await.status;
    assert_eq!(status(&before.access_token).await, StatusCode::UNAUTHORIZED, "its key is gone, cached or not");
    assert_eq!(status(after).await, StatusCode::OK);
}

/// C123
#[tokio::test]
async fn the_log_level_can_be_told_while_the_node_runs() {
    let mut node = Program::start(&["--port", "0", "--metrics-port", "0"], &[]);
    let path = "/admin/log-levels";
    assert_eq!(get(node.address, path).await.text(), r#"{"level":"info"}"#);
    put(node.address, "/dev/kv/unseen", r#"{"value":1}"#).await;
    for (told, level) in
        [("CRITICAL", "error"), ("Warning", "warning"), ("ERROR", "error"), ("info", "info"), ("DEBUG", "debug")]
    {
        let answer = put(node.address, path, format!(r#"{{"level":"{told}"}}"#)).await;
        assert_eq!(answer.text(), format!(r#"{{"level":"{level}"}}"#));
        assert_eq!(get(node.address, path).await.text(), answer.text());
    }
    put(node.address, "/dev/kv/seen", r#"{"value":1}"#).await;
    let line = node.wait_for_line("write");
    assert_eq!(line["key"], "seen", "only what was written at debug is in the log");
    for wrong in ["", "{}", r#"{"level":"loud"}"#, r#"{"level":"debug","target":"x"}"#, "[1]"] {
        put(node.address, path, wrong).await.expect_problem(400, "BadLogLevel", &["level"]);
    }
    assert_eq!(get(node.address, path).await.text(), r#"{"level":"debug"}"#);
    let node = Program::start(&["--port", "0", "--metrics-port", "0"], &[("ADMIN_KEY", "opensesame")]);
    assert_eq!(put(node.address, path, r#"{"level":"debug"}"#).await.status, StatusCode::UNAUTHORIZED);
}
