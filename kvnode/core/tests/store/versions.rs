//! Versions and conditions: what a client that locks optimistically stands on.

use crate::fixture::{Fixture, HOUR_MS, if_version};
use kvnode_core::store::attributes::Version;
use kvnode_core::store::condition::Condition;
use kvnode_core::store::outcome::Refusal;

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
    assert_eq!(store.store.ledger().used(), 0, "no tombstone for a key that never was");
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

/// R3, C47
#[test]
fn a_refused_write_names_both_versions_and_adds_nothing() {
    let mut store = Fixture::new();
    store.put("k");
    store.put("k");
    let refusal = store.put_if("k", if_version(1)).expect_err("the version is 2");
    assert_eq!(refusal.to_string(), "Version mismatch for key 'k'. Expected 1, actual 2.");
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
    match store.write("k", "2", 0, conditions) {
        Err(Refusal::VersionMismatch { expected, actual, .. }) => {
            assert_eq!((expected, actual.get()), (Condition::IfMatch(vec![Version::new(9)]), 1));
        }
        other => panic!("answered {other:?}"),
    }
}

#[test]
fn a_replaced_entry_keeps_the_moment_of_its_creation_and_a_new_one_does_not() {
    use kvnode_core::store::outcome::Reply;
    let mut store = Fixture::new();
    let born = store.now;
    store.put("k");
    store.after_ms(5).put("k");
    let Reply::Found(entry) = store.get("k") else { panic!("k was put") };
    assert_eq!((entry.created_at, entry.updated_at), (born, store.now));
    store.delete("k");
    store.after_ms(5).put("k");
    let Reply::Found(entry) = store.get("k") else { panic!("k was put") };
    assert_eq!(entry.created_at, store.now);
}
