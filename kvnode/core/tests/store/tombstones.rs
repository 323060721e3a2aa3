//! The tombstones' part of the memory limit, and what holds when it is used up.

use crate::fixture::Fixture;
use kvnode_core::store::key::Namespace;

/// One twentieth of the memory.
const TOMBSTONE_PART: u64 = 20;

/// A tombstone of a short key: more do not fit into the last bytes of a share.
const TOMBSTONE_BYTES_MAX: u64 = 100;

/// C43: no version comes twice, even when memory does not allow to remember each key.
#[test]
fn tombstones_over_their_share_are_dropped_oldest_first_and_their_versions_stay_unused() {
    const LIMIT: u64 = 1_000_000;
    let mut store = Fixture::with_memory(LIMIT);
    let key = |number: u32| format!("{{p}}{number}");
    let mut last_versions = Vec::new();
    for number in 0..2000 {
        last_versions.push(store.put(&key(number)) + 1);
        store.delete(&key(number));
        assert!(store.store.ledger().tombstones() <= LIMIT / TOMBSTONE_PART);
    }
    let tombstones = store.store.ledger().tombstones();
    assert!(tombstones > LIMIT / TOMBSTONE_PART - TOMBSTONE_BYTES_MAX, "the room for tombstones is used");
    assert_eq!(store.put(&key(1999)), last_versions[1999] + 1, "the newest tombstone is still there");
    let dropped_until = store.put("{p}never seen") - 1;
    assert_eq!(store.put(&key(0)), dropped_until + 1, "the oldest tombstone is gone, and nothing starts below it");
    for (number, &last) in (0..).zip(&last_versions).skip(1).take(1998) {
        assert!(store.put(&key(number)) > last, "{} came twice", key(number));
    }
    assert_eq!(store.put("{q}other partition"), 1);
    store.audit();
}

/// A share for each account of each partition would sum up to any amount.
#[test]
fn many_accounts_that_delete_much_keep_within_the_same_bound() {
    const LIMIT: u64 = 20_000_000;
    let mut store = Fixture::with_memory(LIMIT);
    for number in 0..1000 {
        for account in 0..40 {
            store.within(Namespace::Account(account));
            let key = format!("key{number}");
            store.put(&key);
            store.delete(&key);
        }
    }
    // Over the limit, a partition may still grow up to its even share, and all shares together are one limit.
    let tombstones = store.store.ledger().tombstones();
    assert!(tombstones <= 2 * LIMIT / TOMBSTONE_PART, "tombstones take {tombstones} bytes");
    assert!(tombstones > LIMIT / TOMBSTONE_PART - TOMBSTONE_BYTES_MAX, "the room for tombstones is used");
    store.audit();
}

/// What one account deletes must not cost another the few tombstones it has.
#[test]
fn tombstones_are_dropped_where_most_of_them_are() {
    let mut store = Fixture::with_memory(1_000_000);
    store.within(Namespace::Account(1)).put("{p}mine");
    store.delete("{p}mine");
    store.within(Namespace::Account(2));
    for number in 0..2000 {
        store.put(&format!("{{p}}{number}"));
        store.delete(&format!("{{p}}{number}"));
    }
    assert!(store.put("{p}0") > 3, "tombstones of account 2 were dropped");
    store.within(Namespace::Account(1));
    assert_eq!((store.put("{p}mine"), store.put("{p}another")), (3, 1), "and none of account 1");
}
