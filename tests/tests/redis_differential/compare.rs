//! Whether two answers count as equal, by the rule of the command.

use std::time::Duration;

use crate::exceptions::{Rule, Unit, rule_of};
use crate::material::{MILLI, SECOND};
use crate::step::{Words, names};
use crate::wire::{Answer, Reply};

/// What both servers round off, in milliseconds.
const ROUNDING: i64 = 2;

/// Elements of a description that are compared; what follows is tips, key specifications and subcommands.
const DESCRIBED: usize = 7;

/// Of those, flags and categories.
const IN_ANY_ORDER: [usize; 2] = [2, 6];

/// What is known of the moment of a question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// Each command so far was executed by both servers within so much time.
    pub(crate) span: Duration,
    /// What the transaction had collected, if one is at its end.
    pub(crate) collected: &'a [Words],
    /// All keys that the steps name.
    pub(crate) keys: &'a [Vec<u8>],
}

pub(crate) fn equal(words: &[Vec<u8>], reference: &Answer, subject: &Answer, context: Context<'_>) -> bool {
    match (reference, subject) {
        (Answer::Reply(reference), Answer::Reply(subject)) => {
            if names(words)[0] == "EXEC" && reference.items.len() == context.collected.len() {
                return transactions(reference, subject, context);
            }
            replies(rule_of(words), reference, subject, context)
        }
        _ => reference == subject,
    }
}

/// Each of the collected commands by its own rule.
fn transactions(reference: &Reply, subject: &Reply, context: Context<'_>) -> bool {
    let pairs = reference.items.iter().zip(&subject.items).zip(context.collected);
    same_head(reference, subject)
        && reference.items.len() == subject.items.len()
        && pairs.into_iter().all(|((reference, subject), words)| replies(rule_of(words), reference, subject, context))
}

fn replies(rule: Rule, reference: &Reply, subject: &Reply, context: Context<'_>) -> bool {
    if rule == Rule::Exact || reference.is_error() || subject.is_error() || is_queued(reference) || is_queued(subject) {
        return reference == subject;
    }
    let span = i64::try_from(context.span.as_millis()).unwrap_or(i64::MAX / 4);
    match rule {
        Rule::Exact => unreachable!("compared above"),
        // Both the setting and the reading lie apart.
        Rule::Left(unit) => {
            numbers(reference, subject, |a, b| a == b || (a >= 0 && b >= 0 && near(a, b, 2 * span, unit)))
        }
        Rule::Ends(unit) => numbers(reference, subject, |a, b| {
            a == b || (a >= 0 && b >= 0 && !was_named(a, unit) && near(a, b, span, unit))
        }),
        Rule::Now => moment(reference).zip(moment(subject)).is_some_and(|(a, b)| near(a, b, span, Unit::Millis)),
        Rule::AnyOrder => same_members(reference, subject),
        Rule::Page => is_page(reference) && is_page(subject),
        Rule::AnyKey => {
            let drawn = |reply: &Reply| reply.kind == b'$' && context.keys.contains(&reply.body);
            if reference.is_null() { reference == subject } else { drawn(reference) && drawn(subject) }
        }
        Rule::But(own) => same_but(reference, subject, own),
        Rule::Described => {
            same_head(reference, subject)
                && reference.items.len() == subject.items.len()
                && reference.items.iter().zip(&subject.items).all(|(a, b)| described(a, b))
        }
        Rule::SameKind => reference.kind == subject.kind && reference.is_null() == subject.is_null(),
    }
}

fn is_queued(reply: &Reply) -> bool {
    reply.kind == b'+' && reply.line == b"QUEUED"
}

fn numbers(reference: &Reply, subject: &Reply, near: impl Fn(i64, i64) -> bool) -> bool {
    reference.integer().zip(subject.integer()).is_some_and(|(a, b)| near(a, b))
}

