//! What was written is read as it was, and everything else is told from it.

use std::num::NonZeroU32;

use kvnode_core::store::attributes::Tags;
use kvnode_core::store::command::{KeyAction, KeyCommand};
use kvnode_core::store::dumped::{Dumped, DumpedExpiry};
use kvnode_core::store::entry::{Entry, LAST_MOMENT};
use kvnode_core::store::key::{Address, Key, Namespace};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::partition::Partition;
use kvnode_core::store::record::{Event, Record};
use kvnode_core::store::value::{Kind, Value};
use kvnode_core::store::{Eviction, Store, StoreConfig};
use kvnode_core::time::UnixMillis;
use proptest::prelude::*;

use super::{Header, Line, LineError, Passed, Reader, Writer};

const NOW: UnixMillis = UnixMillis::new(1_700_000_000_000);

fn store() -> Store {
    Store::new(&StoreConfig {
        memory_limit: 1 << 30,
        tombstone_retention_ms: 1000,
        hash_seed: 1,
        limits: Limits::default(),
        eviction: Eviction::None,
    })
}

fn put_back(store: &mut Store, namespace: Namespace, key: &str, dumped: Dumped<'_>) {
    let address = Address { namespace, key: Key::new(key, &Limits::default()).expect("a good key") };
    store.execute(&KeyCommand::new(address, KeyAction::PutBack(dumped)), NOW).expect("there is room");
}

/// Everything in a store, and the dump of it.
fn dumped(store: &Store) -> (Vec<Entry>, String) {
    let (mut entries, mut text, mut writer) = (Vec::new(), Vec::new(), Writer::default());
    writer.header(&Header::new("dev", "n0", "2026-01-01T12:00:00.000Z".to_owned(), 7), &mut text);
    let mut each = |partition: &Partition| {
        partition.snapshot(&mut partition.begin_snapshot(), usize::MAX, |row| {
            let record = Record::decode(row).expect("a row is a record");
            if let Event::Holds(entry) = record.event {
                entries.push(entry.to_entry(record.namespace));
                writer.entry(record.namespace, entry, &mut text);
            }
        })
    };
    for partition in store.partitions() {
        assert!(!each(partition), "nothing is left when there is no bound");
    }
    writer.end(&mut text);
    entries.sort_by(|one, other| one.address.cmp(&other.address));
    assert_eq!(writer.entries(), entries.len() as u64);
    (entries, String::from_utf8(text).expect("UTF-8"))
}

/// The number of the first line that is not right, and what is wrong with it.
fn first_error(text: &str) -> Option<(u64, LineError)> {
    let mut reader = Reader::default();
    let error = text.lines().find_map(|line| reader.read(line.as_bytes()).err())?;
    Some((reader.line(), error))
}

fn three_entries() -> String {
    let mut store = store();
    for key in ["a", "b", "c"] {
        let value = Value::json(r#"{"a": "b"}"#, &Limits::default()).expect("JSON");
        put_back(&mut store, Namespace::Shared, key, Dumped::new(value, 3, NOW).expect("a good version"));
    }
    dumped(&store).1
}

#[test]
fn the_lines_are_those_that_are_promised() {
    let mut store = store();
    let value = Value::json("{\"n\": 1.50,\n\"s\": \"ü\"}", &Limits::default()).expect("JSON");
    let mut entry = Dumped::new(value, 3, NOW).expect("a good version");
    entry.tags = Tags::new([("team", "shop")], &Limits::default()).expect("few tags");
    let ttl_seconds = NonZeroU32::new(60).expect("not zero");
    entry.expiry = Some(DumpedExpiry { at: NOW.plus_millis(1), ttl_seconds });
    put_back(&mut store, Namespace::Account(7), "user:7", entry);
    let text = dumped(&store).1;
    let lines: Vec<&str> = text.lines().map(|line| line.rsplit_once(",\"crc\":\"").expect("a checksum").0).collect();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        lines,
        [
            &format!(
                r#"{{"format":"kvnode-dump","form":1,"tenant":"dev","node":"n0","version":"{version}","created_at":"2026-01-01T12:00:00.000Z","entries":7"#
            ),
            r#"{"key":"user:7","namespace":"00000000-0000-0000-0000-000000000007","json":"{\"n\": 1.50,\n\"s\": \"ü\"}","version":3,"created_at":1700000000000,"updated_at":1700000000000,"expires_at":1700000000001,"ttl":60,"tags":{"team":"shop"}"#,
            r#"{"end":true,"entries":1"#,
        ]
    );
    // The CRC-32 of zlib, PNG and gzip, so that any tool can check it.
    let (first, crc) = text.lines().next().and_then(|line| line.rsplit_once(",\"crc\":\"")).expect("a checksum");
    assert_eq!(crc, format!("{:08x}\"}}", crc32fast::hash(first.as_bytes())));
}

