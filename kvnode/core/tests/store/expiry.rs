//! Time to live: gone at the second, everywhere at once, and for good.

use crate::fixture::{Fixture, HOUR_MS, if_version};
use kvnode_core::store::outcome::Reply;

/// C56
#[test]
fn an_entry_is_gone_at_its_second_and_there_a_millisecond_before() {
    let mut store = Fixture::new();
    store.put_for("k", 3600);
    store.after_ms(HOUR_MS - 1);
    assert_eq!((store.version("k"), store.count()), (1, 1));
    store.after_ms(1);
    assert_eq!((store.count(), store.version("k")), (0, 0));
}

/// C71
#[test]
fn an_expired_entry_is_absent_from_count_list_and_conditions_before_any_sweep() {
    let mut store = Fixture::new();
    store.put_for("a", 1);
    store.put_for("b", 1);
    store.put("c");
    store.after_ms(1000);
    assert_eq!(store.count(), 1);
    assert_eq!(store.page("", None, 10).keys, ["c".into()]);
    assert_eq!(store.put_if("a", if_version(0)), Ok(3), "expiry added one, as a delete does");
    assert!(!store.delete("b"));
    store.audit();
}

#[test]
fn a_clock_set_back_does_not_bring_an_expired_entry_back() {
    let mut store = Fixture::new();
    store.put_for("k", 10);
    store.after_ms(10_000);
    assert_eq!(store.count(), 0);
    store.set_clock_back_ms(9_000);
    assert_eq!((store.count(), store.version("k")), (0, 0));
    assert!(store.page("", None, 10).keys.is_empty());
}

#[test]
fn a_write_replaces_the_expiry_or_takes_it_away() {
    let mut store = Fixture::new();
    store.put_for("k", 10);
    store.after_ms(9_000).put_for("k", 10);
    store.after_ms(9_000);
    assert_eq!(store.version("k"), 2);
    store.put("k");
    store.after_ms(HOUR_MS);
    assert_eq!(store.version("k"), 3);
    let Reply::Found(entry) = store.get("k") else { panic!("k does not expire") };
    assert_eq!((entry.ttl, entry.expires_at), (None, None));
}

/// C72
#[test]
fn a_sweep_frees_the_memory_of_what_expired_in_bounded_turns() {
    let mut store = Fixture::new();
    for number in 0..1000 {
        store.put_for(&format!("{{one partition}}{number}"), 5);
    }
    let full = store.store.ledger().used();
    store.after_ms(5000);
    let first = store.sweep(100);
    assert_eq!((first.expired, first.more), (100, true));
    while store.sweep(100).more {}
    assert_eq!(store.store.ledger().expired(), 1000);
    assert!(store.store.ledger().used() < full);
    while store.after_ms(HOUR_MS).sweep(100).more {}
    assert_eq!(store.store.ledger().used(), 0);
    store.audit();
}

#[test]
fn a_hundred_years_do_not_overflow() {
    let mut store = Fixture::new();
    store.put_for("k", 100 * 365 * 24 * 3600);
    store.after_ms(HOUR_MS);
    assert_eq!(store.version("k"), 1);
}