fn near(a: i64, b: i64, span: i64, unit: Unit) -> bool {
    let apart = span + ROUNDING;
    a.abs_diff(b)
        <= match unit {
            Unit::Millis => apart,
            // Two times that are a millisecond apart may be rounded to different seconds.
            Unit::Seconds => apart / 1000 + 1,
        }
        .unsigned_abs()
}

/// Moments that a command named are the same on both sides, whenever it came.
fn was_named(moment: i64, unit: Unit) -> bool {
    let parsed = |text: &&str| text.parse::<i64>().expect("the constants are numbers");
    let mut named = SECOND.iter().map(|text| parsed(text) * 1000).chain(MILLI.iter().map(parsed));
    named.any(|named| match unit {
        Unit::Millis => named == moment,
        Unit::Seconds => (named + 500) / 1000 == moment,
    })
}

/// Of TIME's seconds and microseconds, in milliseconds.
fn moment(reply: &Reply) -> Option<i64> {
    let [seconds, micros] = reply.items.as_slice() else { return None };
    let number = |reply: &Reply| std::str::from_utf8(&reply.body).ok()?.parse::<i64>().ok();
    Some(number(seconds)? * 1000 + number(micros)? / 1000)
}

fn same_head(reference: &Reply, subject: &Reply) -> bool {
    reference.kind == subject.kind && reference.line == subject.line && reference.body == subject.body
}

fn same_members(reference: &Reply, subject: &Reply) -> bool {
    let sorted = |reply: &Reply| {
        let mut members: Vec<Vec<u8>> = reply.items.iter().map(bytes).collect();
        members.sort_unstable();
        members
    };
    same_head(reference, subject) && sorted(reference) == sorted(subject)
}

fn is_page(reply: &Reply) -> bool {
    matches!(reply.items.as_slice(), [cursor, keys] if cursor.kind == b'$' && keys.kind == b'*')
}

fn same_but(reference: &Reply, subject: &Reply, own: &[&str]) -> bool {
    let member = |(a, b): (&[Reply], &[Reply])| {
        let is_own = own.iter().any(|name| name.as_bytes() == a[0].body);
        a[0] == b[0] && if is_own { a[1].kind == b[1].kind } else { a[1] == b[1] }
    };
    same_head(reference, subject)
        && reference.items.len() == subject.items.len()
        && reference.items.len().is_multiple_of(2)
        && reference.items.chunks(2).zip(subject.items.chunks(2)).all(member)
}

fn described(reference: &Reply, subject: &Reply) -> bool {
    if reference.is_null() || subject.is_null() {
        return reference == subject;
    }
    let long_enough = reference.items.len() >= DESCRIBED && subject.items.len() == reference.items.len();
    same_head(reference, subject)
        && long_enough
        && (0..DESCRIBED).all(|element| {
            let (a, b) = (&reference.items[element], &subject.items[element]);
            if IN_ANY_ORDER.contains(&element) { same_members(a, b) } else { a == b }
        })
}

