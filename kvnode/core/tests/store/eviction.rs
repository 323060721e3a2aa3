//! Making room: what goes when memory is full, and what never does.

use crate::fixture::{BURIAL_BYTES_MAX, Fixture, bytes, json};
use kvnode_core::store::Eviction;
use kvnode_core::store::attributes::Ttl;
use kvnode_core::store::change::NewValue;
use kvnode_core::store::command::Write;
use kvnode_core::store::condition::Condition;
use kvnode_core::store::key::Namespace;
use kvnode_core::store::outcome::Refusal;

const LIMIT: u64 = 2_000_000;

/// Some length below this one, another for each number.
fn some_text(number: u64, len_max: u64) -> String {
    let spread = number.wrapping_mul(6_364_136_223_846_793_005) >> 33;
    "x".repeat(usize::try_from(spread % len_max).expect("small"))
}

fn put_for(store: &mut Fixture, key: &str, text: &str, seconds: u64) -> Result<u64, Refusal> {
    let ttl = Ttl::from_seconds(seconds).expect("a ttl");
    store.store(key, Write::put(bytes(text.as_bytes())).living(ttl))
}

/// M43
#[test]
fn filling_over_the_limit_is_never_refused_and_what_is_used_stays() {
    // Each partition then has some hundred entries, so that what goes for one of another size is not all it has.
    const LARGER: u64 = 8_000_000;
    let mut store = Fixture::evicting(Eviction::AllKeysLru, LARGER);
    let used: Vec<String> = (0..50).map(|number| format!("used{number}")).collect();
    for key in &used {
        store.put(key);
    }
    for number in 0..60_000 {
        let text = some_text(number, 300);
        store.after_ms(100).put_text(&format!("key{number}"), &text).expect("something can go");
        assert!(store.used() <= LARGER);
        if number % 500 == 0 {
            for key in &used {
                assert_eq!(store.version(key), 1, "{key} was evicted, though it is used all the time");
            }
        }
    }
    assert!(store.store.ledger().evicted() > 10_000);
    assert!(store.used() > LARGER / 10 * 9, "no more goes than has to");
    store.audit();
}

/// Where a partition has only a few entries of all sizes, one that is used may go, but still no write is refused.
#[test]
fn a_small_store_refuses_no_write_either() {
    let mut store = Fixture::evicting(Eviction::AllKeysLru, LIMIT);
    for number in 0..10_000 {
        store.put_text(&format!("key{number}"), &some_text(number, 1500)).expect("something can go");
        assert!(store.used() <= LIMIT);
    }
    assert!(store.used() > LIMIT / 10 * 9, "no more goes than has to");
    store.audit();
}

/// Tombstones of small keys can be many times as many as large entries, and lots must not all fall on them.
#[test]
fn what_is_used_stays_where_tombstones_outnumber_entries() {
    let mut store = Fixture::evicting(Eviction::AllKeysLru, LIMIT);
    for number in 0..1300 {
        store.put(&format!("{{p}}gone{number}"));
        store.delete(&format!("{{p}}gone{number}"));
    }
    let used: Vec<String> = (0..40).map(|number| format!("{{p}}used{number}")).collect();
    for key in &used {
        store.put(key);
    }
    let text = "x".repeat(20_000);
    for number in 0..500 {
        store.after_ms(1000).put_text(&format!("{{p}}{number}"), &text).expect("something can go");
        for key in &used {
            assert_eq!(store.version(key), 1, "{key} was evicted, though it is used all the time");
        }
    }
    assert!(store.store.ledger().evicted() > 300);
}

#[test]
fn one_large_entry_takes_the_place_of_many_small_ones() {
    let mut store = Fixture::evicting(Eviction::AllKeysLru, LIMIT);
    for number in 0..20_000 {
        store.put(&format!("key{number}"));
    }
    assert_eq!(store.put_text("large", &"x".repeat(1_500_000)), Ok(1));
    assert_eq!(store.entry("large").value.content().len(), 1_500_000);
    assert!(store.used() <= LIMIT);
    store.audit();
}

#[test]
fn a_first_entry_of_a_namespace_makes_room_for_itself_too() {
    let mut store = Fixture::evicting(Eviction::AllKeysLru, LIMIT);
    for number in 0..20_000 {
        store.put_text(&format!("key{number}"), &some_text(number, 1500)).expect("something can go");
    }
    for account in 0..300 {
        store.within(Namespace::Account(account));
        assert_eq!(store.put("k"), 1);
    }
    assert!(store.used() <= LIMIT);
}

#[test]
fn what_expires_next_goes_first_and_what_never_expires_stays() {
    let mut store = Fixture::evicting(Eviction::VolatileTtl, LIMIT);
    let text = "x".repeat(1000);
    for number in 0..500 {
        store.put_text(&format!("{{p}}stays{number}"), &text).expect("room");
    }
    let mut last = 0;
    for number in 0..3000 {
        // Later and later ones, so that it is always the oldest that goes.
        put_for(&mut store, &format!("{{p}}{number}"), &text, 10_000 + number).expect("something can go");
        last = number;
    }
    let evicted = store.store.ledger().evicted();
    assert!(evicted > 1000);
    for number in 0..=last {
        let there = store.version(&format!("{{p}}{number}")) > 0;
        assert_eq!(there, number >= evicted, "{number} of which {evicted} went");
    }
    assert!((0..500).all(|number| store.version(&format!("{{p}}stays{number}")) == 1));
    store.audit();
}

