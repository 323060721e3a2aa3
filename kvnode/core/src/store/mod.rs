//! The store: commands in, outcomes out, over 256 partitions. [`Store`] runs them one at a time; a shell that wants to
//! run them side by side takes it apart and puts each partition under a lock of its own (see [`Store::into_parts`]).
//!
//! ```text
//! Command ─┬─ Key ──▶ PartitionNumber::of(key) ──▶ Partition::execute ──▶ Outcome
//!          └─ All ──▶ Gathering: visit every partition in turn ─────────▶ Outcome
//! ```

pub mod attributes;
pub mod command;
pub mod condition;
pub mod entry;
mod footprint;
pub mod gathering;
pub mod key;
pub mod ledger;
pub mod limits;
pub mod outcome;
pub mod partition;
pub mod slot;
mod tombstones;
pub mod value;

use crate::time::UnixMillis;
use command::Command;
use gathering::Gathering;
use ledger::Ledger;
use outcome::Outcome;
use partition::{Partition, Swept};
use slot::PARTITIONS;

/// What a store is made with.
#[derive(Clone, Copy, Debug)]
pub struct StoreConfig {
    pub memory_limit: u64,
    /// How long a tombstone keeps the version of a key that is gone.
    pub tombstone_retention_ms: u64,
    pub hash_seed: u64,
}

#[derive(Debug)]
pub struct Store {
    config: StoreConfig,
    partitions: Vec<Partition>,
    ledger: Ledger,
}

impl Store {
    pub fn new(config: StoreConfig) -> Self {
        let partitions = (0..PARTITIONS).map(|_| Partition::new(config.hash_seed)).collect();
        Self { config, partitions, ledger: Ledger::new(config.memory_limit) }
    }

    pub fn execute(&mut self, command: Command, now: UnixMillis) -> Outcome {
        match command {
            Command::Key(command) => {
                let partition = &mut self.partitions[command.address.partition().index()];
                partition.execute(command, now, &self.ledger)
            }
            Command::All(command) => {
                let mut gathering = Gathering::new(command);
                for partition in &mut self.partitions {
                    gathering.visit(partition, now);
                }
                gathering.finish()
            }
        }
    }

    /// One turn of at most `turn` removals in each partition.
    pub fn sweep(&mut self, now: UnixMillis, turn: usize) -> Swept {
        let mut all = Swept::default();
        for partition in &mut self.partitions {
            let swept = partition.sweep(now, self.config.tombstone_retention_ms, turn, &self.ledger);
            all.expired += swept.expired;
            all.tombstones_dropped += swept.tombstones_dropped;
            all.more |= swept.more;
        }
        all
    }

    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// The partitions in the order of their numbers, and the counters they share.
    pub fn into_parts(self) -> (Vec<Partition>, Ledger) {
        (self.partitions, self.ledger)
    }
}
