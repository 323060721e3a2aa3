//! A node's whole content as a text, and back: into an empty node, into one that knows better, and from a text that is cut
//! off or was tampered with.

use http::StatusCode;
use serde_json::{Value, json};

use crate::access::{PASSWORD, as_bearer, as_master, log_in, node as node_with_accounts, register};
use crate::client::{Answer, delete, get, put, send};
use crate::in_process::TestNode;
use crate::program::run;

async fn dump(node: &TestNode) -> String {
    let answer = get(node.address, "/admin/dump").await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/x-ndjson"));
    answer.text().to_owned()
}

async fn restore(node: &TestNode, text: &str) -> Answer {
    send(node.address, "POST", "/admin/restore", &[], text.to_owned()).await
}

fn tally(restored: u64, kept: u64, expired: u64) -> Value {
    json!({"restored": restored, "kept": kept, "expired": expired})
}

/// What a client sees of an entry.
async fn seen(node: &TestNode, path: &str) -> (StatusCode, String) {
    let answer = get(node.address, path).await;
    (answer.status, answer.text().to_owned())
}

const PATHS: [&str; 5] =
    ["/dev/kv/json", "/dev/kv/a%2Fb%20%C3%BC", "/dev/kv/tagged", "/dev/kv/brief", "/dev/kv/bytes?raw=true"];

