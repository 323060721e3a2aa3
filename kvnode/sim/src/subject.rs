//! What is simulated, behind the narrow view that the outside has of it. The mutants put themselves in between here.

use kvnode_core::store::command::{AllCommand, Command, KeyCommand};
use kvnode_core::store::outcome::{Gathered, Outcome};
use kvnode_core::store::partition::{Partition, Snapshot};
use kvnode_core::store::record::{Record, RecordError};
use kvnode_core::store::slot::PartitionNumber;
use kvnode_core::store::usage::Quota;
use kvnode_core::store::{Store, StoreConfig};
use kvnode_core::time::UnixMillis;

use crate::workload::Step;

/// What a node says about its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accounts {
    pub used: u64,
    pub limit: u64,
    pub tombstones: u64,
    pub tombstone_limit: u64,
    pub expired: u64,
    pub evicted: u64,
    /// Added up from what is really there.
    pub recounted: u64,
    pub tombstones_recounted: u64,
    /// What the partitions themselves count.
    pub tombstones_of_partitions: u64,
    pub answers: u64,
    pub answer_limit: u64,
    pub answers_recounted: u64,
}

/// What a step was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Key(Outcome),
    All(Gathered),
    Swept,
}

pub trait Subject {
    fn execute(&mut self, command: &KeyCommand<'_>, now: UnixMillis) -> Outcome;
    fn gather(&mut self, command: AllCommand, now: UnixMillis) -> Gathered;
    fn sweep(&mut self, now: UnixMillis, turn: usize);
    fn accounts(&self) -> Accounts;
    /// What happened since the last time, as a disk or a copy is told.
    fn take_records(&mut self) -> Vec<(PartitionNumber, Vec<u8>)>;
    fn begin_snapshot(&self, number: PartitionNumber) -> Snapshot;
    /// The next rows, and whether more is to come.
    fn snapshot(&self, number: PartitionNumber, snapshot: &mut Snapshot, bytes_max: usize) -> (Vec<Vec<u8>>, bool);

    fn take(&mut self, step: &Step, now: UnixMillis) -> Answer {
        match step {
            Step::Execute(Command::Key(command)) => Answer::Key(self.execute(command, now)),
            Step::Execute(Command::All(command)) => Answer::All(self.gather(command.clone(), now)),
            Step::Sweep { turn } => {
                self.sweep(now, *turn);
                Answer::Swept
            }
        }
    }
}

/// The real core.
#[derive(Debug)]
pub struct Core(Store);

impl Core {
    pub fn new(config: &StoreConfig) -> Self {
        Self::with_quota(config, Quota::NONE)
    }

    pub fn with_quota(config: &StoreConfig, quota: Quota) -> Self {
        let mut store = Store::new(config);
        store.ledger().set_account_quota(quota);
        store.record_changes();
        Self(store)
    }

    pub fn store(&self) -> &Store {
        &self.0
    }

    /// Takes over what another one did.
    pub fn restore(&mut self, number: PartitionNumber, record: &Record<'_>) -> Result<(), RecordError> {
        self.0.restore(number, record)
    }
}

impl Subject for Core {
    fn execute(&mut self, command: &KeyCommand<'_>, now: UnixMillis) -> Outcome {
        self.0.execute(command, now)
    }

    fn gather(&mut self, command: AllCommand, now: UnixMillis) -> Gathered {
        self.0.gather(command, now)
    }

    fn sweep(&mut self, now: UnixMillis, turn: usize) {
        self.0.sweep(now, turn);
    }

    fn take_records(&mut self) -> Vec<(PartitionNumber, Vec<u8>)> {
        let mut records = Vec::new();
        self.0.take_records(|number, record| records.push((number, record.to_vec())));
        records
    }

    fn begin_snapshot(&self, number: PartitionNumber) -> Snapshot {
        self.0.partitions()[number.index()].begin_snapshot()
    }

    fn snapshot(&self, number: PartitionNumber, snapshot: &mut Snapshot, bytes_max: usize) -> (Vec<Vec<u8>>, bool) {
        let mut rows = Vec::new();
        let partition = &self.0.partitions()[number.index()];
        let more = partition.snapshot(snapshot, bytes_max, |row| rows.push(row.to_vec()));
        (rows, more)
    }

    fn accounts(&self) -> Accounts {
        let ledger = self.0.ledger();
        let mut accounts = Accounts {
            used: ledger.used(),
            limit: ledger.limit(),
            tombstones: ledger.tombstones(),
            tombstone_limit: ledger.tombstone_limit(),
            expired: ledger.expired(),
            evicted: ledger.evicted(),
            recounted: 0,
            tombstones_recounted: 0,
            tombstones_of_partitions: 0,
            answers: ledger.answers(),
            answer_limit: ledger.answer_limit(),
            answers_recounted: 0,
        };
        for audit in self.0.partitions().iter().map(Partition::audit) {
            accounts.recounted += audit.recounted;
            accounts.tombstones_recounted += audit.tombstones_recounted;
            accounts.tombstones_of_partitions += audit.tombstones_counted;
            accounts.answers_recounted += audit.answers_recounted;
        }
        accounts
    }
}
