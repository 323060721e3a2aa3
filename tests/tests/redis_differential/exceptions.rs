//! The whole list of what is compared otherwise than byte for byte, and of what is not asked, each with its reason.
//! Whatever is not named here must be equal. Errors must be equal wherever they occur.

use crate::step::names;

/// When two replies that are no errors count as equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Exact,
    /// Seconds or milliseconds that are left: as far apart as the two servers were asked apart.
    Left(Unit),
    /// When a key ends: the same, if a moment was named; else as far apart as the two servers were asked apart.
    Ends(Unit),
    /// The time itself.
    Now,
    /// The same members in any order.
    AnyOrder,
    /// A cursor and keys.
    Page,
    /// A key, where the other one answers with a key too.
    AnyKey,
    /// The same members, of which these have values of their own.
    But(&'static [&'static str]),
    /// Descriptions of commands: name, arity, flags, key positions and categories, the last and the flags in any order.
    Described,
    /// Of the same kind, whatever it says.
    SameKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Millis,
}

/// Commands whose replies are compared otherwise.
#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) name: &'static str,
    commands: &'static [&'static str],
    rule: Rule,
    pub(crate) reason: &'static str,
}

pub(crate) const COMPARED_OTHERWISE: &[Exception] = &[
    Exception {
        name: "seconds left",
        commands: &["TTL"],
        rule: Rule::Left(Unit::Seconds),
        reason: "time passes between the two servers",
    },
    Exception {
        name: "milliseconds left",
        commands: &["PTTL"],
        rule: Rule::Left(Unit::Millis),
        reason: "time passes between the two servers",
    },
    Exception {
        name: "the second it ends",
        commands: &["EXPIRETIME"],
        rule: Rule::Ends(Unit::Seconds),
        reason: "a lifetime begins at another moment on each server",
    },
    Exception {
        name: "the millisecond it ends",
        commands: &["PEXPIRETIME"],
        rule: Rule::Ends(Unit::Millis),
        reason: "a lifetime begins at another moment on each server",
    },
    Exception { name: "the time", commands: &["TIME"], rule: Rule::Now, reason: "it passes" },
    Exception {
        name: "order of KEYS",
        commands: &["KEYS", "CLUSTER GETKEYSINSLOT"],
        rule: Rule::AnyOrder,
        reason: "a table has an order of its own, which Redis does not promise either",
    },
    Exception {
        name: "order of SCAN",
        commands: &["SCAN"],
        rule: Rule::Page,
        reason: "as of KEYS; that a whole scan gives the same keys is seen by scans to their end",
    },
    Exception {
        name: "any key",
        commands: &["RANDOMKEY"],
        rule: Rule::AnyKey,
        reason: "it is drawn; that both draw one of the keys in use is seen to",
    },
    Exception {
        name: "INFO",
        commands: &["INFO"],
        rule: Rule::SameKind,
        reason: "it tells about the server, which is another one",
    },
    Exception {
        name: "HELLO",
        commands: &["HELLO"],
        rule: Rule::But(&["version", "id"]),
        reason: "the version is our own, connections are numbered by each server",
    },
    Exception {
        name: "connections",
        commands: &["CLIENT ID", "CLIENT INFO", "CLIENT LIST"],
        rule: Rule::SameKind,
        reason: "numbers, addresses and times of connections are each server's own",
    },
    Exception {
        name: "settings",
        commands: &["CONFIG GET"],
        rule: Rule::SameKind,
        reason: "the settings are kvnode's own; clients look for a few of them and must find a reply that they can read",
    },
    Exception {
        name: "which commands there are",
        commands: &["COMMAND", "COMMAND COUNT", "COMMAND LIST", "COMMAND DOCS"],
        rule: Rule::SameKind,
        reason: "kvnode has fewer commands, and describes them in its own words",
    },
    Exception {
        name: "what a command is like",
        commands: &["COMMAND INFO"],
        rule: Rule::Described,
        reason: "tips and key specifications are left empty: for all commands here the key positions say the same",
    },
    Exception {
        name: "help",
        commands: &["CLIENT HELP", "CONFIG HELP", "COMMAND HELP", "CLUSTER HELP"],
        rule: Rule::SameKind,
        reason: "texts for people are our own, and fewer subcommands are listed",
    },
    Exception {
        name: "the cluster's nodes",
        commands: &["CLUSTER INFO", "CLUSTER MYID", "CLUSTER NODES", "CLUSTER SLOTS", "CLUSTER SHARDS"],
        rule: Rule::SameKind,
        reason: "names, addresses and counters of nodes are each cluster's own; real cluster clients read them",
    },
];

/// What redis-server does and kvnode refuses by design, or the other way round.
#[derive(Debug)]
pub(crate) struct NotAsked {
    pub(crate) name: &'static str,
    pub(crate) reason: &'static str,
    is: fn(&[Vec<u8>]) -> bool,
}