/// Entries of all kinds, with versions above the first.
async fn filled() -> TestNode {
    let node = TestNode::start();
    for _ in 0..3 {
        put(node.address, "/dev/kv/json", r#"{"value":{"b":1,  "a":1e400}}"#).await;
    }
    put(node.address, "/dev/kv/a%2Fb%20%C3%BC", r#"{"value":9007199254740993}"#).await;
    put(node.address, "/dev/kv/tagged", r#"{"value":"x","tags":{"team":"shop","":"\"\n"}}"#).await;
    put(node.address, "/dev/kv/brief", r#"{"value":1,"ttl":1000}"#).await;
    let kind = [("content-type", "application/octet-stream")];
    let bytes = send(node.address, "PUT", "/dev/kv/bytes", &kind, "\u{0}bytes").await;
    assert_eq!(bytes.status, StatusCode::OK, "{}", bytes.text());
    put(node.address, "/dev/kv/gone", r#"{"value":1}"#).await;
    delete(node.address, "/dev/kv/gone").await;
    node
}

#[tokio::test]
async fn an_empty_node_becomes_the_one_that_was_dumped() {
    let node = filled().await;
    let text = dump(&node).await;
    assert_eq!(text.lines().count(), 7, "a first line, five entries and a last line:\n{text}");
    let other = TestNode::start();
    let restored = restore(&other, &text).await;
    assert_eq!((restored.status, restored.json()), (StatusCode::OK, tally(5, 0, 0)));
    for path in PATHS {
        assert_eq!(seen(&other, path).await, seen(&node, path).await, "{path}");
    }
    assert_eq!(get(other.address, "/dev/kv/gone").await.status, StatusCode::NOT_FOUND);
    // To do it twice is the same as to do it once.
    assert_eq!(restore(&other, &text).await.json(), tally(0, 5, 0));
    let lines = |text: &str| {
        // Each line's checksum is of all lines before it.
        let entries = text
            .lines()
            .filter(|line| line.contains("\"key\""))
            .map(|line| line.split_once(",\"crc\"").expect("one").0);
        entries.map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(lines(&dump(&other).await), lines(&text));
    let next = put(other.address, "/dev/kv/json", r#"{"value":1}"#).await;
    assert_eq!(next.version(), 4, "versions go on where they were");
}

#[tokio::test]
async fn what_is_newer_stays_and_what_has_expired_does_not_come_back() {
    let node = filled().await;
    let text = dump(&node).await;
    put(node.address, "/dev/kv/json", r#"{"value":"newer"}"#).await;
    delete(node.address, "/dev/kv/tagged").await;
    node.clock.put_ahead(std::time::Duration::from_secs(1001));
    let restored = restore(&node, &text).await;
    assert_eq!((restored.status, restored.json()), (StatusCode::OK, tally(1, 3, 1)));
    let entry = get(node.address, "/dev/kv/json").await.json();
    assert_eq!((&entry["value"], &entry["version"]), (&json!("newer"), &json!(4)));
    assert_eq!(get(node.address, "/dev/kv/brief").await.status, StatusCode::NOT_FOUND);
    // What was deleted is back, with a version that nobody has seen with another content.
    let entry = get(node.address, "/dev/kv/tagged").await.json();
    assert_eq!(
        (&entry["value"], &entry["version"], &entry["metadata"]["tags"]["team"]),
        (&json!("x"), &json!(3), &json!("shop"))
    );
}

#[tokio::test]
async fn accounts_come_back_with_their_keys_and_their_passwords() {
    let node = node_with_accounts();
    let alice = register(node.address, "alice").await;
    alice.ask("POST", "/api/v1/kv", r#"{"key":"own","value":"hers"}"#).await;
    let text = as_master(node.address, "GET", "/admin/dump", "").await.text().to_owned();
    let other = node_with_accounts();
    let restored = as_master(other.address, "POST", "/admin/restore", &text).await;
    assert_eq!(restored.status, StatusCode::OK, "{}", restored.text());
    let session = log_in(other.address, "alice", PASSWORD).await;
    assert_eq!(session.status, StatusCode::OK, "{}", session.text());
    let token = session.json()["access_token"].as_str().expect("a token").to_owned();
    let entry = as_bearer(other.address, &token, "GET", "/api/v1/kv/own", "").await;
    assert_eq!(entry.json()["value"], "hers");
}

#[tokio::test]
async fn a_dump_that_is_cut_off_or_changed_is_taken_as_far_as_it_is_whole() {
    let node = filled().await;
    let text = dump(&node).await;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for length in [0, 1, lines[0].len() + 10, text.len() - 20, text.len() - lines[6].len()] {
        let other = TestNode::start();
        let refused = restore(&other, &text[..length]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{length}: {}", refused.text());
        let whole = text[..length].matches('\n').count().saturating_sub(1);
        let count = get(other.address, "/dev/kv").await.json()["count"].clone();
        assert_eq!(count, json!(whole), "{length} bytes");
    }
    let refused = restore(&TestNode::start(), &lines[..6].concat()).await;
    refused.expect_problem(400, "DumpCutOff", &["cut off", "5 restored"]);
    let changed = text.replacen("\"version\":3", "\"version\":4", 1);
    let refused = restore(&TestNode::start(), &changed).await;
    refused.expect_problem(400, "DumpDamaged", &["restored"]);
    restore(&TestNode::start(), "{\"a\":1}\n").await.expect_problem(400, "NoDump", &[]);
}

#[tokio::test]
async fn only_who_administers_the_node_may_do_either_and_another_tenants_dump_must_be_meant() {
    let node = TestNode::with(&[], &[("ADMIN_KEY", "opensesame")]);
    get(node.address, "/admin/dump").await.expect_problem(401, "Unauthorized", &["master API key"]);
    restore(&node, "").await.expect_problem(401, "Unauthorized", &["master API key"]);
    let shop = TestNode::changed(&[], &[], |settings| settings.tenant = "shop".parse().expect("a good name"));
    put(shop.address, "/shop/kv/k", r#"{"value":1}"#).await;
    let (text, other) = (dump(&shop).await, TestNode::start());
    restore(&other, &text).await.expect_problem(409, "OtherTenant", &["'shop'", "'dev'", "--from shop"]);
    let meant = send(other.address, "POST", "/admin/restore?from=shop", &[], text).await;
    assert_eq!(meant.json(), tally(1, 0, 0));
    assert_eq!(get(other.address, "/dev/kv/k").await.json()["value"], 1);
}

/// The program as people use it.
#[tokio::test]
async fn ctl_writes_a_file_that_is_whole_and_takes_it_back() {
    let node = filled().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("backup.ndjson");
    let path = file.to_str().expect("a plain path");
    let ctl = |node: &TestNode, arguments: &[&str]| {
        let url = format!("http://{}", node.address);
        let output = run(&[&["ctl", "--url", &url], arguments].concat(), &[]);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    assert_eq!(ctl(&node, &["dump", "--output", path]), (Some(0), format!("5 entries in {path}\n"), String::new()));
    let text = std::fs::read_to_string(&file).expect("it is there");
    let other = TestNode::start();
    let said = "5 restored, 0 kept as they were, 0 expired\n".to_owned();
    assert_eq!(ctl(&other, &["restore", path]), (Some(0), said, String::new()));
    assert_eq!(seen(&other, PATHS[0]).await, seen(&node, PATHS[0]).await);
    std::fs::write(&file, &text[..text.len() - 40]).expect("room on the disk");
    let (code, _, sentence) = ctl(&TestNode::start(), &["restore", path]);
    assert_eq!(code, Some(1), "{sentence}");
    assert!(sentence.contains("cut off") && sentence.contains("5 restored"), "{sentence}");
    let (code, _, sentence) = ctl(&other, &["restore", "/no/such/file"]);
    assert_eq!(code, Some(2), "{sentence}");
    assert!(sentence.contains("/no/such/file"), "{sentence}");
    // A node that cannot be reached leaves no file behind.
    let missing = folder.path().join("missing.ndjson");
    let output =
        run(&["ctl", "--url", "http://127.0.0.1:1", "dump", "--output", missing.to_str().expect("plain")], &[]);
    assert_ne!(output.status.code(), Some(0));
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
}
