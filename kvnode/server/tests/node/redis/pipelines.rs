//! Many commands at once, however their bytes are cut and whoever else speaks meanwhile. One thread serves, so that all
//! clients share its turns.

use super::wire::{Wire, encode};
use crate::in_process::TestNode;

fn node() -> TestNode {
    TestNode::with_resp(&["--threads", "1"])
}

/// A conversation in both directions, all of it.
struct Script {
    sent: Vec<u8>,
    answered: Vec<u8>,
}

impl Script {
    fn new() -> Self {
        Self { sent: Vec::new(), answered: Vec::new() }
    }

    fn add(&mut self, words: &[&[u8]], answer: &[u8]) {
        self.sent.extend_from_slice(&encode(words));
        self.answered.extend_from_slice(answer);
    }

    /// Every kind of command there is for the loop: of one key, of several, of none, of all, inline, and unknown.
    fn of_all_kinds(tag: &str) -> Self {
        let mut script = Self::new();
        let key = format!("{tag}:k").into_bytes();
        let value = tag.repeat(20).into_bytes();
        let bulk = [format!("${}\r\n", value.len()).as_bytes(), &value, b"\r\n"].concat();
        script.add(&[b"SET", &key, &value], b"+OK\r\n");
        script.add(&[b"GET", &key], &bulk);
        script.add(&[b"MGET", &key, b"nothing"], &[b"*2\r\n", &bulk[..], b"$-1\r\n"].concat());
        script.sent.extend_from_slice(b"PING\r\n\r\n*0\r\n");
        script.answered.extend_from_slice(b"+PONG\r\n");
        script.add(&[b"FOO"], b"-ERR unknown command 'FOO', with args beginning with: \r\n");
        script.add(&[b"KEYS", &key], &[format!("*1\r\n${}\r\n", key.len()).as_bytes(), &key, b"\r\n"].concat());
        script.add(&[b"MULTI"], b"+OK\r\n");
        script.add(&[b"GET", &key], b"+QUEUED\r\n");
        script.add(&[b"EXEC"], &[b"*1\r\n", &bulk[..]].concat());
        script.add(&[b"DEL", &key], b":1\r\n");
        script
    }
}

#[test]
fn a_pipeline_may_be_cut_at_every_byte() {
    let node = node();
    let script = Script::of_all_kinds("cut");
    let mut wire = Wire::plain(&node);
    for cut in 1..script.sent.len() {
        wire.send(&script.sent[..cut]);
        wire.send(&script.sent[cut..]);
        wire.expect(&script.answered, &format!("cut at {cut}"));
    }
}

#[test]
fn a_pipeline_may_come_byte_by_byte() {
    let node = node();
    let script = Script::of_all_kinds("drop");
    let mut wire = Wire::plain(&node);
    for byte in &script.sent {
        wire.send(&[*byte]);
    }
    wire.expect(&script.answered, "byte by byte");
}

/// Larger than any buffer and any round, and cut where neither ends.
#[test]
fn clients_that_speak_at_once_get_each_their_own_answers() {
    const CLIENTS: usize = 20;
    const REPEATS: usize = 150;
    let node = node();
    let scripts: Vec<Script> = (0..CLIENTS)
        .map(|client| {
            let once = Script::of_all_kinds(&format!("client{client}"));
            Script { sent: once.sent.repeat(REPEATS), answered: once.answered.repeat(REPEATS) }
        })
        .collect();
    let mut wires: Vec<Wire> = (0..CLIENTS).map(|_| Wire::plain(&node)).collect();
    std::thread::scope(|scope| {
        for (number, (wire, script)) in wires.iter_mut().zip(&scripts).enumerate() {
            scope.spawn(move || {
                // Answers must be read while more is sent, or both sides would wait for each other.
                let part = 1000 + 977 * number;
                let mut answered = 0;
                let mut sent = 0;
                while sent < script.sent.len() {
                    let end = (sent + part).min(script.sent.len());
                    wire.send(&script.sent[sent..end]);
                    sent = end;
                    let due = (script.answered.len() * sent / script.sent.len()).saturating_sub(16 * 1024);
                    if due > answered {
                        wire.expect(&script.answered[answered..due], &format!("client {number}"));
                        answered = due;
                    }
                }
                wire.expect(&script.answered[answered..], &format!("client {number}, the rest"));
            });
        }
    });
}

#[test]
fn large_values_come_and_go_between_small_ones() {
    let node = node();
    let mut wire = Wire::plain(&node);
    let large: Vec<u8> = (0..2 * 1024 * 1024_u32).map(|number| (number % 251) as u8).collect();
    let bulk = [format!("${}\r\n", large.len()).as_bytes(), &large, b"\r\n"].concat();
    let mut script = Script::new();
    for _ in 0..3 {
        script.add(&[b"SET", b"large", &large], b"+OK\r\n");
        script.add(&[b"SET", b"small", b"v"], b"+OK\r\n");
        script.add(&[b"GET", b"large"], &bulk);
        script.add(&[b"GET", b"small"], b"$1\r\nv\r\n");
    }
    std::thread::scope(|scope| {
        let mut reader = Wire::plain(&node);
        scope.spawn(move || (0..200).for_each(|_| reader.ask("PING", "+PONG\r\n")));
        wire.send(&script.sent);
        wire.expect(&script.answered, "large values");
    });
}

#[test]
fn answers_that_are_not_wanted_are_not_sent() {
    let node = node();
    let mut wire = Wire::plain(&node);
    for line in ["CLIENT REPLY OFF", "SET k v", "DBSIZE", "FOO"] {
        wire.send(format!("{line}\r\n").as_bytes());
    }
    wire.ask("CLIENT REPLY ON", "+OK\r\n");
    wire.send(b"CLIENT REPLY SKIP\r\nGET k\r\n");
    wire.ask("GET k", "$1\r\nv\r\n");
    wire.send(b"CLIENT REPLY SKIP\r\nDBSIZE\r\n");
    wire.ask("PING", "+PONG\r\n");
}
