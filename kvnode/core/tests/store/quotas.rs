//! What an account may have at most.

use crate::fixture::{Fixture, bytes};
use kvnode_core::store::command::Write;
use kvnode_core::store::key::Namespace;
use kvnode_core::store::outcome::Refusal;
use kvnode_core::store::usage::{Quota, QuotaExceeded, Used};

const ACCOUNT: Namespace = Namespace::Account(1);

fn limited(keys_max: u64, bytes_max: u64) -> Fixture {
    let mut store = Fixture::new();
    store.store.ledger().set_account_quota(Quota { keys_max, bytes_max });
    store.within(ACCOUNT);
    store
}

#[test]
fn an_account_gets_as_many_keys_as_its_quota_says_wherever_they_lie() {
    let mut store = limited(50, u64::MAX);
    for number in 0..50 {
        store.put(&format!("k{number}"));
    }
    let full = QuotaExceeded::Keys { max: 50 };
    assert_eq!(store.put_text("one more", "1"), Err(Refusal::QuotaExceeded(full)));
    assert_eq!(full.to_string(), "The account has 50 keys, as many as its quota allows; delete some, or ask for more.");
    assert_eq!(store.put("k0"), 2, "a key that is there may change");
    assert!(store.delete("k1"));
    assert_eq!(store.put("one more"), 1);
    for other in [Namespace::Account(2), Namespace::Shared, Namespace::System] {
        store.within(other);
        assert_eq!(store.put("k0"), 1, "{other:?} has nothing to do with it");
    }
    store.audit();
}

#[test]
fn bytes_are_those_of_keys_values_and_tags() {
    let mut store = limited(u64::MAX, 100);
    store.put_text("0123456789", &"x".repeat(90)).expect("a hundred bytes");
    assert_eq!(store.store.ledger().used_by_account(1), Used { keys: 1, bytes: 100 });
    let refused = Err(Refusal::QuotaExceeded(QuotaExceeded::Bytes { bytes: 101, max: 100 }));
    assert_eq!(store.put_text("0123456789", &"x".repeat(91)), refused);
    store.put_text("0123456789", &"x".repeat(80)).expect("less");
    store.put_text("a", "123456789").expect("as much as was given up");
    assert_eq!(store.store.ledger().used_by_account(1), Used { keys: 2, bytes: 100 });
}

/// Nobody can be told that a quota is used up by keys that are not there.
#[test]
fn what_has_expired_counts_no_more_when_it_is_asked_for() {
    let mut store = limited(20, u64::MAX);
    for number in 0..20 {
        store.put_for(&format!("k{number}"), 5);
    }
    assert!(store.put_text("n", "1").is_err());
    store.after_ms(5000);
    for number in 0..20 {
        store.put(&format!("n{number}"));
    }
    assert!(store.put_text("n", "1").is_err());
    store.audit();
}

#[test]
fn everything_an_account_loses_is_given_back_to_its_quota() {
    let mut store = limited(1000, 100_000);
    for round in 0..4 {
        for number in 0..300 {
            store.put_text(&format!("k{number}"), &"x".repeat(number % 50)).expect("room");
        }
        assert_eq!(store.store.ledger().used_by_account(1).keys, 300, "round {round}");
        assert_eq!(store.flush(), 300);
        assert_eq!(store.store.ledger().used_by_account(1), Used::default());
    }
    store.store.ledger().set_account_quota(Quota { keys_max: 0, bytes_max: 0 });
    assert!(store.put_text("k", "").is_err());
    store.within(Namespace::Account(2));
    assert!(store.put_text("k", "").is_err());
    store.audit();
}

#[test]
fn a_write_that_memory_refuses_takes_nothing_of_the_quota() {
    let mut store = Fixture::with_memory(100_000);
    store.within(ACCOUNT);
    let value = vec![b'x'; 50_000];
    store.store("k", Write::put(bytes(&value))).expect("room");
    let used = store.store.ledger().used_by_account(1);
    for key in ["k2", "k3"] {
        assert!(matches!(store.store(key, Write::put(bytes(&value))), Err(Refusal::MemoryFull { .. })));
    }
    assert_eq!(store.store.ledger().used_by_account(1), used);
}

/// A quota can be lowered below what is there: then an account may only shrink.
#[test]
fn whoever_has_more_than_a_new_quota_allows_keeps_it() {
    let mut store = limited(10, u64::MAX);
    for number in 0..10 {
        store.put_text(&format!("k{number}"), "value").expect("room");
    }
    store.store.ledger().set_account_quota(Quota { keys_max: 5, bytes_max: 20 });
    store.put_text("k0", "short").expect("it does not grow");
    assert!(store.put_text("k0", "longer").is_err());
    assert_eq!(store.count(), 10);
}
