//! The memory limit, and what is given back. Memory comes in blocks, so figures grow and fall in steps.

use crate::fixture::{BLOCK_BYTES, BURIAL_BYTES_MAX, Fixture, HOUR_MS, bytes, config, tags};
use kvnode_core::store::StoreConfig;
use kvnode_core::store::attributes::Ttl;
use kvnode_core::store::change::NewValue;
use kvnode_core::store::command::Write;
use kvnode_core::store::key::Namespace;
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::Refusal;

const LIMIT: u64 = 200_000;

fn fill(store: &mut Fixture) -> usize {
    let text = "x".repeat(1000);
    (0..10_000).take_while(|number| store.put_text(&format!("k{number}"), &text).is_ok()).count()
}

#[test]
fn a_full_store_refuses_growth_and_still_reads_shrinks_and_deletes() {
    let mut store = Fixture::with_memory(LIMIT);
    let keys = fill(&mut store);
    assert!(keys > 100, "200 kB hold more than {keys} entries of 1 kB");
    assert!(store.used() <= LIMIT);
    match store.put_text("one more", &"x".repeat(1000)) {
        Err(Refusal::MemoryFull { needed, used, limit, creating }) => {
            assert_eq!((used, limit, creating), (store.used(), LIMIT, true));
            assert!(used + needed > limit);
        }
        other => panic!("answered {other:?}"),
    }
    assert_eq!((store.version("one more"), store.version("k0")), (0, 1));
    assert_eq!(store.put("k0"), 2, "a smaller value fits");
    assert!(store.used() <= LIMIT + BLOCK_BYTES, "its slot is of a size for which a block may have to begin");
    assert!(store.delete("k1") && store.delete("k2"));
    assert_eq!(store.put("one more"), 1);
    store.audit();
}

/// Not even the memory of the namespace that it would have been the first of.
#[test]
fn a_refused_write_takes_no_memory() {
    let mut store = Fixture::with_memory(LIMIT);
    fill(&mut store);
    let used = store.used();
    for (number, namespace) in [Namespace::Shared, Namespace::Account(1), Namespace::System].into_iter().enumerate() {
        store.within(namespace);
        assert!(store.put_text(&format!("new{number}"), &"x".repeat(3000)).is_err());
        assert_eq!(store.used(), used, "{namespace:?}");
    }
    store.audit();
}

/// A small entry may be smaller than its tombstone, and one of another size begins a block.
#[test]
fn a_delete_grows_the_store_by_no_more_than_a_tombstones_block() {
    for text_len in [0, 5, 13, 14, 15, 100, 1000] {
        let mut store = Fixture::new();
        let keys: Vec<String> = (0..60).map(|number| format!("{{p}}{number}")).collect();
        for key in &keys {
            store.put_text(key, &"x".repeat(text_len)).expect("room");
        }
        let full = store.used();
        for key in &keys {
            let before = store.used();
            store.delete(key);
            assert!(store.used() <= before + BURIAL_BYTES_MAX);
        }
        if text_len >= 100 {
            assert!(store.used() < full, "all tombstones are smaller than all such entries");
        }
    }
}

#[test]
fn tags_expiry_and_bytes_count_as_memory_too() {
    let mut store = Fixture::new();
    let long = "t".repeat(100);
    let tagged = Write::put(bytes(&[0; 5000])).tagged(tags(&[(&long, &long)]));
    store.store("k", tagged).expect("room");
    assert!(store.used() > 5200);
    store.audit();
    let (small, mut expiring) = (Fixture::new(), Fixture::new());
    expiring.put_for("k", 5);
    assert!(expiring.used() > small.used() + 14, "the moment, the ttl and the place among others");
}

/// Each length at which an entry gets another form or another kind of place, written one over the other.
#[test]
fn entries_of_every_size_are_kept_whole() {
    let limits = Limits { key_bytes_max: 5000, ..Limits::default() };
    let mut store = Fixture::with(&StoreConfig { limits, ..config(1 << 30) });
    let keys: Vec<String> = [2, 255, 256, 1000, 1001, 5000].map(|len| "k".repeat(len)).into();
    let lens = [0, 255, 256, 900, 1024, 1025, 65_535, 65_536, 300_000, 40, 2 << 20, 1];
    for (round, len) in lens.into_iter().enumerate() {
        for (number, key) in keys.iter().enumerate() {
            let byte = u8::try_from(round * 7 + number).expect("small");
            let content = vec![byte; len];
            assert_eq!(store.store(key, Write::put(bytes(&content))), Ok(round as u64 + 1));
        }
        for (number, key) in keys.iter().enumerate() {
            let byte = u8::try_from(round * 7 + number).expect("small");
            let entry = store.entry(key);
            assert_eq!(entry.address.key.as_str(), key);
            assert!(entry.value.content().len() == len && entry.value.content().iter().all(|&its| its == byte));
        }
        store.audit();
    }
    for key in &keys {
        assert!(store.delete(key));
    }
    store.after_ms(HOUR_MS).sweep_all();
    assert_eq!(store.used(), 0);
}

#[test]
fn a_full_cycle_leaves_nothing() {
    let mut store = Fixture::new();
    for round in 0..3_u64 {
        for number in 0..3000_u64 {
            let account = [Namespace::Shared, Namespace::Account(u128::from(number) % 5), Namespace::System];
            store.within(account[usize::try_from(number % 3).expect("small")]);
            let key = format!("key{number}");
            let text = "x".repeat(usize::try_from(number * 7 % 1500).expect("small"));
            let ttl = Ttl::from_seconds(number % 4).expect("short");
            store.store(&key, Write::put(bytes(text.as_bytes())).living(ttl)).expect("room");
            if number.is_multiple_of(2) {
                store.change(&key, NewValue::Append(text.as_bytes().into())).expect("room");
            }
            if number.is_multiple_of(4) {
                store.delete(&key);
            }
        }
        assert!(store.used() > 1_000_000);
        store.audit();
        store.after_ms(4000).sweep_all();
        for number in (0..3000_u64).rev() {
            let account = [Namespace::Shared, Namespace::Account(u128::from(number) % 5), Namespace::System];
            store.within(account[usize::try_from(number % 3).expect("small")]);
            store.delete(&format!("key{number}"));
        }
        store.after_ms(HOUR_MS).sweep_all();
        assert_eq!(store.used(), 0, "round {round}");
        assert_eq!(store.store.ledger().tombstones(), 0);
    }
}

#[test]
fn what_is_left_takes_at_most_twice_of_what_it_would_take_alone() {
    /// A table keeps room for twice its entries when it gives back, and is a power of two; all else is as if new.
    const KEPT_MAX: u64 = 2;
    let key = |number: u32| format!("{{p}}{number}");
    let (mut shrunk, mut alone) = (Fixture::new(), Fixture::new());
    for number in 0..10_000 {
        shrunk.put_for(&key(number), 7 * 24 * 3600);
    }
    let full = shrunk.used();
    for number in 0..9_500 {
        shrunk.delete(&key(number));
    }
    shrunk.after_ms(HOUR_MS).sweep_all();
    for number in 9_500..10_000 {
        alone.put_for(&key(number), 7 * 24 * 3600);
    }
    assert!(shrunk.used() < full / 8, "{} of {full} bytes are left for a twentieth of the keys", shrunk.used());
    assert!(shrunk.used() <= KEPT_MAX * alone.used(), "{} beside {}", shrunk.used(), alone.used());
    shrunk.audit();
}
