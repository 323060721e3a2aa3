//! The store: commands in, outcomes out, over 256 partitions. [`Store`] runs them one at a time; a shell that wants to
//! run them side by side takes it apart and puts each partition under a lock of its own (see [`Store::into_parts`]).
//!
//! ```text
//! Command ─┬─ Key ──▶ Places::of(key) ──▶ Partition::execute ──▶ Outcome
//!          └─ All ──▶ Gathering: visit one partition after the other ──▶ Gathered
//! ```

pub mod answers;
mod arena;
pub mod attributes;
pub mod change;
pub mod command;
pub mod condition;
pub mod cursor;
mod deadlines;
pub mod dumped;
pub mod entry;
mod footprint;
pub mod fraction;
pub mod gathering;
pub mod key;
mod keyspace;
pub mod ledger;
pub mod limits;
pub mod outcome;
pub mod partition;
pub mod record;
pub mod slot;
pub mod usage;
pub mod value;

use foldhash::SharedSeed;

use crate::time::UnixMillis;
use command::{AllCommand, KeyCommand};
use gathering::Gathering;
use key::{Key, Namespace};
use ledger::Ledger;
use limits::Limits;
use outcome::{Gathered, Outcome, Refusal, own};
use partition::{Partition, Place, Swept};
use record::{Record, RecordError};
use slot::{PARTITIONS, PartitionNumber};

/// What a store is made with.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    pub memory_limit: u64,
    /// How long a tombstone keeps the version of a key that is gone.
    pub tombstone_retention_ms: u64,
    /// Makes the tables' order unguessable for whoever chooses the keys; a fixed one makes a run repeatable.
    pub hash_seed: u64,
    /// For values that the store itself makes of present ones.
    pub limits: Limits,
    pub eviction: Eviction,
}

/// What goes when memory is full and a write needs more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Eviction {
    /// Nothing: the write is refused.
    #[default]
    None,
    /// The least recently used of a few entries drawn by lot, which is nearly the least recently used of all.
    AllKeysLru,
    /// The entry that expires next.
    VolatileTtl,
}

/// What one partition removes at once of an account's expired entries, when its quota is used up.
pub const EXPIRE_TURN: usize = 64;

/// Finds out where keys are, without any lock.
#[derive(Clone, Debug)]
pub struct Places(SharedSeed);

impl Places {
    pub fn of(&self, key: &Key<'_>) -> Place {
        self.of_bytes(key.as_str().as_bytes())
    }

    /// For whoever wants to know the place before the key is judged. Bytes that are no key have one, too; there is
    /// nothing at it.
    pub fn of_bytes(&self, key: &[u8]) -> Place {
        Place::of(&self.0, key)
    }
}

#[derive(Debug)]
pub struct Store {
    places: Places,
    partitions: Vec<Partition>,
    ledger: Ledger,
}

impl Store {
    pub fn new(config: &StoreConfig) -> Self {
        let seed = SharedSeed::from_u64(config.hash_seed);
        let partition = |number| Partition::new(PartitionNumber::new(number), seed.clone(), config);
        Self {
            partitions: (0..=u8::MAX).map(partition).collect(),
            ledger: Ledger::new(config.memory_limit),
            places: Places(seed),
        }
    }

    /// A partition that has nothing left to evict asks the others for one entry after the other, until the write fits or
    /// nothing can go any more. An account whose quota is used up loses what has expired first.
    pub fn execute(&mut self, command: &KeyCommand<'_>, now: UnixMillis) -> Outcome {
        let namespace = command.address.namespace;
        let place = self.places.of(&command.address.key);
        let home = place.partition.index();
        let mut asked = home;
        loop {
            let evicted = self.ledger.evicted();
            let outcome = own(self.partitions[home].execute(command, place, now, &self.ledger), namespace);
            let made_room = match &outcome {
                Err(Refusal::MemoryFull { .. }) => {
                    self.evict_elsewhere(home, &mut asked, namespace, now) || self.ledger.evicted() > evicted
                }
                Err(Refusal::QuotaExceeded(_)) => self.expire_somewhere(&mut asked, namespace, now),
                _ => false,
            };
            if !made_room {
                return outcome;
            }
        }
    }

    /// Removes what an account cannot see any more, from the next partition that has any of it.
    fn expire_somewhere(&mut self, asked: &mut usize, namespace: Namespace, now: UnixMillis) -> bool {
        (0..PARTITIONS).any(|_| {
            *asked = (*asked + 1) % PARTITIONS;
            self.partitions[*asked].expire(namespace, now, EXPIRE_TURN, &self.ledger) > 0
        })
    }

    /// Evicts one entry of the next partition that has any, all others asked before it.
    fn evict_elsewhere(&mut self, home: usize, asked: &mut usize, namespace: Namespace, now: UnixMillis) -> bool {
        (0..PARTITIONS).any(|_| {
            *asked = (*asked + 1) % PARTITIONS;
            *asked != home && self.partitions[*asked].evict(namespace, now, &self.ledger)
        })
    }

    pub fn gather(&mut self, command: AllCommand, now: UnixMillis) -> Gathered {
        let mut gathering = Gathering::new(command);
        while let Some(next) = gathering.next_partition() {
            gathering.visit(&mut self.partitions[next], now, &self.ledger);
        }
        gathering.finish()
    }

    /// One turn of at most `turn` removals in each partition.
    pub fn sweep(&mut self, now: UnixMillis, turn: usize) -> Swept {
        let mut all = Swept::default();
        for partition in &mut self.partitions {
            let swept = partition.sweep(now, turn, &self.ledger);
            all.expired += swept.expired;
            all.tombstones_dropped += swept.tombstones_dropped;
            all.more |= swept.more;
        }
        all
    }

    /// See [`Partition::record_changes`].
    pub fn record_changes(&mut self) {
        self.partitions.iter_mut().for_each(Partition::record_changes);
    }

    /// See [`Partition::take_records`]; those of one partition come in their order.
    pub fn take_records(&mut self, mut each: impl FnMut(PartitionNumber, &[u8])) {
        for (number, partition) in (0..=u8::MAX).zip(&mut self.partitions) {
            partition.take_records(|record| each(PartitionNumber::new(number), record));
        }
    }

    /// See [`Partition::restore`].
    pub fn restore(&mut self, number: PartitionNumber, record: &Record<'_>) -> Result<(), RecordError> {
        self.partitions[number.index()].restore(record, &self.ledger)
    }

    /// See [`Partition::empty`].
    pub fn empty(&mut self, number: PartitionNumber) {
        self.partitions[number.index()].empty(&self.ledger);
    }

    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// The partitions in the order of their numbers, the counters they share, and the way to find places in them.
    pub fn into_parts(self) -> (Vec<Partition>, Ledger, Places) {
        (self.partitions, self.ledger, self.places)
    }
}
