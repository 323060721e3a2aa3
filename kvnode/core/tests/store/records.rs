//! Records: what they say can be read back, bytes that are none are refused, and a store made of them is the store
//! they came from (R8). The simulator does the last for whole lives.

use crate::fixture::{Fixture, HOUR_MS, bytes, config, tags};
use crate::steps::{any_moment, any_step};
use kvnode_core::store::Store;
use kvnode_core::store::attributes::{Ttl, Version};
use kvnode_core::store::command::{KeyAction, Write};
use kvnode_core::store::key::Namespace;
use kvnode_core::store::record::{Event, Record, RecordError};
use kvnode_core::store::slot::PartitionNumber;
use kvnode_core::time::UnixMillis;
use kvnode_sim::subject::{Core, Subject};
use proptest::prelude::*;

fn taken(store: &mut Store) -> Vec<(PartitionNumber, Vec<u8>)> {
    let mut records = Vec::new();
    store.take_records(|number, record| records.push((number, record.to_vec())));
    records
}

/// All rows of a store, but for the moment at which they are told.
fn rows(store: &Store) -> Vec<Vec<u8>> {
    let mut rows = Vec::new();
    for partition in store.partitions() {
        let more = partition.snapshot(&mut partition.begin_snapshot(), usize::MAX, |row| {
            let mut record = Record::decode(row).expect("a row is a record");
            record.clock = UnixMillis::default();
            let mut without = Vec::new();
            record.encode(&mut without);
            // A namespace of which nothing is left is as good as none.
            if !matches!(record.event, Event::Floor(Version::ABSENT)) {
                rows.push(without);
            }
        });
        assert!(!more, "nothing is left when there is no bound");
    }
    rows.sort();
    rows
}

#[test]
fn nothing_is_recorded_until_somebody_wants_it() {
    let mut store = Fixture::new();
    store.put("k");
    assert_eq!(taken(&mut store.store).len(), 0);
    store.store.record_changes();
    store.put("k");
    assert_eq!(taken(&mut store.store).len(), 1);
    assert_eq!(taken(&mut store.store).len(), 0, "they are taken once");
    store.get("k");
    store.count();
    assert!(
        store.run("k", KeyAction::Write(Write::put(bytes(b"")).only(vec![crate::fixture::if_version(9)]))).is_err()
    );
    assert_eq!(taken(&mut store.store).len(), 0, "nothing changed");
}

#[test]
fn each_way_to_end_is_told_in_its_own_words() {
    let mut store = Fixture::new();
    store.store.record_changes();
    store.within(Namespace::Account(7));
    store.put("k");
    store.delete("k");
    store.put_for("l", 5);
    store.after_ms(5000).get("l");
    store.after_ms(HOUR_MS).sweep_all();
    store.put("k");
    store.flush();
    let told: Vec<String> = taken(&mut store.store)
        .iter()
        .map(|(_, bytes)| {
            let record = Record::decode(bytes).expect("a record");
            assert_eq!(record.namespace, Namespace::Account(7));
            match record.event {
                Event::Holds(entry) if entry.is_tombstone() => format!("{} ended at {}", entry.key(), entry.version()),
                Event::Holds(entry) => format!("{} is at {}", entry.key(), entry.version()),
                Event::Forgotten { key, floor } => format!("{key} forgotten, floor {floor}"),
                Event::Flushed { floor } => format!("flushed, floor {floor}"),
                other => panic!("{other:?}"),
            }
        })
        .collect();
    let of = |key: &str| told.iter().filter(|line| line.starts_with(key)).map(String::as_str).collect::<Vec<_>>();
    assert_eq!(of("k"), ["k is at 1", "k ended at 2", "k forgotten, floor 0", "k is at 1"]);
    assert_eq!(of("l"), ["l is at 1", "l ended at 2", "l forgotten, floor 0"]);
    assert_eq!(of("flushed"), ["flushed, floor 2"]);
}

