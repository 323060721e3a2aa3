//! The table and the refusals beside what a redis-server 7.0.15 answered.

use std::collections::BTreeSet;

use super::*;
use crate::resp::request::sample::Sample;

fn joined(words: impl Iterator<Item = &'static str>) -> String {
    words.collect::<Vec<_>>().join(",")
}

fn line(spec: &Spec) -> String {
    let KeyPositions { first, last, step } = spec.keys;
    let (flags, categories) = (joined(spec.flags.words()), joined(spec.categories.words()));
    format!("{}|{}|{flags}|{first}|{last}|{step}|{categories}|{}|{}", spec.text, spec.arity, spec.since, spec.group)
}

/// Clients take routes and retries from these.
#[test]
fn every_command_is_described_as_redis_describes_it() {
    let theirs: BTreeSet<String> =
        include_str!("redis_7_0.txt").lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    let ours = Name::all().filter(|spec| spec.name != Name::ClientSetinfo).map(line).collect();
    let differing: Vec<_> = theirs.symmetric_difference(&ours).collect();
    assert!(differing.is_empty(), "{differing:#?}");
}

fn refusal<W: AsRef<[u8]>>(words: &[W]) -> String {
    let sample = Sample::new(words);
    let refusal = find(sample.arguments()).expect_err("a refusal");
    refusal.message().expect("an answer").iter().map(|&byte| char::from(byte)).collect()
}

#[test]
fn wrong_numbers_of_arguments_are_refused_in_redis_words() {
    for (words, name) in [
        ("get", "get"),
        ("GeT a b", "get"),
        ("client", "client"),
        ("client setname", "client|setname"),
        ("CLIENT SetName a b", "client|setname"),
        ("config get", "config|get"),
        ("cluster keyslot", "cluster|keyslot"),
        ("auth", "auth"),
    ] {
        let expected = format!("ERR wrong number of arguments for '{name}' command");
        assert_eq!(refusal(&words.split(' ').collect::<Vec<_>>()), expected);
    }
}

#[test]
fn unknown_commands_are_refused_in_redis_words() {
    let cases: &[(&[&[u8]], &str)] = &[
        (&[b"foo"], "ERR unknown command 'foo', with args beginning with: "),
        (&[b"foo", b"a", b"b"], "ERR unknown command 'foo', with args beginning with: 'a' 'b' "),
        (&[b""], "ERR unknown command '', with args beginning with: "),
        (&[b"get|x"], "ERR unknown command 'get|x', with args beginning with: "),
        (&[b"client|setname", b"x"], "ERR unknown command 'client|setname', with args beginning with: 'x' "),
        (&[b"fo\0o", b"a\0b", b"c"], "ERR unknown command 'fo', with args beginning with: 'a' 'c' "),
        (&[b"\xff\xfe"], "ERR unknown command '\u{ff}\u{fe}', with args beginning with: "),
        (&[b"client", b"foo"], "ERR unknown subcommand 'foo'. Try CLIENT HELP."),
        (&[b"CLIENT", b"Foo", b"bar"], "ERR unknown subcommand 'Foo'. Try CLIENT HELP."),
        (&[b"command", b"foo"], "ERR unknown subcommand 'foo'. Try COMMAND HELP."),
    ];
    for (words, expected) in cases {
        assert_eq!(refusal(words), *expected);
    }
}

/// How many of `bcdef` are shown behind so many other letters: 128 bytes with quotes and blanks, then no more words.
#[test]
fn only_the_beginning_of_long_arguments_is_shown() {
    for (letters, shown) in
        [(118, "'bcdef' "), (120, "'bcdef' "), (121, "'bcde' "), (124, "'b' "), (125, ""), (128, ""), (200, "")]
    {
        let expected = format!(
            "ERR unknown command 'foo', with args beginning with: '{}' {shown}",
            "a".repeat(letters.min(QUOTED_BYTES_MAX))
        );
        assert_eq!(refusal(&["foo", &"a".repeat(letters), "bcdef", "ghi"]), expected, "{letters}");
    }
    let long = "f".repeat(200);
    let shown = "f".repeat(QUOTED_BYTES_MAX);
    assert_eq!(refusal(&[&long]), format!("ERR unknown command '{shown}', with args beginning with: "));
    assert_eq!(refusal(&["client", &long]), format!("ERR unknown subcommand '{shown}'. Try CLIENT HELP."));
}

const QUOTED_BYTES_MAX: usize = 128;
