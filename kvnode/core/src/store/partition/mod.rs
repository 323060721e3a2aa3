//! One of the 256 parts of the store, and the unit that the shell locks: everything a single key needs (condition,
//! version, expiry, memory) is decided in here at once. A partition's clock never goes back: what has expired once stays
//! expired, even if the machine's clock is set back.
//!
//! ```text
//! execute ──▶ conditions ──▶ new value ──▶ room: quota, memory, eviction ──▶ put ─┐
//!                                    delete, expiry, eviction, flush ──▶ bury ─┴──▶ record
//! ```

mod burial;
mod eviction;
mod execute;
mod put;
mod put_back;
mod questions;
mod restore;
mod snapshot;

use std::collections::HashMap;

use foldhash::SharedSeed;
use foldhash::quality::FixedState;

use super::answers::Answers;
use super::arena::Handle;
use super::key::Namespace;
use super::keyspace::{Keyspace, hash_of};
use super::ledger::Ledger;
use super::limits::Limits;
use super::record::{Event, Record, Records};
use super::slot::PartitionNumber;
use super::{Eviction, StoreConfig};
use crate::store::answers::Answer;
use crate::time::UnixMillis;
pub use burial::Swept;
pub use snapshot::Snapshot;

#[derive(Debug)]
pub struct Partition {
    number: PartitionNumber,
    seed: SharedSeed,
    limits: Limits,
    tombstone_retention_ms: u64,
    eviction: Eviction,
    /// Draws the entries that an eviction looks at.
    lot: u64,
    shared: Keyspace,
    others: Others,
    answers: Answers,
    records: Records,
    /// The latest moment this partition was told of.
    clock: UnixMillis,
}

/// Their order decides whose entries are swept or evicted first; a hasher with a seed makes that repeatable, too.
type Others = HashMap<Namespace, Box<Keyspace>, FixedState>;

/// What of an entry is touched ahead. The processor itself reads on ahead in longer ones.
const TOUCHED_BYTES: usize = 256;

/// As all machines have it that this runs on.
const CACHE_LINE: usize = 64;

/// Where a key's entry is looked for: found out once, before any lock is taken.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub partition: PartitionNumber,
    hash: u64,
}

/// Which entry a command will probably read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guess(Option<Handle>);

/// Where that entry lies. Guessing, locating and touching are steps of their own, so that whoever does them for many
/// places has the misses of each step lie over each other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Located<'p>(&'p [u8]);

/// Bytes added up from what is there, and as counted along the way. They must agree with each other and the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    pub counted: u64,
    pub recounted: u64,
    pub tombstones_counted: u64,
    pub tombstones_recounted: u64,
    pub answers_counted: u64,
    pub answers_recounted: u64,
}

impl Located<'_> {
    /// Reads a byte of each line of the cache that the beginning of an entry takes: of a short one that is all.
    pub fn touch(self) -> u8 {
        let begin = &self.0[..self.0.len().min(TOUCHED_BYTES)];
        let lines = begin.iter().step_by(CACHE_LINE).fold(0, |seen, byte| seen ^ byte);
        lines ^ begin.last().copied().unwrap_or(0)
    }
}

impl Place {
    pub(super) fn of(seed: &SharedSeed, key: &[u8]) -> Self {
        Self { partition: PartitionNumber::of(key), hash: hash_of(seed, key) }
    }
}

impl Partition {
    pub(super) fn new(number: PartitionNumber, seed: SharedSeed, config: &StoreConfig) -> Self {
        Self {
            number,
            shared: Keyspace::new(seed.clone(), None),
            seed,
            limits: config.limits.clone(),
            tombstone_retention_ms: config.tombstone_retention_ms,
            eviction: config.eviction,
            lot: config.hash_seed,
            others: HashMap::with_hasher(FixedState::with_seed(config.hash_seed)),
            answers: Answers::default(),
            records: Records::default(),
            clock: UnixMillis::default(),
        }
    }

    /// Values that are there already stay, whatever they measure.
    pub fn set_limits(&mut self, limits: &Limits) {
        self.limits.clone_from(limits);
    }

