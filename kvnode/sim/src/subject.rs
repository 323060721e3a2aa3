//! What is simulated, behind the narrow view that the outside has of it. The mutants put themselves in between here.

use kvnode_core::store::command::Command;
use kvnode_core::store::outcome::Outcome;
use kvnode_core::store::{Store, StoreConfig};
use kvnode_core::time::UnixMillis;

/// What a node says about its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accounts {
    pub used: u64,
    pub limit: u64,
    pub tombstones: u64,
    pub tombstone_limit: u64,
    /// Added up from what is really there.
    pub recounted: u64,
    pub tombstones_recounted: u64,
    /// What the partitions themselves count.
    pub tombstones_of_partitions: u64,
}

pub trait Subject {
    fn execute(&mut self, command: Command, now: UnixMillis) -> Outcome;
    fn sweep(&mut self, now: UnixMillis, turn: usize);
    fn accounts(&self) -> Accounts;
}

/// The real core.
#[derive(Debug)]
pub struct Core(Store);

impl Core {
    pub fn new(config: StoreConfig) -> Self {
        Self(Store::new(config))
    }
}

impl Subject for Core {
    fn execute(&mut self, command: Command, now: UnixMillis) -> Outcome {
        self.0.execute(command, now)
    }

    fn sweep(&mut self, now: UnixMillis, turn: usize) {
        self.0.sweep(now, turn);
    }

    fn accounts(&self) -> Accounts {
        let ledger = self.0.ledger();
        let audits = || self.0.partitions().iter().map(kvnode_core::store::partition::Partition::audit);
        Accounts {
            used: ledger.used(),
            limit: ledger.limit(),
            tombstones: ledger.tombstones(),
            tombstone_limit: ledger.tombstone_limit(),
            recounted: audits().map(|audit| audit.recounted).sum(),
            tombstones_of_partitions: audits().map(|audit| audit.tombstones_counted).sum(),
            tombstones_recounted: audits().map(|audit| audit.tombstones_recounted).sum(),
        }
    }
}