#[test]
fn whatever_is_changed_left_out_or_put_in_is_found_at_once() {
    let text = three_entries();
    assert_eq!(first_error(&text), None);
    let lines: Vec<&str> = text.lines().collect();
    let with = |lines: &[&str]| first_error(&lines.join("\n"));
    assert_eq!(with(&[lines[0], lines[1], lines[3], lines[4]]), Some((3, LineError::Damaged)));
    assert_eq!(with(&[lines[0], lines[2], lines[1], lines[3], lines[4]]), Some((2, LineError::Damaged)));
    assert_eq!(with(&[lines[0], lines[1], lines[1], lines[2]]), Some((3, LineError::Damaged)));
    assert_eq!(with(&[&lines[..], &lines[..]].concat()), Some((6, LineError::BehindEnd)));
    assert_eq!(with(&lines[1..]), Some((1, LineError::NoDump)));
    let other = text.replacen("\"form\":1", "\"form\":2", 1);
    assert_eq!(first_error(&other), Some((1, LineError::Form(2))));
    for foreign in ["", "{}", "[1]", "null", "SELECT 1", "{\"format\":\"kvnode-dump\"}", "\u{fffd}"] {
        assert_eq!(first_error(&format!("{foreign}\n")), Some((1, LineError::NoDump)), "{foreign:?}");
    }
}

/// Every byte matters, wherever it is; only the line feeds themselves are not part of a line.
#[test]
fn one_wrong_byte_is_found_in_its_own_line() {
    let text = three_entries().into_bytes();
    let mut line = 1;
    for position in 0..text.len() {
        if text[position] == b'\n' {
            line += 1;
            continue;
        }
        let mut wrong = text.clone();
        wrong[position] ^= 1;
        if wrong[position] == b'\n' {
            continue;
        }
        let mut reader = Reader::default();
        let found = wrong.split(|&byte| byte == b'\n').find_map(|line| reader.read(line).err());
        assert!(found.is_some(), "byte {position} is not found");
        assert_eq!(reader.line(), line, "byte {position}: {found:?}");
    }
}

