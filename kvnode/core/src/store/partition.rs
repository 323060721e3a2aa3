//! One of the 256 parts of the store: a table of live entries, what expires when, and the tombstones. It is the unit
//! that the shell locks, so everything a single key needs (condition, version, expiry) is decided in here at once.
//! A partition's clock never goes back: what has expired once stays expired, even if the machine's clock is set back.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::sync::Arc;

use foldhash::SharedSeed;
use foldhash::quality::FoldHasher;
use hashbrown::HashTable;

use super::attributes::Version;
use super::command::{KeyAction, KeyCommand, Put};
use super::condition::Condition;
use super::entry::Entry;
use super::key::{Address, Namespace};
use super::ledger::Ledger;
use super::outcome::{Outcome, Refusal, Reply};
use super::tombstones::Tombstones;
use crate::time::UnixMillis;

/// A table emptier than this is given back its room by the sweep; above it, the room is kept for the next writes.
const SPARSE_BELOW_ONE_IN: usize = 8;

/// Tables smaller than this are never worth moving.
const SPARSE_CAPACITY_MIN: usize = 1024;

#[derive(Debug)]
pub struct Partition {
    seed: SharedSeed,
    live: HashTable<Arc<Entry>>,
    /// (expiry, sequence) → hash of every entry that expires, soonest first.
    expiring: BTreeMap<(UnixMillis, u64), u64>,
    tombstones: Tombstones,
    /// The latest moment this partition was told of.
    clock: UnixMillis,
    /// How many times this partition changed.
    sequence: u64,
    /// The highest version among tombstones that had to be dropped early. Keys of which nothing is known start
    /// above it, because one of them may be the key whose tombstone was dropped.
    floor: Version,
}

/// What one turn of the sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub expired: usize,
    pub tombstones_dropped: usize,
    /// Whether the turn ended because it had done enough, not because nothing was left.
    pub more: bool,
}

/// Bytes added up from what is there, and as counted along the way. They must agree with each other and the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit {
    pub recounted: u64,
    pub tombstones_counted: u64,
    pub tombstones_recounted: u64,
}

impl Partition {
    /// The seed makes the table's order unguessable for whoever chooses the keys; a fixed one makes a run repeatable.
    pub fn new(hash_seed: u64) -> Self {
        Self {
            seed: SharedSeed::from_u64(hash_seed),
            live: HashTable::new(),
            expiring: BTreeMap::new(),
            tombstones: Tombstones::default(),
            clock: UnixMillis::default(),
            sequence: 0,
            floor: Version::ABSENT,
        }
    }

    pub fn execute(&mut self, command: KeyCommand, now: UnixMillis, ledger: &Ledger) -> Outcome {
        let KeyCommand { address, action } = command;
        self.advance(now);
        let hash = hash_of(&self.seed, &address);
        self.expire_if_due((hash, &address), ledger);
        match action {
            KeyAction::Get => Ok(self.find(hash, &address).map_or(Reply::Absent, |entry| Reply::Found(entry.clone()))),
            KeyAction::Put(put) => self.put((hash, address), put, ledger),
            KeyAction::Delete { conditions } => self.delete((hash, address), &conditions, ledger),
        }
    }

    /// Removes what has expired and forgets tombstones whose retention is over, oldest first, at most `turn` of both.
    pub fn sweep(&mut self, now: UnixMillis, retention_ms: u64, turn: usize, ledger: &Ledger) -> Swept {
        self.advance(now);
        let mut swept = Swept::default();
        while let Some((&(expires_at, sequence), &hash)) = self.expiring.first_key_value()
            && expires_at <= self.clock
        {
            if swept.expired == turn {
                return Swept { more: true, ..swept };
            }
            let due = self.live.find(hash, |entry| entry.sequence == sequence);
            let address = due.expect("every moment of expiry has its entry").address.clone();
            self.expire_if_due((hash, &address), ledger);
            swept.expired += 1;
        }
        let forgotten_until = UnixMillis::new(self.clock.get().saturating_sub(retention_ms));
        while swept.expired + swept.tombstones_dropped < turn {
            let Some(removed) = self.tombstones.remove_oldest_buried_until(forgotten_until) else {
                self.drop_tombstones_over_limit(ledger);
                self.give_back_room();
                return swept;
            };
            ledger.drop_tombstone(removed.bytes);
            swept.tombstones_dropped += 1;
        }
        Swept { more: true, ..swept }
    }

    /// Live keys, without those that have expired and await the sweep.
    pub fn count(&mut self, namespace: Namespace, now: UnixMillis) -> u64 {
        self.advance(now);
        let Namespace::Shared = namespace;
        let due = self.expiring.range(..=(self.clock, u64::MAX)).count();
        (self.live.len() - due) as u64
    }

    /// Shows every live key of a namespace once, in no order.
    pub fn for_each_key<'p>(&'p mut self, namespace: Namespace, now: UnixMillis, mut show: impl FnMut(&'p str)) {
        self.advance(now);
        let clock = self.clock;
        for entry in &self.live {
            if entry.address.namespace == namespace && !entry.is_expired_at(clock) {
                show(entry.address.key.as_str());
            }
        }
    }

    pub fn audit(&self) -> Audit {
        let live: u64 = self.live.iter().map(|entry| entry.bytes()).sum();
        Audit {
            recounted: live + self.tombstones.recount_bytes(),
            tombstones_counted: self.tombstones.bytes(),
            tombstones_recounted: self.tombstones.recount_bytes(),
        }
    }

