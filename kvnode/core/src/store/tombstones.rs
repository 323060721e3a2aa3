//! What is left of deleted and expired entries of one partition: the version they had, kept for the retention, so
//! that a key made again goes on above it and an old `ETag` can never fit a new value.
//! There is at most one tombstone for a key, and none for a key that has an entry.

use std::collections::BTreeMap;

use hashbrown::HashTable;

use super::attributes::Version;
use super::footprint::{self, TABLE_SLOT_BYTES, TIME_INDEX_BYTES};
use super::key::Address;
use crate::time::UnixMillis;

#[derive(Debug)]
struct Tombstone {
    address: Address,
    version: Version,
    buried_at: UnixMillis,
    sequence: u64,
}

#[derive(Debug, Default)]
pub(super) struct Tombstones {
    table: HashTable<Box<Tombstone>>,
    /// Sequence → hash, oldest first. The partition's sequence grows with every burial, and so does its clock.
    order: BTreeMap<u64, u64>,
    bytes: u64,
}

/// A tombstone that was taken out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Removed {
    pub(super) version: Version,
    pub(super) bytes: u64,
}

impl Tombstones {
    pub(super) fn version_of(&self, hash: u64, address: &Address) -> Option<(Version, u64)> {
        let tombstone = self.table.find(hash, |tombstone| tombstone.address == *address)?;
        Some((tombstone.version, bytes_of(address)))
    }

    /// The sequence must be higher than any before it. Returns the bytes taken.
    pub(super) fn bury(
        &mut self,
        (hash, address): (u64, Address),
        version: Version,
        (sequence, now): (u64, UnixMillis),
        rehash: impl Fn(&Address) -> u64,
    ) -> u64 {
        let bytes = bytes_of(&address);
        let tombstone = Box::new(Tombstone { address, version, buried_at: now, sequence });
        self.table.insert_unique(hash, tombstone, |tombstone| rehash(&tombstone.address));
        self.order.insert(sequence, hash);
        self.bytes += bytes;
        bytes
    }

    /// For a key that is made again.
    pub(super) fn remove(&mut self, hash: u64, address: &Address) -> Option<Removed> {
        let found = self.table.find_entry(hash, |tombstone| tombstone.address == *address).ok()?;
        let (tombstone, _) = found.remove();
        self.order.remove(&tombstone.sequence);
        Some(self.removed(&tombstone))
    }

    pub(super) fn remove_oldest(&mut self) -> Option<Removed> {
        self.remove_oldest_if(|_| true)
    }

    pub(super) fn remove_oldest_buried_until(&mut self, moment: UnixMillis) -> Option<Removed> {
        self.remove_oldest_if(|tombstone| tombstone.buried_at <= moment)
    }

    fn remove_oldest_if(&mut self, wanted: impl Fn(&Tombstone) -> bool) -> Option<Removed> {
        let (&sequence, &hash) = self.order.first_key_value()?;
        let oldest = self
            .table
            .find_entry(hash, |tombstone| tombstone.sequence == sequence)
            .expect("every sequence in the order has its tombstone");
        if !wanted(oldest.get()) {
            return None;
        }
        let (tombstone, _) = oldest.remove();
        self.order.pop_first();
        Some(self.removed(&tombstone))
    }

    fn removed(&mut self, tombstone: &Tombstone) -> Removed {
        let bytes = bytes_of(&tombstone.address);
        self.bytes -= bytes;
        Removed { version: tombstone.version, bytes }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The same figure, added up from what is there.
    pub(super) fn recount_bytes(&self) -> u64 {
        self.table.iter().map(|tombstone| bytes_of(&tombstone.address)).sum()
    }

    pub(super) fn give_back_room(&mut self, rehash: impl Fn(&Address) -> u64) {
        if super::partition::is_sparse(self.table.len(), self.table.capacity()) {
            let room = self.table.len() * 2;
            self.table.shrink_to(room, |tombstone| rehash(&tombstone.address));
        }
    }
}

fn bytes_of(address: &Address) -> u64 {
    TABLE_SLOT_BYTES
        + footprint::allocated(size_of::<Tombstone>())
        + footprint::allocated(address.key.as_str().len())
        + TIME_INDEX_BYTES
}
