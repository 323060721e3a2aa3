//! MULTI, EXEC and WATCH. Lines without a comment were asked of a redis-server 7.0.15.

use std::time::Duration;

use super::wire::Wire;
use crate::in_process::TestNode;

#[test]
fn what_stands_between_multi_and_exec_is_done_together() {
    let node = TestNode::with_resp(&[]);
    let mut wire = Wire::plain(&node);
    for (line, answer) in [
        ("EXEC", "-ERR EXEC without MULTI\r\n"),
        ("DISCARD", "-ERR DISCARD without MULTI\r\n"),
        ("MULTI", "+OK\r\n"),
        ("MULTI", "-ERR MULTI calls can not be nested\r\n"),
        ("WATCH a", "-ERR WATCH inside MULTI is not allowed\r\n"),
        ("SET {t}a 1", "+QUEUED\r\n"),
        ("INCRBYFLOAT {t}a 0.5", "+QUEUED\r\n"),
        ("INCR {t}a", "+QUEUED\r\n"),
        ("RENAME {t}a {t}b", "+QUEUED\r\n"),
        ("MGET {t}a {t}b", "+QUEUED\r\n"),
        ("PING", "+QUEUED\r\n"),
        (
            "EXEC",
            "*6\r\n+OK\r\n$3\r\n1.5\r\n-ERR value is not an integer or out of range\r\n+OK\r\n\
             *2\r\n$-1\r\n$3\r\n1.5\r\n+PONG\r\n",
        ),
        ("MULTI", "+OK\r\n"),
        ("EXEC", "*0\r\n"),
        ("MULTI", "+OK\r\n"),
        ("SET {t}b 2", "+QUEUED\r\n"),
        ("DISCARD", "+OK\r\n"),
        ("GET {t}b", "$3\r\n1.5\r\n"),
        ("MULTI", "+OK\r\n"),
        ("SET {t}b", "-ERR wrong number of arguments for 'set' command\r\n"),
        ("SET {t}b 2", "+QUEUED\r\n"),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors.\r\n"),
        ("GET {t}b", "$3\r\n1.5\r\n"),
        ("MULTI", "+OK\r\n"),
        ("RESET", "+RESET\r\n"),
        ("GET {t}b", "$3\r\n1.5\r\n"),
    ] {
        wire.ask(line, answer);
    }
}

/// Ours: Redis does what a cluster of Redis would refuse, and asks all keys within a transaction.
#[test]
fn a_transaction_is_about_one_slot() {
    let node = TestNode::with_resp(&[]);
    let mut wire = Wire::plain(&node);
    for (line, answer) in [
        ("MULTI", "+OK\r\n"),
        ("SET a 1", "+QUEUED\r\n"),
        ("SET b 1", "+QUEUED\r\n"),
        ("EXEC", "-CROSSSLOT Keys in request don't hash to the same slot\r\n"),
        ("EXISTS a b", ":0\r\n"),
        ("WATCH a", "+OK\r\n"),
        ("MULTI", "+OK\r\n"),
        ("SET b 1", "+QUEUED\r\n"),
        ("EXEC", "-CROSSSLOT Keys in request don't hash to the same slot\r\n"),
        ("MULTI", "+OK\r\n"),
        ("DBSIZE", "-ERR Command not allowed inside a transaction\r\n"),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors.\r\n"),
    ] {
        wire.ask(line, answer);
    }
}

#[test]
fn what_is_watched_and_changed_stops_it() {
    let node = TestNode::with_resp(&[]);
    let (mut wire, mut other) = (Wire::plain(&node), Wire::plain(&node));
    let mut round = |change: &mut dyn FnMut(), answer: &str| {
        wire.ask("SET {t}k 1", "+OK\r\n");
        wire.ask("WATCH {t}k {t}absent", "+OK\r\n");
        change();
        wire.ask("MULTI", "+OK\r\n");
        wire.ask("SET {t}done 1", "+QUEUED\r\n");
        wire.ask("EXEC", answer);
    };
    round(&mut || {}, "*1\r\n+OK\r\n");
    round(&mut || other.ask("SET {t}k 1", "+OK\r\n"), "*-1\r\n");
    round(&mut || other.ask("SET {t}absent 1", "+OK\r\n"), "*-1\r\n");
    round(&mut || other.ask("DEL {t}k {t}absent", ":2\r\n"), "*-1\r\n");
    round(&mut || other.ask("GET {t}k", "$1\r\n1\r\n"), "*1\r\n+OK\r\n");
    round(
        &mut || {
            other.ask("PEXPIRE {t}k 100", ":1\r\n");
            node.clock.put_ahead(Duration::from_millis(100));
        },
        "*-1\r\n",
    );
    wire.ask("DEL {t}absent", ":0\r\n");
    let mut come_and_gone = || {
        other.ask("SET {t}absent 1", "+OK\r\n");
        other.ask("DEL {t}absent", ":1\r\n");
    };
    wire.ask("WATCH {t}absent", "+OK\r\n");
    come_and_gone();
    wire.ask("MULTI", "+OK\r\n");
    wire.ask("EXEC", "*-1\r\n");
    wire.ask("WATCH {t}k", "+OK\r\n");
    other.ask("FLUSHALL", "+OK\r\n");
    wire.ask("MULTI", "+OK\r\n");
    wire.ask("EXEC", "*-1\r\n");
    wire.ask("WATCH {t}k", "+OK\r\n");
    other.ask("SET {t}k 2", "+OK\r\n");
    wire.ask("UNWATCH", "+OK\r\n");
    wire.ask("MULTI", "+OK\r\n");
    wire.ask("GET {t}k", "+QUEUED\r\n");
    wire.ask("EXEC", "*1\r\n$1\r\n2\r\n");
}

/// Each adds to two counters of one slot; nobody ever sees them differ.
#[test]
fn nobody_sees_half_a_transaction() {
    const ROUNDS: usize = 300;
    let node = TestNode::with_resp(&["--threads", "2"]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut wire = Wire::plain(&node);
                for _ in 0..ROUNDS {
                    wire.send(b"MULTI\r\nINCR {t}a\r\nINCR {t}b\r\nMGET {t}a {t}b\r\nEXEC\r\n");
                    wire.expect(b"+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n", "a transaction");
                    assert_eq!(wire.line(), wire.line(), "both counters");
                    assert_eq!(wire.line(), "*2");
                    let read = [(); 4].map(|()| wire.line());
                    assert_eq!((&read[0], &read[1]), (&read[2], &read[3]));
                }
            });
        }
    });
    let total = 4 * ROUNDS;
    Wire::plain(&node).ask("GET {t}b", &format!("${}\r\n{total}\r\n", total.to_string().len()));
}
