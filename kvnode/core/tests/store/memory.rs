//! The memory limit, and the tombstones' share of it.

use crate::fixture::{Fixture, address};
use kvnode_core::store::attributes::Tags;
use kvnode_core::store::command::{Command, Put};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::Refusal;
use kvnode_core::store::value::Value;

fn fill(store: &mut Fixture) -> usize {
    let value = format!("\"{}\"", "x".repeat(1000));
    (0..10_000).take_while(|number| store.write(&format!("k{number}"), &value, 0, vec![]).is_ok()).count()
}

#[test]
fn a_full_store_refuses_growth_and_still_reads_shrinks_and_deletes() {
    let mut store = Fixture::with_memory(200_000);
    let keys = fill(&mut store);
    assert!(keys > 100, "200 kB hold more than {keys} entries of 1 kB");
    assert!(store.store.ledger().used() <= 200_000);
    match store.write("one more", &format!("\"{}\"", "x".repeat(1000)), 0, vec![]) {
        Err(Refusal::MemoryFull { limit, creating, .. }) => assert_eq!((limit, creating), (200_000, true)),
        other => panic!("answered {other:?}"),
    }
    assert_eq!(store.version("one more"), 0);
    assert_eq!(store.version("k0"), 1);
    assert_eq!(store.put("k0"), 2, "a smaller value fits");
    assert!(store.delete("k1"));
    assert_eq!(store.put("one more"), 1);
    store.audit();
}

#[test]
fn a_delete_never_grows_the_store() {
    let mut store = Fixture::new();
    store.put("k");
    let before = store.store.ledger().used();
    store.delete("k");
    assert!(store.store.ledger().used() < before);
}

/// C43: no version comes twice, even when memory does not allow to remember each key.
#[test]
fn tombstones_over_their_share_are_dropped_oldest_first_and_their_versions_stay_unused() {
    let mut store = Fixture::with_memory(1_000_000);
    let key = |number: u32| format!("{{p}}{number}");
    let mut last_versions = Vec::new();
    for number in 0..2000 {
        last_versions.push(store.put(&key(number)) + 1);
        store.delete(&key(number));
        assert!(store.store.ledger().tombstones() <= 50_000);
    }
    assert!(store.store.ledger().tombstones() > 49_000, "the room for tombstones is used");
    assert_eq!(store.put(&key(1999)), last_versions[1999] + 1, "the newest tombstone is still there");
    let dropped_until = store.put("{p}never seen") - 1;
    assert_eq!(store.put(&key(0)), dropped_until + 1, "the oldest tombstone is gone, and nothing starts below it");
    for (number, &last) in (0..).zip(&last_versions).skip(1).take(1998) {
        assert!(store.put(&key(number)) > last, "{} came twice", key(number));
    }
    assert_eq!(store.put("{q}other partition"), 1);
    store.audit();
}

#[test]
fn tags_and_bytes_count_as_memory_too() {
    let mut store = Fixture::new();
    let limits = Limits::default();
    let long = "t".repeat(100);
    let put = Put {
        value: Value::bytes(&[0; 5000], &limits).expect("small"),
        ttl: None,
        tags: Tags::new([(long.as_str(), long.as_str())], &limits).expect("one tag"),
        conditions: vec![],
    };
    store.run(Command::put(address("k"), put)).expect("room");
    assert!(store.store.ledger().used() > 5200);
    store.audit();
}
