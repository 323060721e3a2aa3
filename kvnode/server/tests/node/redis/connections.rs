//! How connections end, and what a client that behaves badly cannot do to others.

use std::time::Duration;

use super::wire::{Wire, encode};
use crate::in_process::TestNode;

fn node() -> TestNode {
    TestNode::with_resp(&["--threads", "1"])
}

/// C103
#[test]
fn whoever_loses_his_place_is_told_and_closed() {
    for (sent, answer) in [
        ("*1\r\n$x\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
        ("*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
        ("*1\r\nPING\r\n", "-ERR Protocol error: expected '$', got 'P'\r\n"),
        ("GET \"k\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"),
        ("*1048577\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
        ("*1\r\n$536870912\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
        ("QUIT\r\n", "+OK\r\n"),
    ] {
        let node = node();
        let mut wire = Wire::plain(&node);
        wire.send(format!("PING\r\n{sent}PING\r\n").as_bytes());
        wire.expect(format!("+PONG\r\n{answer}").as_bytes(), sent);
        wire.expect_end(sent);
        Wire::plain(&node).ask("PING", "+PONG\r\n");
    }
}

/// A page of a browser must not be able to give commands.
#[test]
fn http_is_closed_without_an_answer() {
    let node = node();
    let mut wire = Wire::plain(&node);
    wire.send(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET k v\r\n");
    wire.expect_end("a browser");
    Wire::plain(&node).ask("EXISTS k", ":0\r\n");
}

#[test]
fn junk_of_any_depth_ends_its_own_connection_only() {
    let node = node();
    let mut other = Wire::plain(&node);
    let deep = "*1\r\n".repeat(10_000);
    for junk in [deep.into_bytes(), vec![0xff; 70_000], vec![b'x'; 70_000]] {
        let mut wire = Wire::plain(&node);
        wire.send(&junk);
        wire.finish_sending();
        let rest = wire.rest();
        assert!(rest.is_empty() || rest.starts_with(b"-ERR Protocol error"), "{rest:?}");
        other.ask("PING", "+PONG\r\n");
    }
}

#[test]
fn what_was_asked_before_the_end_is_answered() {
    let node = node();
    let mut wire = Wire::plain(&node);
    let pipeline = "SET k v\r\nGET k\r\nDBSIZE\r\n".repeat(500) + "GET unfinished";
    wire.send(pipeline.as_bytes());
    wire.finish_sending();
    assert_eq!(String::from_utf8_lossy(&wire.rest()), "+OK\r\n$1\r\nv\r\n:1\r\n".repeat(500));
}

/// One that takes no answers is not asked for more, holds little memory, and gets everything once it reads.
#[test]
fn a_slow_reader_is_paused_and_loses_nothing() {
    const OFFERED: usize = 64 * 1024 * 1024;
    let node = node();
    let mut other = Wire::plain(&node);
    let value = "x".repeat(10_000);
    other.ask(&format!("SET large {value}"), "+OK\r\n");
    let mut slow = Wire::plain(&node);
    let get = encode(&[b"GET", b"large"]);
    let sent = slow.send_until_blocked(&get, OFFERED);
    assert!(sent < OFFERED, "all of {sent} bytes were taken, and nothing of the answers");
    for _ in 0..100 {
        other.ask("PING", "+PONG\r\n");
    }
    let answer = format!("$10000\r\n{value}\r\n");
    for number in 0..sent / get.len() {
        slow.expect(answer.as_bytes(), &format!("answer {number}"));
    }
}

/// A place that is free again is soon another client's.
#[test]
fn nobody_gets_what_was_meant_for_who_was_there_before() {
    let node = node();
    let value = "secret".repeat(2_000);
    Wire::plain(&node).ask(&format!("SET large {value}"), "+OK\r\n");
    for _ in 0..30 {
        let mut gone = Wire::plain(&node);
        gone.send(&"GET large\r\n".repeat(200).into_bytes());
        drop(gone);
        let mut next = Wire::plain(&node);
        next.ask("CLIENT GETNAME", "$-1\r\n");
        next.ask("PING", "+PONG\r\n");
    }
}

#[test]
fn clients_are_listed_and_ended() {
    let node = TestNode::with_resp(&["--threads", "2"]);
    let (mut first, mut second) = (Wire::plain(&node), Wire::plain(&node));
    first.ask("CLIENT SETNAME first", "+OK\r\n");
    second.ask("CLIENT SETNAME second", "+OK\r\n");
    second.send(b"CLIENT ID\r\n");
    let id = second.line()[1..].to_owned();
    let list = first.bulk("CLIENT LIST");
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(list.contains(&format!("id={id} ")) && list.contains(" name=second "), "{list}");
    let info = first.bulk("CLIENT INFO");
    assert!(info.contains(" name=first ") && info.contains(" cmd=client|info user=default "), "{info}");
    first.ask(&format!("CLIENT KILL ID {id}"), ":1\r\n");
    second.expect_end("the second");
    first.ask("CLIENT KILL TYPE normal SKIPME no", ":1\r\n");
    first.expect_end("the first");
}

/// C19: clients are answered, then closed, and the node ends as it should (which the end of `TestNode` checks).
#[test]
fn a_node_that_drains_answers_what_is_under_way() {
    let node = TestNode::with_resp(&["--threads", "2"]);
    let (mut idle, mut busy) = (Wire::plain(&node), Wire::plain(&node));
    idle.ask("PING", "+PONG\r\n");
    busy.send(b"SET k v\r\nGET ");
    busy.expect(b"+OK\r\n", "the first");
    node.stop();
    busy.ask("k", "$1\r\nv\r\n");
    busy.expect_end("busy");
    idle.expect_end("idle");
}

#[test]
fn a_silent_client_is_left_alone() {
    let node = node();
    let mut wire = Wire::plain(&node);
    wire.send(b"*2\r\n$3\r\nGET\r\n");
    wire.expect_silence("half a command");
    node.clock.put_ahead(Duration::from_hours(1));
    wire.send(b"$1\r\nk\r\n");
    wire.expect(b"$-1\r\n", "the other half");
}
