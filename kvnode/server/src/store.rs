//! The core's partitions, each under a mutex of its own, shared by all serving threads. A thread holds at most one of
//! the locks at a time and never waits for anything while it holds one.

use std::sync::{Mutex, MutexGuard};

use kvnode_core::store::command::{AllCommand, KeyCommand};
use kvnode_core::store::entry::EntryRef;
use kvnode_core::store::gathering::Gathering;
use kvnode_core::store::key::Namespace;
use kvnode_core::store::ledger::Ledger;
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::{Gathered, Outcome, Refusal};
use kvnode_core::store::partition::{Partition, Place, Swept};
use kvnode_core::store::slot::PartitionNumber;
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

/// A partition to oneself: others see all that was done meanwhile, or nothing of it.
#[derive(Debug)]
pub(crate) struct Alone<'s> {
    partition: MutexGuard<'s, Partition>,
    ledger: &'s Ledger,
}

impl Alone<'_> {
    /// The place must be in this partition. A write that finds memory full evicts here only, because no thread ever holds
    /// two partitions.
    pub(crate) fn execute<R>(
        &mut self,
        place: Place,
        command: &KeyCommand<'_>,
        now: UnixMillis,
        answer: impl FnOnce(Outcome<EntryRef<'_>>) -> R,
    ) -> R {
        answer(self.partition.execute(command, place, now, self.ledger))
    }
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

    /// Partitions take the limits over one after the other; each command is judged by one of both.
    pub(crate) fn set_limits(&self, limits: &Limits) {
        for index in 0..self.partitions.len() {
            self.lock(index).set_limits(limits);
        }
    }

    /// Runs the command and hands its outcome to `answer` while the partition is still locked: the entry is then read
    /// where it lies.
    pub(crate) fn execute<R>(
        &self,
        command: &KeyCommand<'_>,
        now: UnixMillis,
        answer: impl FnOnce(Outcome<EntryRef<'_>>) -> R,
    ) -> R {
        self.execute_at(self.places.of(&command.address.key), command, now, answer)
    }

    /// The same where the key's place is known already.
    pub(crate) fn execute_at<R>(
        &self,
        place: Place,
        command: &KeyCommand<'_>,
        now: UnixMillis,
        answer: impl FnOnce(Outcome<EntryRef<'_>>) -> R,
    ) -> R {
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

    /// Where what has this key would be.
    pub(crate) fn place_of(&self, key: &[u8]) -> Place {
        self.places.of_bytes(key)
    }

    /// Brings what a command for this place will read near the processor. What is returned means nothing, but has to be
    /// used, or the compiler leaves the reading out.
    pub(crate) fn touch(&self, namespace: Namespace, place: Place) -> u8 {
        self.lock(place.partition.index()).touch(namespace, place)
    }

    /// Waits for the partition and keeps everybody else out of it.
    pub(crate) fn alone(&self, partition: PartitionNumber) -> Alone<'_> {
        Alone { partition: self.lock(partition.index()), ledger: &self.ledger }
    }

    /// Gives way to other requests between some partitions: a walk over a million keys must not be felt by them.
    pub(crate) async fn gather(&self, command: AllCommand, now: UnixMillis) -> Gathered {
        let mut gathering = Gathering::new(command);
        let mut visits: usize = 0;
        while self.visit(&mut gathering, now) {
            visits += 1;
            if visits.is_multiple_of(VISITS_PER_TURN) {
                tokio::task::yield_now().await;
            }
        }
        gathering.finish()
    }

    /// Visits the next partition, if the answer is not complete without it.
    pub(crate) fn visit(&self, gathering: &mut Gathering, now: UnixMillis) -> bool {
        let Some(next) = gathering.next_partition() else { return false };
        gathering.visit(&mut self.lock(next), now, &self.ledger);
        true
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
