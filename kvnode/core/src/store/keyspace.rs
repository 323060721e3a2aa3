//! The entries of one namespace in one partition: a table of handles, the arena they point into, and what is due when.
//! Keyspaces share nothing, so no command of one account can reach the entries of another. A keyspace knows no clock and
//! no limit; it does what its partition decided.

use std::hash::Hasher;
use std::sync::Arc;

use foldhash::SharedSeed;
use foldhash::quality::FoldHasher;
use hashbrown::HashTable;

use super::arena::{Arena, Handle, Walk, room_for};
use super::attributes::Version;
use super::deadlines::Deadlines;
use super::entry::{Draft, EntryRef, due_of, has_due, is_tombstone, key_of, place_of, set_used};
use super::footprint::{allocated, table_growth};
use super::usage::{Usage, Used};

/// A table emptier than this gives back its room at the sweep; above it, the room is kept for the next writes.
const SPARSE_BELOW_ONE_IN: usize = 8;

/// Tables smaller than this are never worth moving.
const SPARSE_CAPACITY_MIN: usize = 64;

#[derive(Debug)]
pub(super) struct Keyspace {
    seed: SharedSeed,
    table: HashTable<Handle>,
    arena: Arena,
    expiring: Deadlines,
    /// Tombstones, by the end of their retention.
    buried: Deadlines,
    tombstone_bytes: u64,
    /// The highest version among what is gone without a tombstone. Keys of which nothing is known start above it.
    pub(super) floor: Version,
    /// Where the account counts what it has, if this is an account's.
    pub(super) usage: Option<Arc<Usage>>,
}

/// The same figures, as they are kept and as they are when added up from what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Audit {
    pub(super) held: [u64; 2],
    pub(super) tombstones: [u64; 2],
}

pub(super) fn hash_of(seed: &SharedSeed, key: &[u8]) -> u64 {
    let mut hasher = FoldHasher::with_seed(0, seed);
    hasher.write(key);
    hasher.finish()
}

/// What a tombstone costs: its slot, its place in the heap, and its share of a table that is half full.
fn tombstone_room(len: usize) -> u64 {
    const BESIDE: u64 = 15;
    room_for(len) + BESIDE
}

impl Keyspace {
    pub(super) fn new(seed: SharedSeed, usage: Option<Arc<Usage>>) -> Self {
        Self {
            seed,
            usage,
            table: HashTable::new(),
            arena: Arena::default(),
            expiring: Deadlines::default(),
            buried: Deadlines::default(),
            tombstone_bytes: 0,
            floor: Version::ABSENT,
        }
    }

    /// An entry or a tombstone.
    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Option<Handle> {
        self.table.find(hash, |&handle| key_of(self.arena.get(handle)) == key).copied()
    }

    /// What a search for this key meets with first, which mostly is what it looks for. Only the table is read.
    pub(super) fn guess(&self, hash: u64) -> Option<Handle> {
        self.table.find(hash, |_| true).copied()
    }

    /// Where an entry lies. Nothing of it is read.
    pub(super) fn slot(&self, handle: Handle) -> &[u8] {
        self.arena.get(handle)
    }

