//! Time to live: gone at the second, everywhere at once, and for good.

use crate::fixture::{Fixture, HOUR_MS, if_version, json};
use kvnode_core::store::attributes::Ttl;
use kvnode_core::store::change::NewValue;
use kvnode_core::store::command::{NewExpiry, Write};
use kvnode_core::store::condition::{Condition, ExpiryRule};
use kvnode_core::store::entry::LAST_MOMENT;
use kvnode_core::store::outcome::Reply;
use kvnode_core::time::UnixMillis;

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
    assert_eq!(store.sorted("", &[], 0, 10).keys, ["c".into()]);
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
fn a_put_replaces_the_expiry_or_takes_it_away() {
    let mut store = Fixture::new();
    store.put_for("k", 10);
    store.after_ms(9_000).put_for("k", 10);
    store.after_ms(9_000);
    assert_eq!(store.version("k"), 2);
    store.put("k");
    store.after_ms(HOUR_MS);
    assert_eq!(store.version("k"), 3);
    let entry = store.entry("k");
    assert_eq!((entry.ttl, entry.expires_at), (None, None));
}

#[test]
fn every_new_expiry_does_what_its_name_says() {
    let mut store = Fixture::new();
    let (second, later) = (store.now.plus_millis(1), store.now.plus_millis(90_500));
    let ttl = Ttl::from_millis(1500).expect("short").expect("not zero");
    let longer = Ttl::from_seconds(7).expect("short").expect("not zero");
    let told = |store: &mut Fixture| {
        let entry = store.entry("k");
        (entry.expires_at, entry.ttl.map(Ttl::seconds))
    };
    store.put("k");
    for (expiry, expected) in [
        (NewExpiry::Keep, (None, None)),
        (NewExpiry::After(ttl), (Some(store.now.plus_millis(1500)), Some(2))),
        (NewExpiry::Keep, (Some(store.now.plus_millis(1500)), Some(2))),
        (NewExpiry::KeepOrAfter(longer), (Some(store.now.plus_millis(1500)), Some(2))),
        (NewExpiry::At(later), (Some(later), Some(91))),
        (NewExpiry::At(second), (Some(second), Some(1))),
        (NewExpiry::Never, (None, None)),
        (NewExpiry::Keep, (None, None)),
    ] {
        store.expire("k", expiry).expect("no condition");
        assert_eq!(told(&mut store), expected, "{expiry:?}");
    }
    assert_eq!(store.version("k"), 9, "each was a write");
    store.expire("created", NewExpiry::KeepOrAfter(longer)).expect("no condition");
    let created = store.entry("created");
    assert_eq!((created.expires_at, created.ttl), (Some(store.now.plus_millis(7000)), Some(longer)));
    store.audit();
}

#[test]
fn a_moment_that_is_over_deletes_the_entry_or_makes_none() {
    let mut store = Fixture::new();
    for (key, moment) in [("a", store.now), ("b", UnixMillis::new(0))] {
        assert_eq!(store.expire(key, NewExpiry::At(moment)), Ok(Reply::Absent));
        assert_eq!(store.used(), 0, "no tombstone for a key that never was");
        store.put(key);
        match store.expire(key, NewExpiry::At(moment)) {
            Ok(Reply::Deleted { version, previous }) => assert_eq!((version.get(), previous), (2, None)),
            other => panic!("answered {other:?}"),
        }
        assert_eq!((store.version(key), store.put(key)), (0, 3));
        store.flush();
        assert_eq!(store.used(), 0);
    }
}

/// Six bytes hold an entry's moment; a later one must not come out as an earlier one.
#[test]
fn a_moment_beyond_the_last_is_the_last() {
    let mut store = Fixture::new();
    store.put("k");
    for moment in [LAST_MOMENT.get(), LAST_MOMENT.get() + 1, 1 << 48, (1 << 48) + 1, u64::MAX] {
        store.expire("k", NewExpiry::At(UnixMillis::new(moment))).expect("no condition");
        assert_eq!(store.entry("k").expires_at, Some(LAST_MOMENT), "{moment}");
    }
}

/// NX, XX, GT and LT of the Redis protocol, and the rule that no expiry is later than any.
#[test]
fn every_rule_about_the_present_expiry_is_judged_against_it() {
    let mut store = Fixture::new();
    let now = store.now;
    store.put("for ever");
    store.put_for("a minute", 60);
    let (before, at, after) = (now.plus_millis(59_999), now.plus_seconds(60), now.plus_millis(60_001));
    for (rule, for_ever, a_minute) in [
        (ExpiryRule::None, true, false),
        (ExpiryRule::Some, false, true),
        (ExpiryRule::Before(before), false, false),
        (ExpiryRule::Before(at), false, false),
        (ExpiryRule::Before(after), false, true),
        (ExpiryRule::After(before), true, true),
        (ExpiryRule::After(at), true, false),
        (ExpiryRule::After(after), true, false),
    ] {
        for (key, expected) in [("for ever", for_ever), ("a minute", a_minute), ("absent", false)] {
            let write = Write::change(NewValue::Keep).only(vec![Condition::IfExpiry(rule)]);
            assert_eq!(store.store(key, write).is_ok(), expected, "{key} if {rule:?}");
        }
    }
    assert_eq!(store.version("absent"), 0);
}

/// C72
#[test]
fn a_sweep_frees_the_memory_of_what_expired_in_bounded_turns() {
    let mut store = Fixture::new();
    let value = format!("\"{}\"", "x".repeat(200));
    for number in 0..1000 {
        let write = Write::put(json(&value)).living(Ttl::from_seconds(5).expect("a ttl"));
        store.store(&format!("{{one partition}}{number}"), write).expect("room");
    }
    let full = store.used();
    store.after_ms(5000);
    let first = store.sweep(100);
    assert_eq!((first.expired, first.more), (100, true));
    while store.sweep(100).more {}
    assert_eq!(store.store.ledger().expired(), 1000);
    assert!(store.used() < full / 2, "a tombstone is smaller than half of such an entry");
    while store.after_ms(HOUR_MS).sweep(100).more {}
    assert_eq!(store.used(), 0);
    store.audit();
}

#[test]
fn a_hundred_years_do_not_overflow() {
    let mut store = Fixture::new();
    store.put_for("k", 100 * 365 * 24 * 3600);
    store.after_ms(HOUR_MS);
    assert_eq!(store.version("k"), 1);
}
