//! The core's partitions, each under a mutex of its own, shared by all serving threads. A thread holds at most one of
//! the locks at a time and never waits for anything while it holds one.

use std::sync::{Mutex, MutexGuard};

use kvnode_core::store::command::{AllCommand, KeyCommand};
use kvnode_core::store::gathering::Gathering;
use kvnode_core::store::ledger::Ledger;
use kvnode_core::store::outcome::Outcome;
use kvnode_core::store::partition::{Partition, Swept};
use kvnode_core::store::{Store, StoreConfig};
use kvnode_core::time::UnixMillis;

/// Partitions a question about all keys visits before other requests of the thread get a turn.
const VISITS_PER_TURN: usize = 16;

#[derive(Debug)]
pub(crate) struct SharedStore {
    partitions: Vec<Mutex<Partition>>,
    ledger: Ledger,
    tombstone_retention_ms: u64,
}

impl SharedStore {
    pub(crate) fn new(config: StoreConfig) -> Self {
        let (partitions, ledger) = Store::new(config).into_parts();
        let partitions = partitions.into_iter().map(Mutex::new).collect();
        Self { partitions, ledger, tombstone_retention_ms: config.tombstone_retention_ms }
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn partitions(&self) -> usize {
        self.partitions.len()
    }

    pub(crate) fn execute(&self, command: KeyCommand, now: UnixMillis) -> Outcome {
        let index = command.address.partition().index();
        self.lock(index).execute(command, now, &self.ledger)
    }

    /// Gives way to other requests between some partitions: a walk over a million keys must not be felt by them.
    pub(crate) async fn gather(&self, command: AllCommand, now: UnixMillis) -> Outcome {
        let mut gathering = Gathering::new(command);
        for index in 0..self.partitions.len() {
            gathering.visit(&mut self.lock(index), now);
            if (index + 1).is_multiple_of(VISITS_PER_TURN) {
                tokio::task::yield_now().await;
            }
        }
        gathering.finish()
    }

    /// One turn in one partition.
    pub(crate) fn sweep(&self, index: usize, now: UnixMillis, turn: usize) -> Swept {
        self.lock(index).sweep(now, self.tombstone_retention_ms, turn, &self.ledger)
    }

    fn lock(&self, index: usize) -> MutexGuard<'_, Partition> {
        self.partitions[index].lock().expect("a panic ends the process before another thread can see its partition")
    }
}