#[test]
fn what_expires_next_but_for_the_written_entry_goes_for_it() {
    let mut store = Fixture::evicting(Eviction::VolatileTtl, 140_000);
    let text = "x".repeat(30_000);
    for (key, seconds) in [("{p}written", 10), ("{p}later", 30), ("{p}sooner", 20)] {
        put_for(&mut store, key, &text, seconds).expect("room");
    }
    store.change("{p}written", NewValue::Append(text.as_bytes().into())).expect("one of the others can go");
    let versions = ["{p}written", "{p}later", "{p}sooner"].map(|key| store.version(key));
    assert_eq!(versions, [2, 1, 0]);
}

#[test]
fn a_write_is_refused_when_only_what_never_expires_is_left() {
    let mut store = Fixture::evicting(Eviction::VolatileTtl, 100_000);
    put_for(&mut store, "volatile", "x", 60).expect("room");
    let text = "x".repeat(1000);
    let stored = (0..1000).take_while(|number| store.put_text(&format!("key{number}"), &text).is_ok()).count();
    assert!((50..1000).contains(&stored));
    assert_eq!((store.version("volatile"), store.store.ledger().evicted()), (0, 1));
    assert_eq!(store.count(), stored as u64);
    assert!(store.used() <= 100_000 + BURIAL_BYTES_MAX, "the tombstone of what was evicted may begin a block");
}

/// Accounts and API keys are no cache.
#[test]
fn entries_of_the_node_itself_never_go() {
    for eviction in [Eviction::AllKeysLru, Eviction::VolatileTtl] {
        let mut store = Fixture::evicting(eviction, LIMIT);
        let text = "x".repeat(500);
        let system: Vec<String> = (0..300).map(|number| format!("system{number}")).collect();
        store.within(Namespace::System);
        for key in &system {
            put_for(&mut store, key, &text, 60).expect("room");
        }
        for number in 0..6000 {
            let namespace = if number % 2 == 0 { Namespace::Shared } else { Namespace::Account(number % 3) };
            store.within(namespace);
            put_for(&mut store, &format!("key{number}"), &text, 3600).expect("something can go");
        }
        // A write of the node's own makes room at the cost of others.
        store.within(Namespace::System);
        for number in 300..600 {
            put_for(&mut store, &format!("system{number}"), &text, 60).expect("something can go");
        }
        assert_eq!(store.count(), 600, "{eviction:?}");
        assert!(store.store.ledger().evicted() > 1000);
        store.audit();
    }
}

#[test]
fn the_nodes_own_entries_alone_can_fill_a_store() {
    let mut store = Fixture::evicting(Eviction::AllKeysLru, 100_000);
    store.within(Namespace::System);
    let text = "x".repeat(1000);
    let stored = (0..1000).take_while(|number| store.put_text(&format!("key{number}"), &text).is_ok()).count();
    assert!((50..1000).contains(&stored), "{stored}");
    assert_eq!((store.count(), store.store.ledger().evicted()), (stored as u64, 0));
}

/// A change that was computed from an entry, or demanded one, must not find it evicted for its own sake.
#[test]
fn a_write_does_not_evict_the_entry_it_is_about() {
    for eviction in [Eviction::AllKeysLru, Eviction::VolatileTtl] {
        let mut store = Fixture::evicting(eviction, LIMIT);
        for number in 0..2000 {
            put_for(&mut store, &format!("{{p}}{number}"), &"x".repeat(1000), 3600).expect("something can go");
        }
        put_for(&mut store, "{p}log", "", 60).expect("something can go");
        for number in 1..=500 {
            let line = NewValue::Append(vec![b'x'; 1000].into());
            let demanding = Write::change(line).only(vec![Condition::IfMatchAny]);
            assert_eq!(store.store("{p}log", demanding), Ok(number + 1), "{eviction:?}");
        }
        assert_eq!(store.entry("{p}log").value.content().len(), 500_000);
    }
}

#[test]
fn an_entry_that_cannot_grow_within_the_limit_stays_as_it_was() {
    let mut store = Fixture::evicting(Eviction::AllKeysLru, 100_000);
    store.put_text("k", &"x".repeat(60_000)).expect("room");
    let refused = store.put_text("k", &"x".repeat(99_000));
    assert!(matches!(refused, Err(Refusal::MemoryFull { creating: false, .. })), "{refused:?}");
    assert_eq!((store.version("k"), store.entry("k").value.content().len()), (1, 60_000));
}

/// Without eviction, nothing goes but what must.
#[test]
fn no_policy_evicts_nothing() {
    let mut store = Fixture::evicting(Eviction::None, 100_000);
    let stored = (0..1000).take_while(|number| put_for(&mut store, &format!("key{number}"), "x", 60).is_ok()).count();
    assert_eq!((store.count(), store.store.ledger().evicted()), (stored as u64, 0));
}

/// A failing simulation can only be repeated if nothing is left to chance but the seed.
#[test]
fn the_same_seed_evicts_the_same_entries() {
    let large = vec![0; 20_000];
    let live = || {
        let mut store = Fixture::evicting(Eviction::AllKeysLru, 300_000);
        for number in 0..5000_u64 {
            store.within(Namespace::Account(u128::from(number % 30)));
            store.after_ms(300).store(&format!("{{p}}{number}"), Write::put(json("1"))).expect("something can go");
            if number.is_multiple_of(50) {
                store.store(&format!("{{p}}large{number}"), Write::put(bytes(&large))).expect("something can go");
            }
        }
        let accounts = 0..30;
        accounts.map(|account| store.within(Namespace::Account(account)).walk("", 1000)).collect::<Vec<_>>()
    };
    assert_eq!(live(), live());
}