    fn put(&mut self, (hash, address): (u64, Address), put: Put, ledger: &Ledger) -> Outcome {
        let before = self.find(hash, &address).map(Arc::clone);
        let actual = before.as_ref().map_or(Version::ABSENT, |entry| entry.version);
        check(&put.conditions, &address, actual)?;

        let buried = self.tombstones.version_of(hash, &address);
        let last = before.as_ref().map(|entry| entry.version).or(buried.map(|(version, _)| version));
        let entry = Arc::new(Entry {
            address,
            value: put.value,
            version: last.unwrap_or(self.floor).next(),
            tags: put.tags,
            ttl: put.ttl,
            created_at: before.as_ref().map_or(self.clock, |entry| entry.created_at),
            updated_at: self.clock,
            expires_at: put.ttl.map(|ttl| self.clock.plus_seconds(ttl.seconds())),
            sequence: self.sequence + 1,
        });
        let released = before.as_ref().map_or(0, |entry| entry.bytes()) + buried.map_or(0, |(_, bytes)| bytes);
        ledger.exchange(released, entry.bytes()).map_err(|full| Refusal::MemoryFull {
            key: entry.address.key.clone(),
            needed: full.needed,
            used: full.used,
            limit: ledger.limit(),
            creating: before.is_none(),
        })?;

        if let Some(removed) = self.tombstones.remove(hash, &entry.address) {
            ledger.remove_tombstone(removed.bytes);
        }
        self.insert(hash, Arc::clone(&entry));
        Ok(Reply::Stored { entry, created: before.is_none() })
    }

    fn delete(&mut self, (hash, address): (u64, Address), conditions: &[Condition], ledger: &Ledger) -> Outcome {
        let actual = self.find(hash, &address).map_or(Version::ABSENT, |entry| entry.version);
        check(conditions, &address, actual)?;
        Ok(match self.bury((hash, &address), ledger) {
            None => Reply::Absent,
            Some(version) => Reply::Deleted { version },
        })
    }

    /// Puts an entry in place of the one its address had, if it had one.
    fn insert(&mut self, hash: u64, entry: Arc<Entry>) {
        self.sequence = entry.sequence;
        if let Some(expires_at) = entry.expires_at {
            self.expiring.insert((expires_at, entry.sequence), hash);
        }
        if let Some(place) = self.live.find_mut(hash, |other| other.address == entry.address) {
            let before = std::mem::replace(place, entry);
            self.forget(&before);
        } else {
            let seed = &self.seed;
            self.live.insert_unique(hash, entry, |entry| hash_of(seed, &entry.address));
        }
    }

    fn expire_if_due(&mut self, (hash, address): (u64, &Address), ledger: &Ledger) {
        let clock = self.clock;
        if self.find(hash, address).is_some_and(|entry| entry.is_expired_at(clock)) {
            self.bury((hash, address), ledger);
            ledger.add_expired();
        }
    }

    /// Turns an entry into a tombstone with the next version, which is returned.
    fn bury(&mut self, (hash, address): (u64, &Address), ledger: &Ledger) -> Option<Version> {
        let found = self.live.find_entry(hash, |entry| entry.address == *address).ok()?;
        let (entry, _) = found.remove();
        self.forget(&entry);
        self.sequence += 1;
        let version = entry.version.next();
        let seed = &self.seed;
        let moment = (self.sequence, self.clock);
        let bytes = self.tombstones.bury((hash, address.clone()), version, moment, |address| hash_of(seed, address));
        ledger.settle(entry.bytes(), bytes);
        ledger.add_tombstone(bytes);
        self.drop_tombstones_over_limit(ledger);
        Some(version)
    }

    /// Undoes what [`Self::insert`] noted about an entry that has left the table.
    fn forget(&mut self, entry: &Entry) {
        if let Some(expires_at) = entry.expires_at {
            self.expiring.remove(&(expires_at, entry.sequence));
        }
    }

    fn drop_tombstones_over_limit(&mut self, ledger: &Ledger) {
        while ledger.tombstones() > ledger.tombstone_limit() && self.tombstones.bytes() > ledger.tombstone_share() {
            let Some(removed) = self.tombstones.remove_oldest() else { break };
            self.floor = self.floor.max(removed.version);
            ledger.drop_tombstone(removed.bytes);
        }
    }

    fn give_back_room(&mut self) {
        let seed = &self.seed;
        self.tombstones.give_back_room(|address| hash_of(seed, address));
        if is_sparse(self.live.len(), self.live.capacity()) {
            let room = self.live.len() * 2;
            self.live.shrink_to(room, |entry| hash_of(seed, &entry.address));
        }
    }

    fn find(&self, hash: u64, address: &Address) -> Option<&Arc<Entry>> {
        self.live.find(hash, |entry| entry.address == *address)
    }

    fn advance(&mut self, now: UnixMillis) {
        self.clock = self.clock.max(now);
    }
}

pub(super) fn is_sparse(len: usize, capacity: usize) -> bool {
    capacity >= SPARSE_CAPACITY_MIN && len < capacity / SPARSE_BELOW_ONE_IN
}

fn check(conditions: &[Condition], address: &Address, actual: Version) -> Result<(), Refusal> {
    match conditions.iter().find(|condition| !condition.holds(actual)) {
        None => Ok(()),
        Some(failed) => Err(Refusal::VersionMismatch { key: address.key.clone(), expected: failed.clone(), actual }),
    }
}

fn hash_of(seed: &SharedSeed, address: &Address) -> u64 {
    let Namespace::Shared = address.namespace;
    let mut hasher = FoldHasher::with_seed(0, seed);
    hasher.write(address.key.as_str().as_bytes());
    hasher.finish()
}