pub(crate) const NOT_ASKED: &[NotAsked] = &[
    NotAsked {
        name: "keys that HTTP could not name",
        reason: "a key is not blank, has at most 256 bytes of UTF-8 and no control characters, whatever the protocol",
        is: |words| keys_of(words).any(|key| !is_good_key(key)),
    },
    NotAsked {
        name: "other types and other commands",
        reason: "a value is a string; lists, hashes, scripts, subscriptions are answered as unknown commands",
        is: |_| false, // The grammar has none of them.
    },
    NotAsked {
        name: "other databases",
        reason: "there is one; redis-server is given one, too, and both refuse SELECT 1",
        is: |_| false, // Nothing is left to be left out.
    },
    NotAsked {
        name: "what is done at once over several slots",
        reason: "RENAME and MULTI, with what is watched for it, work within one slot, as slots live on different nodes",
        is: |_| false, // It depends on the port and on the commands before: see `asked`.
    },
    NotAsked {
        name: "all keys, or who one is, within a transaction",
        reason: "a transaction locks one partition; what looks at all of them, or checks a password, is refused in it",
        is: |_| false, // It depends on the commands before: see `asked`.
    },
    NotAsked {
        name: "FLUSHALL and FLUSHDB while somebody watches",
        reason: "a flush leaves no trace of each key, so one that is watched and was absent counts as changed",
        is: |_| false, // It depends on the commands before: see `asked`.
    },
    NotAsked {
        name: "SET IFEQ",
        reason: "compare-and-set came with Valkey 8.1; Redis 7.0 takes the word for a mistake",
        is: |words| names(words)[0] == "SET" && words.iter().skip(3).any(|word| word.eq_ignore_ascii_case(b"IFEQ")),
    },
    NotAsked {
        name: "CLIENT SETINFO",
        reason: "it came with Redis 7.2; clients send it to whatever they connect to",
        is: |words| names(words) == ["CLIENT", "SETINFO"],
    },
    NotAsked {
        name: "HELLO with more words behind SETNAME",
        reason: "redis-server keeps the name even if a word behind it is wrong; here HELLO is done whole or not at all",
        is: |words| names(words)[0] == "HELLO" && words.len() > 4 && words[2].eq_ignore_ascii_case(b"SETNAME"),
    },
    NotAsked {
        name: "AUTH and HELLO AUTH",
        reason: "who a caller is, is decided by kvnode's accounts and keys; only wrong numbers of words are compared",
        is: |words| {
            let [name, _] = names(words);
            (name == "AUTH" && matches!(words.len(), 2 | 3))
                || (name == "HELLO" && words.iter().any(|word| word.eq_ignore_ascii_case(b"AUTH")))
        },
    },
];

/// The rule for the reply to these words.
pub(crate) fn rule_of(words: &[Vec<u8>]) -> Rule {
    let [name, below] = names(words);
    let both = format!("{name} {below}");
    if both == "COMMAND INFO" && words.len() == 2 {
        // Which means: of all commands there are.
        return Rule::SameKind;
    }
    let listed = COMPARED_OTHERWISE.iter().find(|exception| {
        exception.commands.iter().any(|&command| {
            // COMMAND alone is one thing, and a subcommand that is not named another.
            command == both || (command == name && (name != "COMMAND" || words.len() == 1))
        })
    });
    listed.map_or(Rule::Exact, |exception| exception.rule)
}

/// Whether redis-server and kvnode are to answer alike.
pub(crate) fn is_asked(words: &[Vec<u8>]) -> bool {
    !NOT_ASKED.iter().any(|exception| (exception.is)(words))
}

/// Those of the words that the command takes for keys.
pub(crate) fn keys_of(words: &[Vec<u8>]) -> impl Iterator<Item = &Vec<u8>> {
    let [name, below] = names(words);
    let (first, count, step) = match name.as_str() {
        "DEL" | "UNLINK" | "EXISTS" | "TOUCH" | "MGET" | "WATCH" => (1, usize::MAX, 1),
        "MSET" => (1, usize::MAX, 2),
        "RENAME" | "RENAMENX" => (1, 2, 1),
        "CLUSTER" if below == "KEYSLOT" => (2, 1, 1),
        "GET" | "SET" | "SETNX" | "SETEX" | "PSETEX" | "GETSET" | "GETDEL" | "GETEX" | "APPEND" | "STRLEN" | "INCR"
        | "INCRBY" | "DECR" | "DECRBY" | "INCRBYFLOAT" | "SETRANGE" | "GETRANGE" | "SUBSTR" | "TYPE" | "TTL"
        | "PTTL" | "EXPIRE" | "PEXPIRE" | "EXPIREAT" | "PEXPIREAT" | "PERSIST" | "EXPIRETIME" | "PEXPIRETIME" => {
            (1, 1, 1)
        }
        _ => (1, 0, 1),
    };
    words.iter().skip(first).step_by(step).take(count)
}

fn is_good_key(key: &[u8]) -> bool {
    std::str::from_utf8(key)
        .is_ok_and(|key| !key.trim().is_empty() && key.len() <= 256 && !key.chars().any(char::is_control))
}

#[test]
fn every_exception_has_a_name_of_its_own_and_a_reason() {
    let names: Vec<_> = COMPARED_OTHERWISE.iter().map(|exception| (exception.name, exception.reason)).collect();
    let names: Vec<_> = names.into_iter().chain(NOT_ASKED.iter().map(|not| (not.name, not.reason))).collect();
    let distinct: std::collections::BTreeSet<_> = names.iter().map(|(name, _)| name).collect();
    assert_eq!(distinct.len(), names.len());
    assert!(names.iter().all(|(name, reason)| !name.is_empty() && reason.split(' ').count() > 1));
}

#[test]
fn a_rule_is_found_by_the_whole_name() {
    let rule = |line: &str| rule_of(&crate::step::words(line));
    assert_eq!(rule("ttl a"), Rule::Left(Unit::Seconds));
    assert_eq!(rule("command"), Rule::SameKind);
    assert_eq!(rule("COMMAND INFO get"), Rule::Described);
    assert_eq!(rule("COMMAND GETKEYS get a"), Rule::Exact);
    assert_eq!(rule("GET ttl"), Rule::Exact);
}
