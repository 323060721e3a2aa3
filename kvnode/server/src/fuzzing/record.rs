//! Records, as a disk or another node gives them back: refused, or fit to be stored and to be written down again.

use kvnode_core::store::limits::Limits;
use kvnode_core::store::record::{Event, Record};
use kvnode_core::store::slot::PartitionNumber;
use kvnode_core::store::{Eviction, Store, StoreConfig};

pub(super) fn check(bytes: &[u8]) {
    let Ok(record) = Record::decode(bytes) else { return };
    let mut written = Vec::new();
    record.encode(&mut written);
    let read = Record::decode(&written).expect("what was read can be written");
    let mut again = Vec::new();
    read.encode(&mut again);
    assert_eq!(written, again, "it means the same once more");
    let config = StoreConfig {
        memory_limit: 1 << 30,
        tombstone_retention_ms: 1000,
        hash_seed: 0,
        limits: Limits::default(),
        eviction: Eviction::None,
    };
    let mut store = Store::new(&config);
    let key = match record.event {
        Event::Holds(entry) | Event::Answered(Some(entry)) => entry.key(),
        Event::Forgotten { key, .. } => key,
        Event::Flushed { .. } | Event::Floor(_) | Event::Answered(None) => "",
    };
    let number = PartitionNumber::of(key.as_bytes());
    store.restore(number, &record).expect("it is where it belongs");
    store.restore(number, &record).expect("it is where it belongs");
    let partition = &store.partitions()[number.index()];
    let mut rows = 0;
    partition.snapshot(&mut partition.begin_snapshot(), usize::MAX, |row| {
        Record::decode(row).expect("what is stored can be written");
        rows += 1;
    });
    if matches!(record.event, Event::Holds(_)) {
        assert!(rows > 0, "what is held is told");
    }
}
