//! What each command answers. The lines were asked of a redis-server 7.0.15 unless a comment says otherwise.

use std::time::Duration;

use super::wire::Wire;
use crate::client::{get, put};
use crate::in_process::TestNode;

fn all(lines: &[(&str, &str)]) {
    let node = TestNode::with_resp(&[]);
    let mut wire = Wire::plain(&node);
    for (line, answer) in lines {
        wire.ask(line, answer);
    }
}

/// C128
#[test]
fn values_are_written_and_read_on_conditions() {
    all(&[
        ("GET k", "$-1\r\n"),
        ("SET k v", "+OK\r\n"),
        ("get k", "$1\r\nv\r\n"),
        ("SET k w NX", "$-1\r\n"),
        ("SET k w XX GET", "$1\r\nv\r\n"),
        ("SET other w XX", "$-1\r\n"),
        ("SET k x NX GET", "$1\r\nw\r\n"),
        ("SET new x NX GET", "$-1\r\n"),
        ("SETNX k z", ":0\r\n"),
        ("SETNX fresh z", ":1\r\n"),
        ("GETSET k y", "$1\r\nw\r\n"),
        ("GETDEL k", "$1\r\ny\r\n"),
        ("GETDEL k", "$-1\r\n"),
        ("MSET a 1 b 2", "+OK\r\n"),
        ("MGET a nothing b", "*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n2\r\n"),
        ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command\r\n"),
        ("DEL a b nothing", ":2\r\n"),
        ("EXISTS fresh fresh nothing", ":2\r\n"),
        ("TOUCH fresh nothing", ":1\r\n"),
        ("UNLINK fresh", ":1\r\n"),
        ("TYPE fresh", "+none\r\n"),
        ("TYPE new", "+string\r\n"),
        ("SET k v EX 0", "-ERR invalid expire time in 'set' command\r\n"),
        ("SET k v FOO", "-ERR syntax error\r\n"),
    ]);
}

/// As Valkey 8.1 has it.
#[test]
fn a_value_is_written_where_another_stands() {
    all(&[
        ("SET k new IFEQ old", "$-1\r\n"),
        ("SET k old", "+OK\r\n"),
        ("SET k new IFEQ older", "$-1\r\n"),
        ("SET k new IFEQ old", "+OK\r\n"),
        ("SET k newest IFEQ new GET", "$3\r\nnew\r\n"),
        ("GET k", "$6\r\nnewest\r\n"),
    ]);
}

#[test]
fn values_are_changed_in_place() {
    all(&[
        ("APPEND s ab", ":2\r\n"),
        ("APPEND s cd", ":4\r\n"),
        ("STRLEN s", ":4\r\n"),
        ("STRLEN nothing", ":0\r\n"),
        ("SETRANGE s 6 xy", ":8\r\n"),
        ("GETRANGE s 0 -1", "$8\r\nabcd\0\0xy\r\n"),
        ("SUBSTR s 1 2", "$2\r\nbc\r\n"),
        ("GETRANGE s -2 -1", "$2\r\nxy\r\n"),
        ("SETRANGE s -1 x", "-ERR offset is out of range\r\n"),
        ("SETRANGE nothing 5 \"\"", ":0\r\n"),
        ("EXISTS nothing", ":0\r\n"),
        ("INCR n", ":1\r\n"),
        ("INCRBY n 41", ":42\r\n"),
        ("DECR n", ":41\r\n"),
        ("DECRBY n 50", ":-9\r\n"),
        ("DECRBY n -9223372036854775808", "-ERR decrement would overflow\r\n"),
        ("SET n 9223372036854775807", "+OK\r\n"),
        ("INCR n", "-ERR increment or decrement would overflow\r\n"),
        ("INCR s", "-ERR value is not an integer or out of range\r\n"),
        ("INCRBY n x", "-ERR value is not an integer or out of range\r\n"),
        ("SET f 10.5", "+OK\r\n"),
        ("INCRBYFLOAT f 0.1", "$4\r\n10.6\r\n"),
        ("INCRBYFLOAT f -10.6", "$1\r\n0\r\n"),
        ("INCRBYFLOAT fresh 5.0e3", "$4\r\n5000\r\n"),
        ("INCRBYFLOAT s 1", "-ERR value is not a valid float\r\n"),
        ("INCRBYFLOAT f inf", "-ERR increment would produce NaN or Infinity\r\n"),
    ]);
}