    pub(super) fn view(&self, handle: Handle) -> EntryRef<'_> {
        EntryRef::new(self.arena.get(handle))
    }

    /// Notes that an entry was used, where that is kept.
    pub(super) fn use_at(&mut self, handle: Handle, seconds: u32) {
        set_used(self.arena.get_mut(handle), seconds);
    }

    /// By how much the memory in use would grow if this were written.
    pub(super) fn growth(&self, found: Option<Handle>, draft: &Draft<'_>) -> u64 {
        let full = found.is_none() && self.table.len() == self.table.capacity();
        let table = if full { table_growth::<Handle>(self.table.allocation_size()) } else { 0 };
        let deadlines = if draft.due.is_some() { self.expiring.growth() } else { 0 };
        let slot = match found {
            Some(handle) if self.arena.fits(handle, draft.len()) => 0,
            // What the entry takes now becomes free; a large one at once, a slot for the next of its size.
            Some(handle) if room_for(self.arena.get(handle).len()) >= room_for(draft.len()) => 0,
            _ => self.arena.growth(draft.len()),
        };
        table + deadlines + slot
    }

    /// Writes an entry in place of the one that was found, or as a new one.
    pub(super) fn put(&mut self, hash: u64, found: Option<Handle>, draft: &Draft<'_>) -> Handle {
        let handle = match found {
            Some(handle) => {
                self.leave_deadlines(handle);
                self.replace(hash, handle, draft)
            }
            None => self.add(hash, draft),
        };
        if draft.tombstone {
            self.tombstone_bytes += tombstone_room(draft.len());
            self.buried.push(handle, &mut self.arena);
        } else if draft.due.is_some() {
            self.expiring.push(handle, &mut self.arena);
        }
        handle
    }

    fn add(&mut self, hash: u64, draft: &Draft<'_>) -> Handle {
        let handle = self.arena.push(draft.len());
        draft.write(self.arena.get_mut(handle));
        let (arena, seed) = (&self.arena, &self.seed);
        let rehash = |&handle: &Handle| hash_of(seed, key_of(arena.get(handle)));
        self.table.insert_unique(hash, handle, rehash);
        handle
    }

    fn replace(&mut self, hash: u64, from: Handle, draft: &Draft<'_>) -> Handle {
        if self.arena.fits(from, draft.len()) {
            draft.write(self.arena.get_mut(from));
            return from;
        }
        let to = self.arena.push(draft.len());
        draft.write(self.arena.get_mut(to));
        let place = self.table.find_mut(hash, |&other| other == from).expect("every handle is in the table");
        match self.arena.remove(from) {
            // The new place was the last of its size, and so filled the one that became free.
            Some(moved) if moved == to => from,
            moved => {
                *place = to;
                if let Some(moved) = moved {
                    self.moved(moved, from);
                }
                to
            }
        }
    }

    /// Takes an entry or a tombstone out without a trace.
    pub(super) fn remove(&mut self, hash: u64, handle: Handle) {
        self.leave_deadlines(handle);
        match self.table.find_entry(hash, |&other| other == handle) {
            Ok(entry) => drop(entry.remove()),
            Err(_) => unreachable!("every handle is in the table"),
        }
        if let Some(moved) = self.arena.remove(handle) {
            self.moved(moved, handle);
        }
    }

    /// Everything goes; what is made afterwards starts above all that was there.
    pub(super) fn clear(&mut self) {
        let highest = self.table.iter().map(|&handle| self.view(handle).version()).max();
        let floor = self.floor.max(highest.map_or(Version::ABSENT, Version::next));
        if let Some(usage) = &self.usage {
            usage.replace(self.used(), Used::default());
        }
        *self = Self { floor, ..Self::new(self.seed.clone(), self.usage.take()) };
    }

    /// What a key has of an account's quota: nothing, if all that is left of it is a tombstone.
    pub(super) fn used_by(&self, found: Option<Handle>) -> Used {
        let live = found.map(|handle| self.view(handle)).filter(|entry| !entry.is_tombstone());
        live.map_or(Used::default(), |entry| Used { keys: 1, bytes: entry.given_bytes() })
    }

    fn used(&self) -> Used {
        let entries = self.table.iter().map(|&handle| self.used_by(Some(handle)));
        entries.fold(Used::default(), |sum, one| Used { keys: sum.keys + one.keys, bytes: sum.bytes + one.bytes })
    }

    /// The next entry or tombstone of a walk over all of them, none of which it misses while others come and go.
    pub(super) fn step(&self, walk: &mut Walk) -> Option<EntryRef<'_>> {
        self.arena.step(walk).map(|handle| self.view(handle))
    }

    pub(super) fn live(&self) -> u64 {
        (self.table.len() - self.buried.len()) as u64
    }

    /// Entries that are not due at this moment.
    pub(super) fn live_at(&self, moment: u64) -> u64 {
        self.live() - self.expiring.count_until(moment, &self.arena) as u64
    }

    /// Those of them that will be due at some later moment.
    pub(super) fn expiring_at(&self, moment: u64) -> u64 {
        (self.expiring.len() - self.expiring.count_until(moment, &self.arena)) as u64
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Live entries that are not due at this moment, in no order.
    pub(super) fn iter_at(&self, moment: u64) -> impl Iterator<Item = EntryRef<'_>> {
        self.table.iter().map(|&handle| self.arena.get(handle)).filter_map(move |bytes| {
            let gone = is_tombstone(bytes) || (has_due(bytes) && due_of(bytes) <= moment);
            (!gone).then(|| EntryRef::new(bytes))
        })
    }

    /// The entry that expires next, if it does so by this moment.
    pub(super) fn expired_until(&self, moment: u64) -> Option<Handle> {
        self.expiring.first().filter(|&handle| due_of(self.arena.get(handle)) <= moment)
    }

    /// The tombstone whose retention ends next, if it does so by this moment.
    pub(super) fn forgotten_until(&self, moment: u64) -> Option<Handle> {
        self.buried.first().filter(|&handle| due_of(self.arena.get(handle)) <= moment)
    }

    /// The live entry that expires next, whenever that is, but for this one.
    pub(super) fn next_to_expire(&self, spared: Option<Handle>) -> Option<Handle> {
        self.expiring.first_but(spared, &self.arena)
    }

    /// Any live entry, for a sample.
    pub(super) fn any_live(&self, number: usize) -> Option<Handle> {
        self.arena.any(number).filter(|&handle| !is_tombstone(self.arena.get(handle)))
    }

    /// The first live entry that is met with, when samples meet with tombstones only.
    pub(super) fn first_live(&self, spared: Option<Handle>) -> Option<Handle> {
        let mut handles = self.table.iter().copied();
        handles.find(|&handle| Some(handle) != spared && !is_tombstone(self.arena.get(handle)))
    }

    pub(super) fn hash_at(&self, handle: Handle) -> u64 {
        hash_of(&self.seed, self.view(handle).key_bytes())
    }

    pub(super) fn tombstone_bytes(&self) -> u64 {
        self.tombstone_bytes
    }

    /// Bytes of the machine's memory.
    pub(super) fn held(&self) -> u64 {
        allocated(self.table.allocation_size()) + self.arena.held() + self.expiring.held() + self.buried.held()
    }

    pub(super) fn give_back_room(&mut self) {
        self.expiring.give_back_room();
        self.buried.give_back_room();
        let (arena, seed) = (&self.arena, &self.seed);
        let rehash = |&handle: &Handle| hash_of(seed, key_of(arena.get(handle)));
        if self.table.is_empty() {
            self.table = HashTable::new();
        } else if self.table.capacity() >= SPARSE_CAPACITY_MIN
            && self.table.len() < self.table.capacity() / SPARSE_BELOW_ONE_IN
        {
            self.table.shrink_to(self.table.len() * 2, rehash);
        }
    }

    pub(super) fn audit(&self) -> Audit {
        let tombstones = self.table.iter().map(|&handle| self.arena.get(handle)).filter(|bytes| is_tombstone(bytes));
        let recounted = tombstones.map(|bytes| tombstone_room(EntryRef::new(bytes).len())).sum();
        Audit {
            held: [self.held(), self.held() - self.arena.held() + self.arena.recount_held()],
            tombstones: [self.tombstone_bytes, recounted],
        }
    }

    fn leave_deadlines(&mut self, handle: Handle) {
        let bytes = self.arena.get(handle);
        if is_tombstone(bytes) {
            self.tombstone_bytes -= tombstone_room(EntryRef::new(bytes).len());
            self.buried.remove(handle, &mut self.arena);
        } else if has_due(bytes) {
            self.expiring.remove(handle, &mut self.arena);
        }
    }

    /// Tells everyone who knew an entry by its handle that it has another.
    fn moved(&mut self, from: Handle, to: Handle) {
        let bytes = self.arena.get(to);
        if has_due(bytes) {
            let heap = if is_tombstone(bytes) { &mut self.buried } else { &mut self.expiring };
            heap.rename(place_of(bytes), to);
        }
        let hash = self.hash_at(to);
        *self.table.find_mut(hash, |&other| other == from).expect("every handle is in the table") = to;
    }
}
