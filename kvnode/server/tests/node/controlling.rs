//! `kvnode ctl` as people and scripts use it: the real program against a real node, its words and its exit codes.

use std::io::Write;
use std::net::TcpListener;
use std::process::Output;

use http::StatusCode;

use crate::client::{get, put};
use crate::in_process::TestNode;
use crate::program::run;

fn ctl(node: &TestNode, arguments: &[&str]) -> Output {
    ctl_with(node, arguments, &[])
}

fn ctl_with(node: &TestNode, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let url = format!("http://{}", node.address);
    run(&[&["ctl", "--url", &url], arguments].concat(), variables)
}

/// What a command that works prints.
fn said(node: &TestNode, arguments: &[&str]) -> String {
    let output = ctl(node, arguments);
    let (text, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!((output.status.code(), errors.as_str()), (Some(0), ""), "{arguments:?}: {text}");
    text
}

/// Fails unless the command ends with this code and one sentence with these words.
fn expect_failure(output: &Output, code: i32, words: &[&str]) {
    let sentence = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{sentence}");
    assert_eq!(sentence.lines().count(), 1, "{sentence:?} is not one sentence");
    assert!(sentence.ends_with(".\n"), "{sentence:?} is no sentence");
    for word in words {
        assert!(sentence.contains(word), "{sentence:?} does not name {word:?}");
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// C97
#[tokio::test]
async fn keys_are_put_read_listed_and_deleted() {
    let node = TestNode::start();
    assert_eq!(
        said(&node, &["put", "a/b", "{\"n\": 1.50}", "--ttl", "100", "--tag", "team=shop"]),
        "a/b has version 1\n"
    );
    assert_eq!(said(&node, &["get", "a/b"]), "{\"n\": 1.50}");
    let entry: serde_json::Value = serde_json::from_str(&said(&node, &["get", "a/b", "-o", "json"])).expect("JSON");
    assert_eq!((&entry["metadata"]["tags"]["team"], &entry["metadata"]["ttl"]), (&"shop".into(), &100.into()));
    let ttl: u64 = said(&node, &["ttl", "a/b"]).trim().parse().expect("seconds");
    assert!((90..=101).contains(&ttl), "{ttl}");
    assert_eq!(said(&node, &["put", "note", "--text", "say \"hi\""]), "note has version 1\n");
    assert_eq!(said(&node, &["get", "note"]), r#""say \"hi\"""#);
    assert_eq!(said(&node, &["ttl", "note"]), "none\n");
    let mut listed: Vec<String> = said(&node, &["keys"]).lines().map(str::to_owned).collect();
    listed.sort_unstable();
    assert_eq!(listed, ["a/b", "note"]);
    assert_eq!(said(&node, &["keys", "--prefix", "a/"]), "a/b\n");
    assert_eq!(said(&node, &["keys", "--tenant-id", "0199c5a2-7d1e-7c3a-9f0b-1c2d3e4f5a6b"]), "");
    assert_eq!(said(&node, &["put", "note", "2", "--if-version", "1"]), "note has version 2\n");
    expect_failure(&ctl(&node, &["put", "note", "3", "--if-version", "1"]), 1, &["note", "Expected 1, actual 2"]);
    assert_eq!(said(&node, &["del", "a/b", "note", "absent"]), "2\n");
    for command in ["get", "ttl"] {
        expect_failure(&ctl(&node, &[command, "a/b"]), 1, &["a/b", "not found"]);
    }
}

#[tokio::test]
async fn bytes_come_back_as_they_are() {
    let node = TestNode::start();
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(&bytes).expect("room on the disk");
    let path = file.path().to_str().expect("a plain path");
    assert_eq!(said(&node, &["put", "blob", "--bytes", "--file", path, "--ttl", "9"]), "blob has version 1\n");
    assert!(ctl(&node, &["get", "blob"]).stdout == bytes);
    expect_failure(&ctl(&node, &["put", "blob", "--file", path]), 2, &["UTF-8", "--bytes"]);
    expect_failure(&ctl(&node, &["put", "blob", "--file", "/nowhere/value"]), 2, &["/nowhere/value"]);
    expect_failure(&ctl(&node, &["put", "blob", "hello"]), 2, &["no JSON", "--text"]);
}

#[tokio::test]
async fn more_keys_than_a_page_are_all_listed_once() {
    let node = TestNode::start();
    for number in 0..1203 {
        put(node.address, &format!("/dev/kv/k{number}"), r#"{"value":1}"#).await;
    }
    let listed = said(&node, &["keys"]);
    let keys: std::collections::BTreeSet<&str> = listed.lines().collect();
    assert_eq!((listed.lines().count(), keys.len()), (1203, 1203));
}

#[tokio::test]
async fn the_state_of_a_node_is_shown_to_people_and_to_programs() {
    let node = TestNode::with(&["--memory-limit", "64Mi"], &[]);
    put(node.address, "/dev/kv/k", r#"{"value":1}"#).await;
    let status = said(&node, &["status"]);
    for words in ["Tenant", "dev", "64.0 MiB", "256/256 in sync", "not safe: No other node", "n0", "leader"] {
        assert!(status.contains(words), "no {words:?} in\n{status}");
    }
    let same: serde_json::Value = serde_json::from_str(&said(&node, &["status", "-o", "json"])).expect("JSON");
    assert_eq!(same["keys"], 1);
    assert!(said(&node, &["ping"]).starts_with("PONG from n0 in "));
    assert_eq!(said(&node, &["health"]), "n0 of the tenant dev is healthy and ready.\n");
    assert_eq!(said(&node, &["peers"]), "No other nodes: this one is the whole cluster.\n");
    let info = said(&node, &["info"]);
    assert!(info.contains("memory.limit_bytes") && info.contains("67108864"), "{info}");
    assert!(info.contains("settings.memory-limit") && info.contains("64Mi (--memory-limit)"), "{info}");
}

#[tokio::test]
async fn a_drained_node_is_unhealthy_until_it_is_called_back() {
    let node = TestNode::start();
    assert!(said(&node, &["drain"]).contains("n0 is drained: 0 partitions handed over, 256 kept."));
    expect_failure(&ctl(&node, &["health"]), 1, &["n0", "not ready", "step aside"]);
    assert!(said(&node, &["drain", "--cancel"]).starts_with("n0 was called back."));
    assert_eq!(said(&node, &["health"]), "n0 of the tenant dev is healthy and ready.\n");
    put(node.address, "/dev/kv/k", r#"{"value":1}"#).await;
    expect_failure(&ctl(&node, &["drain", "--mode", "leave"]), 1, &["only node"]);
    expect_failure(&ctl(&node, &["gone", "n0"]), 1, &["only node"]);
    expect_failure(&ctl(&node, &["recover"]), 1, &["majority"]);
}

#[tokio::test]
async fn a_key_is_needed_where_there_is_one_and_taken_from_where_it_is_named() {
    let node = TestNode::with(&[], &[("ADMIN_KEY", "opensesame")]);
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(b"opensesame\n").expect("room on the disk");
    let path = file.path().to_str().expect("a plain path");
    for variables in [&[][..], &[("ADMIN_KEY", "guess")]] {
        expect_failure(&ctl_with(&node, &["status"], variables), 4, &["master API key", "--key-file"]);
    }
    for (arguments, variable) in [
        (&["--key-file", path, "status"][..], ("ADMIN_KEY", "guess")),
        (&["status", "--key-file", path], ("ADMIN_KEY", "guess")),
        (&["status"], ("ADMIN_KEY_FILE", path)),
        (&["status"], ("ADMIN_KEY", "opensesame")),
    ] {
        let output = ctl_with(&node, arguments, &[variable]);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    }
    expect_failure(&ctl(&node, &["status", "--key-file", "/nowhere/key"]), 2, &["/nowhere/key"]);
}

#[test]
fn a_node_that_is_not_there_is_said_to_be_so() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it is bound");
    let url = format!("http://{closed}");
    for command in ["status", "ping", "health", "keys", "monitor", "drain"] {
        let output = run(&["ctl", "--url", &url, command], &[]);
        expect_failure(&output, 3, &["No node answers", &url, "--url"]);
    }
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    for arguments in [
        &["ctl"][..],
        &["ctl", "dance"],
        &["ctl", "get"],
        &["ctl", "put", "k"],
        &["ctl", "put", "k", "1", "--tag", "x"],
    ] {
        let output = run(arguments, &[]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?} says nothing");
    }
    for url in ["127.0.0.1:3000", "ftp://127.0.0.1"] {
        expect_failure(&run(&["ctl", "--url", url, "ping"], &[]), 2, &[url, "http://"]);
    }
}

#[test]
fn every_command_teaches_by_example() {
    let help = run(&["ctl", "--help"], &[]);
    assert_eq!(help.status.code(), Some(0));
    for word in ["status", "drain", "--key-file", "ADMIN_KEY", "Exit codes", "kubectl exec"] {
        assert!(text(&help.stdout).contains(word), "no {word}");
    }
    for command in ["status", "keys", "get", "put", "del", "ttl", "monitor", "drain", "gone", "recover"] {
        let help = run(&["ctl", command, "--help"], &[]);
        assert!(text(&help.stdout).contains(&format!("kvnode ctl {command}")), "{command} has no example");
    }
    assert!(text(&run(&["--help"], &[]).stdout).contains("kvnode ctl"));
}

/// K51: with every secret that can be given, none of them is on the page.
#[tokio::test]
async fn the_diagnosis_is_complete_and_holds_no_secret() {
    let node = TestNode::with(&["--memory-limit", "64Mi"], &[("ADMIN_KEY", "opensesame"), ("LOG_LEVEL", "warning")]);
    let key = [("x-api-key", "opensesame")];
    assert_eq!(get(node.address, "/diag").await.status, StatusCode::UNAUTHORIZED);
    for path in ["/diag", "/dev/diag"] {
        let page = crate::client::send(node.address, "GET", path, &key, "").await;
        assert!(!page.text().contains("opensesame"), "{}", page.text());
        let page = page.json();
        assert_eq!((&page["tenant"], &page["memory"]["limit_bytes"]), (&"dev".into(), &(64 << 20).into()));
        assert_eq!(page["discovery"], serde_json::json!({"mode": "static", "group": null, "port": null}));
        assert_eq!(page["peers"], serde_json::json!([]));
        let settings = page["settings"].as_array().expect("a list");
        let setting = |name: &str| settings.iter().find(|setting| setting["name"] == name).expect("it is there");
        assert_eq!(setting("log-level")["value"], "warning");
        assert_eq!(setting("log-level")["from"], "the variable LOG_LEVEL");
        assert_eq!(setting("ADMIN_KEY")["value"], "(secret)");
        assert_eq!(setting("tenant")["from"], "--tenant");
    }
    assert_eq!(crate::client::send(node.address, "GET", "/other/diag", &key, "").await.status, StatusCode::NOT_FOUND);
}