/// Somebody who computes the checksums can still write nonsense.
#[test]
fn nonsense_with_a_good_checksum_is_named() {
    let written = |members: &str| {
        let (mut text, mut chain) = (Vec::new(), super::chain::Chain::default());
        for line in [
            r#"{"format":"kvnode-dump","form":1,"tenant":"d","node":"n","version":"1","created_at":"","entries":1"#,
            members,
        ] {
            let from = text.len();
            text.extend_from_slice(line.as_bytes());
            chain.close(&mut text, from);
        }
        String::from_utf8(text).expect("UTF-8")
    };
    let times = r#""version":1,"created_at":0,"updated_at":0"#;
    assert_eq!(first_error(&written(&format!(r#"{{"key":"k","json":"1",{times}"#))), None);
    for (members, word) in [
        (format!(r#"{{"key":"k",{times}"#), "json"),
        (format!(r#"{{"key":"k","json":"1","bytes":"",{times}"#), "json"),
        (format!(r#"{{"key":"k","bytes":"?",{times}"#), "base 64"),
        (format!(r#"{{"key":"k","json":"1","namespace":"shop",{times}"#), "'shop'"),
        (format!(r#"{{"key":"k","json":"1","ttl":1,{times}"#), "ttl"),
        (format!(r#"{{"key":"k","json":"1","ttl":0,"expires_at":1,{times}"#), "nonzero"),
        (format!(r#"{{"key":"k","json":"1","more":1,{times}"#), "more"),
        (format!(r#"{{"key":"k","json":1,{times}"#), "string"),
        (r#"{"key":"k","json":"1""#.to_owned(), "version"),
        ("[1".to_owned(), "column"),
    ] {
        match first_error(&written(&members)) {
            Some((2, LineError::Unreadable { reason })) => assert!(reason.contains(word), "{reason} of {members}"),
            other => panic!("{other:?} of {members}"),
        }
    }
    let ended = written(r#"{"end":true,"entries":5"#);
    assert_eq!(first_error(&ended), Some((2, LineError::Count { told: 5, found: 0 })));
}

proptest! {
    #[test]
    fn any_entry_is_read_as_it_was_written(
        content in prop::collection::vec(any::<u8>(), 0..200),
        text in "\\PC{0,40}",
        whitespace in "[ \n\r\t]{0,5}",
        key in "\\PC{1,20}",
        (version, account) in (1..1_u64 << 61, prop::option::of(any::<u128>())),
        // As far as entries can tell seconds.
        (created, updated) in (0..u64::from(u32::MAX), 0..u64::from(u32::MAX)),
        expiry in prop::option::of((NOW.get() + 1..=LAST_MOMENT.get(), 1..=u32::MAX)),
        tags in prop::collection::btree_map("\\PC{0,9}", "\\PC{0,9}", 0..4),
    ) {
        let limits = Limits::default();
        prop_assume!(Key::new(&key, &limits).is_ok());
        let json = format!("[{whitespace}{}]", serde_json::to_string(&text).expect("a text"));
        let mut store = store();
        let namespace = account.map_or(Namespace::System, Namespace::Account);
        for (kind, key) in [(Kind::Json, "json"), (Kind::Bytes, key.as_str())] {
            let value = match kind {
                Kind::Json => Value::json(&json, &limits),
                Kind::Bytes => Value::bytes(&content, &limits),
            };
            let mut entry = Dumped::new(value.expect("it is small"), version, UnixMillis::new(updated * 1000)).expect("in range");
            entry.created_at = UnixMillis::new(created * 1000);
            entry.tags = Tags::new(tags.iter().map(|(name, value)| (name.as_str(), value.as_str())), &limits).expect("few");
            entry.expiry = expiry.map(|(at, ttl)| DumpedExpiry {
                at: UnixMillis::new(at),
                ttl_seconds: NonZeroU32::new(ttl).expect("not zero"),
            });
            put_back(&mut store, namespace, key, entry);
        }
        let (entries, text) = dumped(&store);
        let mut again = self::store();
        let (mut reader, mut read) = (Reader::default(), 0);
        for line in text.lines() {
            match reader.read(line.as_bytes()) {
                Ok(Line::Header(header)) => prop_assert_eq!((header.tenant.as_str(), header.entries), ("dev", 7)),
                Ok(Line::End) => prop_assert!(reader.ended()),
                Ok(Line::Entry(line)) => {
                    read += 1;
                    let key = line.key(&limits).expect("a good key").as_str().to_owned();
                    put_back(&mut again, line.namespace, &key, line.dumped(&limits).expect("within limits"));
                }
                Err(error) => prop_assert!(false, "{}", error),
            }
        }
        prop_assert_eq!((read, reader.entries()), (entries.len(), entries.len() as u64));
        let mut passing = Reader::default();
        let passed = text.lines().filter(|line| matches!(passing.pass(line.as_bytes()), Ok(Passed::Entry))).count();
        prop_assert_eq!(passed, entries.len());
        prop_assert_eq!(dumped(&again).0, entries);
    }

    #[test]
    fn any_bytes_are_met_with_an_answer(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..4)) {
        let mut reader = Reader::default();
        let read = lines.iter().all(|line| reader.read(line).is_ok());
        prop_assert!(!read, "no chance brings about a dump");
    }
}