/// Entries with every part, restored into a store that evicts, and back.
#[test]
fn a_store_made_of_rows_has_the_same_rows() {
    let mut store = Fixture::new();
    for number in 0..2000_usize {
        let account = [Namespace::Shared, Namespace::Account(number as u128 % 5), Namespace::System];
        store.within(account[number % 3]);
        let value = vec![b'v'; number * 37 % 3000];
        let ttl = Ttl::from_seconds(number as u64 % 7 * 100).expect("short");
        let tagged = if number.is_multiple_of(2) { tags(&[("a", "b"), ("long", &"ü".repeat(90))]) } else { tags(&[]) };
        store.store(&format!("key{number}"), Write::put(bytes(&value)).living(ttl).tagged(tagged)).expect("room");
        if number.is_multiple_of(3) {
            store.delete(&format!("key{number}"));
        }
    }
    store.within(Namespace::Account(2)).flush();
    let original = rows(&store.store);
    let mut copy = Fixture::new();
    for (number, partition) in (0..=u8::MAX).map(PartitionNumber::new).zip(store.store.partitions()) {
        let mut snapshot = partition.begin_snapshot();
        loop {
            let mut piece = Vec::new();
            let more = partition.snapshot(&mut snapshot, 2000, |row| piece.push(row.to_vec()));
            assert!(piece.iter().map(Vec::len).sum::<usize>() < 2000 + 4000, "a piece ends with the row that fills it");
            for row in piece {
                let record = Record::decode(&row).expect("a row is a record");
                copy.store.restore(number, &record).expect("it is where it belongs");
            }
            if !more {
                break;
            }
        }
    }
    assert_eq!(rows(&copy.store), original);
    copy.audit();
    assert_eq!(copy.store.ledger().used_by_account(1), store.store.ledger().used_by_account(1));
}

proptest! {
    /// Whoever begins anew takes the place of nothing, whatever it had.
    #[test]
    fn what_was_emptied_is_as_new_and_can_be_filled_again(
        steps in prop::collection::vec((any_step(), any_moment()), 1..60),
    ) {
        let config = config(1 << 30);
        let mut core = Core::new(&config);
        for (step, now) in steps {
            core.take(&step, now);
        }
        let original = rows(core.store());
        let mut copy = Store::new(&config);
        let fresh = (rows(&copy), copy.ledger().used(), copy.ledger().tombstones(), copy.ledger().answers());
        for _ in 0..2 {
            for (number, partition) in (0..=u8::MAX).map(PartitionNumber::new).zip(core.store().partitions()) {
                partition.snapshot(&mut partition.begin_snapshot(), usize::MAX, |row| {
                    copy.restore(number, &Record::decode(row).expect("a record")).expect("it belongs there");
                });
            }
            prop_assert_eq!(rows(&copy), original.clone());
            (0..=u8::MAX).for_each(|number| copy.empty(PartitionNumber::new(number)));
            let now = (rows(&copy), copy.ledger().used(), copy.ledger().tombstones(), copy.ledger().answers());
            prop_assert_eq!(now, fresh.clone());
            prop_assert_eq!(copy.ledger().used_by_account(1).bytes, 0);
        }
    }
}

#[test]
fn a_record_of_another_partition_is_refused() {
    let mut store = Fixture::new();
    store.store.record_changes();
    store.put("foo");
    let records = taken(&mut store.store);
    let record = Record::decode(&records[0].1).expect("a record");
    let other = PartitionNumber::new(records[0].0.get().wrapping_add(1));
    assert_eq!(Fixture::new().store.restore(other, &record), Err(RecordError::OtherPartition));
}

proptest! {
    #[test]
    fn whatever_happens_its_records_make_the_same_store(
        steps in prop::collection::vec((any_step(), any_moment()), 1..60),
    ) {
        let config = config(1 << 30);
        let mut core = Core::new(&config);
        let mut copy = Store::new(&config);
        for (step, now) in steps {
            core.take(&step, now);
            for (number, bytes) in core.take_records() {
                copy.restore(number, &Record::decode(&bytes).expect("a record")).expect("it belongs there");
            }
        }
        prop_assert_eq!(rows(core.store()), rows(&copy));
    }

    /// Whatever a disk gives back: an error or a record that means the same once more, never a panic.
    #[test]
    fn damaged_bytes_are_refused_or_harmless(
        steps in prop::collection::vec((any_step(), any_moment()), 1..12),
        cut in any::<prop::sample::Index>(),
        flip in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let mut core = Core::new(&config(1 << 30));
        for (step, now) in steps {
            core.take(&step, now);
        }
        for (number, record) in core.take_records() {
            let shorter = &record[..cut.index(record.len())];
            let mut flipped = record.clone();
            flipped[flip.index(record.len())] ^= 1 << bit;
            for damaged in [shorter, &flipped] {
                if let Ok(read) = Record::decode(damaged) {
                    let mut again = Vec::new();
                    read.encode(&mut again);
                    prop_assert!(Record::decode(&again).is_ok());
                    let mut store = Store::new(&config(1 << 30));
                    let _ = store.restore(number, &read);
                    rows(&store);
                }
            }
        }
    }

    #[test]
    fn any_bytes_at_all_are_read_without_a_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let _ = Record::decode(&bytes);
        bytes.insert(0, 1);
        let _ = Record::decode(&bytes);
    }
}
