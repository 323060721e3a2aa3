//! The core's partitions, each under a mutex of its own, shared by all serving threads. A thread holds at most one of
//! the locks at a time and never waits for anything while it holds one.

use std::sync::{Mutex, MutexGuard};

use kvnode_core::store::command::{AllCommand, KeyCommand};
use kvnode_core::store::entry::EntryRef;
use kvnode_core::store::gathering::Gathering;
use kvnode_core::store::ledger::Ledger;
use kvnode_core::store::outcome::{Gathered, Outcome, Refusal};
use kvnode_core::store::partition::{Partition, Swept};
use kvnode_core::store::{EXPIRE_TURN, Eviction, Places, Store, StoreConfig};
use kvnode_core::time::UnixMillis;

/// Partitions a question about all keys visits before other requests of the thread get a turn.
const VISITS_PER_TURN: usize = 16;

#[derive(Debug)]
pub(crate) struct SharedStore {
    places: Places,
    partitions: Vec<Mutex<Partition>>,
    ledger: Ledger,
    evicting: bool,
}

impl SharedStore {
    pub(crate) fn new(config: &StoreConfig) -> Self {
        let (partitions, ledger, places) = Store::new(config).into_parts();
        let partitions = partitions.into_iter().map(Mutex::new).collect();
        Self { places, partitions, ledger, evicting: config.eviction != Eviction::None }
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn partitions(&self) -> usize {
        self.partitions.len()
    }

    /// Runs the command and hands its outcome to `answer` while the partition is still locked: the entry is then read
    /// where it lies.
    pub(crate) fn execute<R>(
        &self,
        command: &KeyCommand<'_>,
        now: UnixMillis,
        answer: impl FnOnce(Outcome<EntryRef<'_>>) -> R,
    ) -> R {
        let place = self.places.of(&command.address.key);
        let home = place.partition.index();
        let namespace = command.address.namespace;
        // Before a write is refused, each partition is asked once to make room for it: by an eviction, or by ending what
        // an account has that expired unseen.
        let mut others = (home + 1..=home + self.partitions.len()).map(|other| other % self.partitions.len());
        loop {
            let quota = match self.lock(home).execute(command, place, now, &self.ledger) {
                Err(Refusal::MemoryFull { .. }) if self.evicting => false,
                Err(Refusal::QuotaExceeded(_)) => true,
                outcome => return answer(outcome),
            };
            let asked = if quota {
                others.find(|&other| self.lock(other).expire(namespace, now, EXPIRE_TURN, &self.ledger) > 0)
            } else {
                others.next().inspect(|&other| {
                    self.lock(other).evict(namespace, now, &self.ledger);
                })
            };
            if asked.is_none() {
                break;
            }
        }
        answer(self.lock(home).execute(command, place, now, &self.ledger))
    }

    /// Gives way to other requests between some partitions: a walk over a million keys must not be felt by them.
    pub(crate) async fn gather(&self, command: AllCommand, now: UnixMillis) -> Gathered {
        let mut gathering = Gathering::new(command);
        let mut visits: usize = 0;
        while let Some(next) = gathering.next_partition() {
            gathering.visit(&mut self.lock(next), now, &self.ledger);
            visits += 1;
            if visits.is_multiple_of(VISITS_PER_TURN) {
                tokio::task::yield_now().await;
            }
        }
        gathering.finish()
    }

    /// The live keys of all users.
    pub(crate) fn count_users(&self, now: UnixMillis) -> u64 {
        (0..self.partitions.len()).map(|index| self.lock(index).count_users(now)).sum()
    }

    /// One turn in one partition.
    pub(crate) fn sweep(&self, index: usize, now: UnixMillis, turn: usize) -> Swept {
        self.lock(index).sweep(now, turn, &self.ledger)
    }

    pub(crate) fn lock(&self, index: usize) -> MutexGuard<'_, Partition> {
        self.partitions[index].lock().expect("a panic ends the process before another thread can see its partition")
    }
}