    /// Finds out what a command for this place will read, by a look at the table alone.
    pub fn guess(&self, namespace: Namespace, place: Place) -> Guess {
        Guess(self.keyspace(namespace).and_then(|keyspace| keyspace.guess(place.hash)))
    }

    /// Finds out where that lies. Nothing may have been written since the guess.
    pub fn locate(&self, namespace: Namespace, guess: Guess) -> Located<'_> {
        let keyspace = self.keyspace(namespace);
        Located(keyspace.zip(guess.0).map_or(&[], |(keyspace, handle)| keyspace.slot(handle)))
    }

    /// From here on, what happens is written down. Whoever asks for it takes the records under the lock under which
    /// they came into being, or they pile up.
    pub fn record_changes(&mut self) {
        self.records.wanted = true;
    }

    /// Shows the records of what happened since the last time, oldest first, each in its bytes (see [`Record::decode`]).
    pub fn take_records(&mut self, each: impl FnMut(&[u8])) {
        self.records.take(each);
    }

    pub fn audit(&self) -> Audit {
        let mut audit = Audit::default();
        for keyspace in self.keyspaces() {
            let parts = keyspace.audit();
            audit.counted += parts.held[0];
            audit.recounted += parts.held[1];
            audit.tombstones_counted += parts.tombstones[0];
            audit.tombstones_recounted += parts.tombstones[1];
        }
        let others = self.others.len() as u64 * Self::OTHER_BYTES;
        audit.answers_counted = self.answers.held();
        audit.answers_recounted = self.answers.recount_held();
        audit.counted += others + audit.answers_counted;
        audit.recounted += others + audit.answers_recounted;
        audit
    }

    /// What a namespace costs a partition before it has any entry: itself and its place in the map.
    const OTHER_BYTES: u64 = size_of::<Keyspace>() as u64 + 2 * size_of::<(Namespace, Box<Keyspace>)>() as u64;

    fn keyspaces(&self) -> impl Iterator<Item = &Keyspace> {
        self.others.values().map(Box::as_ref).chain([&self.shared])
    }

    fn keyspace(&self, namespace: Namespace) -> Option<&Keyspace> {
        keyspace_of(&self.shared, &self.others, namespace)
    }

    fn keyspace_mut(&mut self, namespace: Namespace) -> Option<&mut Keyspace> {
        match namespace {
            Namespace::Shared => Some(&mut self.shared),
            other => self.others.get_mut(&other).map(Box::as_mut),
        }
    }

    /// For a namespace in which something was found.
    fn existing(&self, namespace: Namespace) -> &Keyspace {
        self.keyspace(namespace).expect("something was found in it")
    }

    fn existing_mut(&mut self, namespace: Namespace) -> &mut Keyspace {
        self.keyspace_mut(namespace).expect("something was found in it")
    }

    fn advance(&mut self, now: UnixMillis) {
        self.clock = self.clock.max(now);
    }

    /// Records what a key holds from here on.
    fn record_entry(&mut self, namespace: Namespace, handle: Handle, answer: Option<Answer>) {
        if self.records.wanted {
            let keyspace = keyspace_of(&self.shared, &self.others, namespace).expect("something was put into it");
            let event = Event::Holds(keyspace.view(handle));
            self.records.push(&Record { clock: self.clock, namespace, event, answer });
        }
    }
}

/// Borrows no more of a partition than it needs.
fn keyspace_of<'p>(shared: &'p Keyspace, others: &'p Others, namespace: Namespace) -> Option<&'p Keyspace> {
    match namespace {
        Namespace::Shared => Some(shared),
        other => others.get(&other).map(Box::as_ref),
    }
}

/// Takes a tombstone out.
fn forget(keyspace: &mut Keyspace, tombstone: Handle, ledger: &Ledger) {
    let (held, tombstones) = (keyspace.held(), keyspace.tombstone_bytes());
    keyspace.remove(keyspace.hash_at(tombstone), tombstone);
    ledger.settle(held, keyspace.held());
    ledger.remove_tombstones(tombstones - keyspace.tombstone_bytes());
}

/// Good until the year 2106.
fn seconds(moment: UnixMillis) -> u32 {
    saturated(moment.get() / 1000)
}

fn saturated(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
