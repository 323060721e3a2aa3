//! Who a Redis client is: a stranger, the holder of a key or a token, or an account by its name and password.

use std::io::Write as _;

use tempfile::NamedTempFile;

use super::wire::Wire;
use crate::access::{PASSWORD, Person, SIGNING_KEY, as_master, register};
use crate::client::MASTER_KEY;
use crate::in_process::TestNode;

const WRONG: &str = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
const NOT_YET: &str = "-NOAUTH Authentication required.\r\n";

struct Files {
    signing_key: NamedTempFile,
    master_key: NamedTempFile,
    config: NamedTempFile,
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("room on the disk");
    file
}

/// A node with accounts; the files have to stay while it runs.
fn node(config: &str) -> (TestNode, Files) {
    let files = Files { signing_key: file(SIGNING_KEY), master_key: file(MASTER_KEY), config: file(config) };
    let path = |file: &NamedTempFile| file.path().to_str().expect("a plain path").to_owned();
    let (signing_key, master_key, config) = (path(&files.signing_key), path(&files.master_key), path(&files.config));
    let flags = ["--secret-file", &signing_key, "--admin-key-file", &master_key, "--config", &config];
    (TestNode::with_resp(&flags), files)
}

async fn api_key(node: &TestNode, scope: &str) -> (String, String) {
    let body = format!(r#"{{"name":"n","scope":"{scope}"}}"#);
    let created = as_master(node.address, "POST", "/api/v1/keys", &body).await.json();
    let text = |name: &str| created[name].as_str().expect("text").to_owned();
    (text("id"), text("key"))
}

/// C97, C126
#[tokio::test]
async fn where_strangers_are_not_let_in_a_client_says_first_who_it_is() {
    let (node, _files) = node("auth: {anonymous: false}\n");
    let alice = register(node.address, "alice").await;
    let mut wire = Wire::plain(&node);
    for command in ["GET k", "PING", "COMMAND COUNT", "DBSIZE"] {
        wire.ask(command, NOT_YET);
    }
    wire.send(b"HELLO 3\r\n");
    assert!(wire.line().starts_with("-NOAUTH HELLO must be called"));
    for wrong in ["AUTH guess", "AUTH default guess", "AUTH alice guess", "AUTH nobody guess"] {
        wire.ask(wrong, WRONG);
    }
    // What stands behind the password waits for it.
    wire.send(format!("AUTH alice {PASSWORD}\r\nSET k hers\r\nGET k\r\n").as_bytes());
    wire.expect(b"+OK\r\n+OK\r\n$4\r\nhers\r\n", "a pipeline");
    assert_eq!(alice.ask("GET", "/dev/kv/k?raw=true", "").await.text(), "hers");
    wire.ask("RESET", "+RESET\r\n");
    wire.ask("GET k", NOT_YET);
    wire.send(format!("HELLO 3 AUTH alice@example.com {PASSWORD} SETNAME me\r\nGET k\r\n").as_bytes());
    assert_eq!(wire.line(), "%7");
    while wire.line() != "*0" {}
    wire.expect(b"$4\r\nhers\r\n", "GET behind HELLO");
    wire.ask("CLIENT GETNAME", "$2\r\nme\r\n");
    wire.ask(&format!("AUTH {MASTER_KEY}"), "+OK\r\n");
    wire.ask("GET k", "_\r\n");
}

#[tokio::test]
async fn a_token_or_a_key_is_enough_and_brings_its_own_keys_and_scope() {
    let (node, _files) = node("");
    let alice = register(node.address, "alice").await;
    let mut wire = Wire::plain(&node);
    wire.ask("SET k everybodys", "+OK\r\n");
    wire.ask(&format!("AUTH {}", alice.access_token), "+OK\r\n");
    wire.ask("GET k", "$-1\r\n");
    wire.ask("MSET k hers l hers", "+OK\r\n");
    wire.ask("DBSIZE", ":2\r\n");
    let (_, readonly) = api_key(&node, "readonly").await;
    wire.ask(&format!("AUTH default {readonly}"), "+OK\r\n");
    wire.ask("GET k", "$10\r\neverybodys\r\n");
    wire.ask("SET k 1", "-NOPERM this user has no permissions to run the 'set' command\r\n");
    wire.ask("MULTI", "+OK\r\n");
    wire.ask("DEL k", "-NOPERM this user has no permissions to run the 'del' command\r\n");
    wire.ask("EXEC", "-EXECABORT Transaction discarded because of previous errors.\r\n");
    let (_, writing) = api_key(&node, "read_write").await;
    wire.ask(&format!("AUTH {writing}"), "+OK\r\n");
    wire.ask("SET k 1", "+OK\r\n");
    wire.ask("FLUSHDB", "-NOPERM this user has no permissions to run the 'flushdb' command\r\n");
    let trail = alice.ask("GET", "/api/v1/audit?limit=1", "").await.json();
    assert_eq!(
        (&trail["items"][0]["event_type"], &trail["items"][0]["details"]["key"]),
        (&"create".into(), &"l".into())
    );
}

#[tokio::test]
async fn what_ends_a_token_or_a_key_ends_the_connection_that_used_it() {
    let (node, _files) = node("auth: {anonymous: false}\n");
    let (alice, bob) = (register(node.address, "alice").await, register(node.address, "bob").await);
    let (id, key) = api_key(&node, "read_write").await;
    let enter = |secret: &str| {
        let mut wire = Wire::plain(&node);
        wire.ask(&format!("AUTH {secret}"), "+OK\r\n");
        wire.ask("SET k 1", "+OK\r\n");
        wire
    };
    let mut wires = [enter(&alice.access_token), enter(&bob.access_token), enter(&key), enter(MASTER_KEY)];
    let changed = alice.ask("PUT", "/api/v1/auth/me", r#"{"password":"Other4Password"}"#).await;
    assert_eq!(changed.status.as_u16(), 200);
    wires[0].ask("GET k", NOT_YET);
    leave(&bob).await;
    wires[1].ask("GET k", NOT_YET);
    as_master(node.address, "DELETE", &format!("/api/v1/keys/{id}"), "").await;
    wires[2].ask("GET k", NOT_YET);
    wires[3].ask("GET k", "$1\r\n1\r\n");
}

async fn leave(person: &Person) {
    assert_eq!(person.ask("DELETE", "/api/v1/auth/me", "").await.status.as_u16(), 204);
}

#[tokio::test]
async fn who_asks_too_often_is_told_so() {
    let (node, _files) = node("limits: {rateLimit: {addressPerSecond: 1, addressBurst: 5}}\n");
    let mut wire = Wire::plain(&node);
    wire.send("PING\r\n".repeat(200).as_bytes());
    let answers: Vec<String> = (0..200).map(|_| wire.line()).collect();
    assert!(answers.iter().filter(|answer| *answer == "+PONG").count() >= 5);
    assert!(answers.iter().any(|answer| answer.starts_with("-ERR Too many requests; try again in ")));
}