fn bytes(reply: &Reply) -> Vec<u8> {
    let mut bytes = Vec::new();
    reply.write(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    fn judged(line: &str, reference: &str, subject: &str, span_ms: u64) -> bool {
        let context = Context { span: Duration::from_millis(span_ms), collected: &[], keys: &[] };
        let read = |text: &str| wire::read(&mut text.as_bytes());
        equal(&crate::step::words(line), &read(reference), &read(subject), context)
    }

    #[test]
    fn most_replies_are_equal_only_if_their_bytes_are() {
        assert!(judged("GET a", "$1\r\na\r\n", "$1\r\na\r\n", 5));
        assert!(!judged("GET a", "$-1\r\n", "_\r\n", 5));
        assert!(!judged("GET a", "$-1\r\n", "*-1\r\n", 5));
        assert!(!judged("INCR a", ":1\r\n", ":01\r\n", 5));
        assert!(!judged("INCR a", ":1\r\n", "+1\r\n", 5));
    }

    #[test]
    fn times_may_lie_apart_as_the_questions_did_and_no_further() {
        assert!(judged("PTTL a", ":100000\r\n", ":99995\r\n", 5));
        assert!(!judged("PTTL a", ":100000\r\n", ":99980\r\n", 5));
        assert!(judged("TTL a", ":100\r\n", ":99\r\n", 5));
        assert!(!judged("TTL a", ":100\r\n", ":98\r\n", 5));
        assert!(!judged("TTL a", ":0\r\n", ":-1\r\n", 5));
        assert!(!judged("TTL a", ":-1\r\n", ":-2\r\n", 5));
    }

    #[test]
    fn a_moment_that_was_named_is_exact() {
        assert!(judged("PEXPIRETIME a", ":1700000000000\r\n", ":1700000000004\r\n", 5));
        assert!(!judged("PEXPIRETIME a", ":4102444800123\r\n", ":4102444800124\r\n", 5));
        assert!(judged("EXPIRETIME a", ":1700000000\r\n", ":1700000001\r\n", 5));
        assert!(!judged("EXPIRETIME a", ":4102444800\r\n", ":4102444801\r\n", 5));
        assert!(!judged("EXPIRETIME a", ":3000000001\r\n", ":3000000000\r\n", 5));
    }

    #[test]
    fn errors_are_equal_only_if_their_bytes_are_whatever_the_command() {
        for line in ["TTL", "KEYS", "INFO a b", "HELLO 9", "COMMAND INFO", "RANDOMKEY a"] {
            assert!(!judged(line, "-ERR a\r\n", "-ERR b\r\n", 5), "{line}");
            assert!(!judged(line, "-ERR a\r\n", "*0\r\n", 5), "{line}");
            assert!(judged(line, "-ERR a\r\n", "-ERR a\r\n", 5), "{line}");
        }
    }

    #[test]
    fn orders_differ_but_not_members() {
        let (ab, ba, aa) = ("*2\r\n+a\r\n+b\r\n", "*2\r\n+b\r\n+a\r\n", "*2\r\n+a\r\n+a\r\n");
        assert!(judged("KEYS *", ab, ba, 5));
        assert!(!judged("KEYS *", ab, aa, 5));
        assert!(!judged("MGET a b", ab, ba, 5));
    }

    #[test]
    fn hello_may_differ_in_its_version_only() {
        let hello = |version: &str, mode: &str| format!("*4\r\n$7\r\nversion\r\n{version}$4\r\nmode\r\n{mode}");
        let redis = hello("$6\r\n7.0.15\r\n", "$10\r\nstandalone\r\n");
        assert!(judged("HELLO", &redis, &hello("$5\r\n7.0.0\r\n", "$10\r\nstandalone\r\n"), 5));
        assert!(!judged("HELLO", &redis, &hello("$6\r\n7.0.15\r\n", "$7\r\ncluster\r\n"), 5));
        assert!(!judged("HELLO", &redis, &hello(":7\r\n", "$10\r\nstandalone\r\n"), 5));
    }

    #[test]
    fn within_a_transaction_each_command_has_its_own_rule() {
        let collected = ["GET a", "PTTL a"].map(crate::step::words);
        let context = Context { span: Duration::from_millis(5), collected: &collected, keys: &[] };
        let judged = |reference: &str, subject: &str| {
            let read = |text: &str| wire::read(&mut text.as_bytes());
            equal(&crate::step::words("EXEC"), &read(reference), &read(subject), context)
        };
        assert!(judged("*2\r\n$1\r\na\r\n:5000\r\n", "*2\r\n$1\r\na\r\n:4999\r\n"));
        assert!(!judged("*2\r\n$1\r\na\r\n:5000\r\n", "*2\r\n$1\r\nb\r\n:5000\r\n"));
        assert!(!judged("*2\r\n$1\r\na\r\n:5000\r\n", "*1\r\n$1\r\na\r\n"));
        assert!(!judged("*2\r\n$1\r\na\r\n:5000\r\n", "*-1\r\n"));
    }
}