#[test]
fn keys_end_when_they_are_told_to() {
    let node = TestNode::with_resp(&[]);
    let mut wire = Wire::plain(&node);
    for (line, answer) in [
        ("SET k v EX 100", "+OK\r\n"),
        ("TTL k", ":100\r\n"),
        ("EXPIRE k 50 GT", ":0\r\n"),
        ("EXPIRE k 200 GT", ":1\r\n"),
        ("EXPIRE k 300 NX", ":0\r\n"),
        ("EXPIRE k 150 XX LT", ":1\r\n"),
        ("TTL k", ":150\r\n"),
        ("PERSIST k", ":1\r\n"),
        ("PERSIST k", ":0\r\n"),
        ("TTL k", ":-1\r\n"),
        ("EXPIRETIME k", ":-1\r\n"),
        ("TTL nothing", ":-2\r\n"),
        ("EXPIRE nothing 5", ":0\r\n"),
        ("EXPIRE k 5 NX GT", "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n"),
        ("EXPIREAT k 33177117420", ":1\r\n"),
        ("EXPIRETIME k", ":33177117420\r\n"),
        ("PEXPIRETIME k", ":33177117420000\r\n"),
        ("SET k w KEEPTTL", "+OK\r\n"),
        ("EXPIRETIME k", ":33177117420\r\n"),
        ("GETEX k PERSIST", "$1\r\nw\r\n"),
        ("TTL k", ":-1\r\n"),
        ("GETEX k EX 10", "$1\r\nw\r\n"),
        ("TTL k", ":10\r\n"),
        ("GETEX nothing EX 10", "$-1\r\n"),
        ("SETEX k 20 v", "+OK\r\n"),
        ("TTL k", ":20\r\n"),
        ("PSETEX k 5000 v", "+OK\r\n"),
        ("TTL k", ":5\r\n"),
        ("SETEX k 0 v", "-ERR invalid expire time in 'setex' command\r\n"),
        ("PEXPIRE k -1", ":1\r\n"),
        ("EXISTS k", ":0\r\n"),
        ("SET k v EXAT 1", "+OK\r\n"),
        ("EXISTS k", ":0\r\n"),
        ("SET k v PX 1500", "+OK\r\n"),
    ] {
        wire.ask(line, answer);
    }
    node.clock.put_ahead(Duration::from_millis(1500));
    wire.ask("GET k", "$-1\r\n");
}

/// RENAME across slots is ours: Redis has it, a cluster of Redis has not.
#[test]
fn keys_are_renamed_with_everything_they_have() {
    all(&[
        ("SET {t}a v EX 100", "+OK\r\n"),
        ("RENAME {t}a {t}b", "+OK\r\n"),
        ("TTL {t}b", ":100\r\n"),
        ("EXISTS {t}a", ":0\r\n"),
        ("RENAME {t}a {t}b", "-ERR no such key\r\n"),
        ("RENAME {t}b {t}b", "+OK\r\n"),
        ("RENAMENX {t}b {t}b", ":0\r\n"),
        ("SET {t}c w", "+OK\r\n"),
        ("RENAMENX {t}b {t}c", ":0\r\n"),
        ("RENAMENX {t}b {t}d", ":1\r\n"),
        ("RENAME {t}d {t}c", "+OK\r\n"),
        ("GET {t}c", "$1\r\nv\r\n"),
        ("RENAME {t}c other", "-CROSSSLOT Keys in request don't hash to the same slot\r\n"),
    ]);
}

