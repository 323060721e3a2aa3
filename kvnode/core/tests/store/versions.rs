//! Versions and conditions: what a client that locks optimistically stands on.

use crate::fixture::{Fixture, HOUR_MS, if_version, json};
use kvnode_core::store::attributes::Version;
use kvnode_core::store::command::Write;
use kvnode_core::store::condition::Condition;
use kvnode_core::store::key::Namespace;
use kvnode_core::store::outcome::Refusal;
use kvnode_core::time::UnixMillis;

/// C43, C47
#[test]
fn a_key_never_seen_starts_at_one_and_each_write_adds_one() {
    let mut store = Fixture::new();
    assert_eq!([store.put("a"), store.put("a"), store.put("a")], [1, 2, 3]);
    assert_eq!(store.put("b"), 1);
}

/// C43
#[test]
fn a_key_made_again_goes_on_above_its_tombstone() {
    let mut store = Fixture::new();
    store.put("a");
    assert!(store.delete("a"));
    assert_eq!(store.version("a"), 0);
    assert_eq!(store.put("a"), 3, "the delete added one, and so did the creation");
}

#[test]
fn deleting_what_is_absent_changes_nothing() {
    let mut store = Fixture::new();
    assert!(!store.delete("a"));
    assert_eq!(store.used(), 0, "no tombstone for a key that never was");
    store.put("a");
    store.delete("a");
    assert!(!store.delete("a"));
    assert_eq!(store.put("a"), 3);
}

#[test]
fn a_tombstone_is_forgotten_after_the_retention_and_not_a_moment_earlier() {
    let mut store = Fixture::new();
    store.put("a");
    store.delete("a");
    store.put("b");
    store.delete("b");
    store.after_ms(HOUR_MS - 1).sweep(100);
    assert_eq!(store.put("a"), 3);
    assert_eq!(store.after_ms(1).sweep(100).tombstones_dropped, 1);
    assert_eq!(store.put("b"), 1);
    store.audit();
}

/// C43
#[test]
fn a_flush_empties_one_namespace_and_no_version_comes_twice_after_it() {
    let mut store = Fixture::new();
    for namespace in [Namespace::Shared, Namespace::Account(5)] {
        store.within(namespace);
        for _ in 0..9 {
            store.put("{p}live");
            store.put("{p}deleted");
        }
        store.delete("{p}deleted");
    }
    assert_eq!((store.flush(), store.count(), store.flush()), (1, 0, 0));
    assert!(store.put("{p}live") > 9);
    assert!(store.put("{p}deleted") > 10, "tombstones count as well");
    assert!(store.put("{p}never seen") > 10, "what is known of a partition is one number");
    assert_eq!(store.put("{q}elsewhere"), 1);
    store.within(Namespace::Shared);
    assert_eq!((store.version("{p}live"), store.put("{p}deleted")), (9, 11), "the other namespace did not notice");
    store.within(Namespace::Account(5)).flush();
    store.after_ms(HOUR_MS).sweep_all();
    assert!(store.put("{p}live") > 12, "and this is not forgotten with time");
    store.audit();
}

/// R3, C47
#[test]
fn a_refused_write_names_both_versions_and_adds_nothing() {
    let mut store = Fixture::new();
    store.put("k");
    store.put("k");
    let refusal = store.put_if("k", if_version(1)).expect_err("the version is 2");
    assert_eq!(refusal.to_string(), "Expected 1, actual 2");
    assert_eq!(store.version("k"), 2);
    assert_eq!(store.put_if("k", if_version(2)), Ok(3));
}

/// R3
#[test]
fn version_zero_means_that_the_key_must_not_exist() {
    let mut store = Fixture::new();
    assert_eq!(store.put_if("k", if_version(0)), Ok(1));
    assert!(store.put_if("k", if_version(0)).is_err());
    store.delete("k");
    assert!(store.put_if("k", if_version(2)).is_err(), "a tombstone's version is not a present version");
    assert_eq!(store.put_if("k", if_version(0)), Ok(3));
}

#[test]
fn all_conditions_must_hold_and_the_first_failed_one_is_reported() {
    let mut store = Fixture::new();
    store.put("k");
    let conditions = vec![if_version(1), Condition::IfMatch(vec![Version::new(9)]), Condition::IfNoneMatchAny];
    match store.store("k", Write::put(json("2")).only(conditions)) {
        Err(Refusal::VersionMismatch { expected, actual, .. }) => {
            assert_eq!((expected, actual.get()), (Condition::IfMatch(vec![Version::new(9)]), 1));
        }
        other => panic!("answered {other:?}"),
    }
}

/// Times are told in whole seconds.
#[test]
fn a_replaced_entry_keeps_the_moment_of_its_creation_and_a_new_one_does_not() {
    let second = |moment: UnixMillis| UnixMillis::new(moment.get() / 1000 * 1000);
    let mut store = Fixture::new();
    let born = store.now;
    store.put("k");
    store.after_ms(5500).put("k");
    let entry = store.entry("k");
    assert_eq!((entry.created_at, entry.updated_at), (second(born), second(store.now)));
    store.delete("k");
    store.after_ms(5500).put("k");
    assert_eq!(store.entry("k").created_at, second(store.now));
}
