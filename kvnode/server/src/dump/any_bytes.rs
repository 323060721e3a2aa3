//! A dump with any bytes in it. Each line is tried twice: as one of a dump, whose checksums seldom survive a mutation,
//! and by itself. A store that has taken an entry tells of it, and one that takes what was told tells the same.

use kvnode_core::store::command::{KeyAction, KeyCommand};
use kvnode_core::store::key::Address;
use kvnode_core::store::limits::Limits;
use kvnode_core::store::record::{Event, Record};
use kvnode_core::store::{Eviction, Store, StoreConfig};
use kvnode_core::time::UnixMillis;

use super::{EntryLine, Reader, Writer};

const NOW: UnixMillis = UnixMillis::new(1_700_000_000_000);

pub(crate) fn check(bytes: &[u8]) {
    let mut reader = Reader::default();
    let mut is_dump = true;
    for line in bytes.split(|&byte| byte == b'\n') {
        is_dump = is_dump && reader.read(line).is_ok();
        if let Some(told) = told_of(line) {
            assert_eq!(told_of(&told), Some(told));
        }
    }
}

/// What a store tells that has taken this line. Nothing, if it did not.
fn told_of(line: &[u8]) -> Option<Vec<u8>> {
    let limits = Limits::default();
    let entry = EntryLine::read(line).ok()?;
    let dumped = entry.dumped(&limits).ok()?;
    let address = Address { namespace: entry.namespace, key: entry.key(&limits).ok()? };
    let mut store = Store::new(&StoreConfig {
        memory_limit: 1 << 30,
        tombstone_retention_ms: 1000,
        hash_seed: 0,
        limits,
        eviction: Eviction::None,
    });
    store.execute(&KeyCommand::new(address, KeyAction::PutBack(dumped)), NOW).expect("there is room");
    let mut told = None;
    for partition in store.partitions() {
        partition.snapshot(&mut partition.begin_snapshot(), usize::MAX, |row| {
            let record = Record::decode(row).expect("a row is a record");
            if let Event::Holds(entry) = record.event {
                let mut text = Vec::new();
                Writer::default().entry(record.namespace, entry, &mut text);
                told = Some(text);
            }
        });
    }
    let mut told = told?;
    assert_eq!(told.pop(), Some(b'\n'), "a line ends as lines do");
    Some(told)
}