#[test]
fn all_keys_are_counted_listed_and_deleted() {
    let node = TestNode::with_resp(&[]);
    let mut wire = Wire::plain(&node);
    wire.ask("RANDOMKEY", "$-1\r\n");
    for number in 0..500 {
        wire.ask(&format!("SET key:{number} v"), "+OK\r\n");
    }
    wire.ask("DBSIZE", ":500\r\n");
    wire.ask("KEYS key:12?", "*10\r\n");
    let mut keys: Vec<String> = (0..10).map(|_| [wire.line(), wire.line()].concat()).collect();
    keys.sort();
    let expected: Vec<String> = (0..10).map(|last| format!("$7key:12{last}")).collect();
    assert_eq!(keys, expected);
    assert!(wire.bulk("RANDOMKEY").starts_with("key:"));

    let (mut cursor, mut seen, mut calls) = ("0".to_owned(), Vec::new(), 0);
    loop {
        wire.send(format!("SCAN {cursor} COUNT 50 MATCH key:*\r\n").as_bytes());
        assert_eq!((wire.line().as_str(), wire.line().starts_with('$')), ("*2", true));
        cursor = wire.line();
        let count: usize = wire.line()[1..].parse().expect("a number");
        assert!(count <= 51, "{count} keys at once");
        for _ in 0..count {
            wire.line();
            seen.push(wire.line());
        }
        calls += 1;
        if cursor == "0" {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert!(seen.len() == 500 && calls >= 10, "{} keys in {calls} calls", seen.len());
    wire.ask("SCAN 0 TYPE list COUNT 1000", "*2\r\n$1\r\n0\r\n*0\r\n");
    wire.ask("SCAN 18446744073709551615", "*2\r\n$1\r\n0\r\n*0\r\n");
    wire.ask("SCAN x", "-ERR invalid cursor\r\n");
    wire.ask("FLUSHDB FOO", "-ERR syntax error\r\n");
    wire.ask("FLUSHALL ASYNC", "+OK\r\n");
    wire.ask("DBSIZE", ":0\r\n");
}

/// C58: the limits of keys and values are the same for every protocol. The sentences are ours.
#[test]
fn what_cannot_be_stored_is_refused_with_a_sentence() {
    let node = TestNode::with_resp(&["--threads", "1"]);
    let mut wire = Wire::plain(&node);
    let long = "x".repeat(257);
    wire.ask(&format!("SET {long} v"), "-ERR The key has 257 bytes; at most 256 are allowed.\r\n");
    wire.ask_words(&[b"SET", b"\xff", b"v"], b"-ERR The key is not UTF-8; keys are text.\r\n");
    wire.ask_words(
        &[b"GET", b""],
        b"-ERR The key is blank; a key has 1 to 256 bytes and at least one character that is not white space.\r\n",
    );
    wire.ask_words(
        &[b"GET", b"a\nb"],
        b"-ERR The key has a control character (U+000A) at byte 1; control characters are not allowed in keys.\r\n",
    );
    let large = vec![b'x'; 2 * 1024 * 1024 + 1];
    let sentence = b"-ERR The value has 2097153 bytes; at most 2097152 are allowed.\r\n";
    wire.ask_words(&[b"SET", b"k", &large], sentence);
    wire.ask_words(&[b"MSET", b"a", b"1", b"b", &large], sentence);
    wire.ask("EXISTS a b k", ":0\r\n");
    wire.ask_words(&[b"SET", b"k", &large[1..]], b"+OK\r\n");
    // Redis has words of its own for a value that grows too large.
    let grown = b"-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
    wire.ask_words(&[b"APPEND", b"k", b"x"], grown);
}

/// What one protocol wrote another reads (K8).
#[tokio::test]
async fn json_is_read_as_its_text_and_stays_json() {
    let node = TestNode::with_resp(&[]);
    put(node.address, "/dev/kv/n", r#"{"value":41}"#).await;
    put(node.address, "/dev/kv/object", r#"{"value":{"b":1, "a":1e400}}"#).await;
    let mut wire = Wire::plain(&node);
    wire.ask("INCR n", ":42\r\n");
    wire.ask("INCRBYFLOAT n 0.5", "$4\r\n42.5\r\n");
    wire.ask("GET object", "$18\r\n{\"b\":1, \"a\":1e400}\r\n");
    wire.ask("SET bytes hello", "+OK\r\n");
    let entry = get(node.address, "/dev/kv/n").await.json();
    assert_eq!((entry["value"].to_string().as_str(), entry["version"].as_u64()), ("42.5", Some(3)));
    assert_eq!(get(node.address, "/dev/kv/bytes?raw=true").await.body, "hello");
}

#[test]
fn connections_say_who_they_are_and_what_they_speak() {
    all(&[
        ("PING", "+PONG\r\n"),
        ("PING hello", "$5\r\nhello\r\n"),
        ("PING a b", "-ERR wrong number of arguments for 'ping' command\r\n"),
        ("ECHO \"a b\"", "$3\r\na b\r\n"),
        ("SELECT 0", "+OK\r\n"),
        ("SELECT 1", "-ERR DB index is out of range\r\n"),
        ("SELECT a", "-ERR value is not an integer or out of range\r\n"),
        ("CLIENT ID", ":1\r\n"),
        ("CLIENT GETNAME", "$-1\r\n"),
        ("CLIENT SETNAME web", "+OK\r\n"),
        ("CLIENT SETINFO lib-name x", "+OK\r\n"),
        ("CLIENT GETNAME", "$3\r\nweb\r\n"),
        ("CLIENT NO-EVICT on", "+OK\r\n"),
        ("CLIENT KILL 1.2.3.4:5", "-ERR No such client\r\n"),
        ("CLIENT KILL ID 99", ":0\r\n"),
        ("FOO bar", "-ERR unknown command 'FOO', with args beginning with: 'bar' \r\n"),
        ("LPUSH a b", "-ERR unknown command 'LPUSH', with args beginning with: 'a' 'b' \r\n"),
        ("GET", "-ERR wrong number of arguments for 'get' command\r\n"),
        ("CONFIG GET save foo", "*2\r\n$4\r\nsave\r\n$0\r\n\r\n"),
        ("COMMAND GETKEYS mget a b", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
        ("HELLO 4", "-NOPROTO unsupported protocol version\r\n"),
        (
            "HELLO 3 SETNAME web2",
            "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n\
             $4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n",
        ),
        ("GET nothing", "_\r\n"),
        ("CLIENT GETNAME", "$4\r\nweb2\r\n"),
        ("RESET", "+RESET\r\n"),
        ("GET nothing", "$-1\r\n"),
        ("CLIENT GETNAME", "$-1\r\n"),
        ("READONLY", "-ERR This instance has cluster support disabled\r\n"),
        ("CLUSTER NODES", "-ERR This instance has cluster support disabled\r\n"),
        ("CLUSTER HELP", "-ERR This instance has cluster support disabled\r\n"),
    ]);
}

/// Real tools read these.
#[test]
fn info_tells_what_tools_look_for() {
    let node = TestNode::with_resp(&[]);
    let mut wire = Wire::plain(&node);
    wire.ask("SET k v", "+OK\r\n");
    wire.ask("MGET k nothing nothing", "*3\r\n$1\r\nv\r\n$-1\r\n$-1\r\n");
    wire.ask("SET ending v EX 100", "+OK\r\n");
    wire.ask("SET gone v PX 1", "+OK\r\n");
    node.clock.put_ahead(Duration::from_secs(1));
    let info = wire.bulk("INFO");
    for line in [
        "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n",
        "\r\n\r\n# Clients\r\nconnected_clients:1\r\n",
        "loading:0\r\n",
        "role:master\r\n",
        "cluster_enabled:0\r\n",
        "db0:keys=2,expires=1,",
    ] {
        assert!(info.contains(line), "no {line:?} in {info}");
    }
    let stats = wire.bulk("INFO stats");
    assert!(stats.starts_with("# Stats\r\n") && stats.contains("keyspace_hits:1\r\nkeyspace_misses:2\r\n"), "{stats}");
    assert_eq!(wire.bulk("INFO nonsense"), "");
}
