//! The core's partitions, each under a mutex of its own, shared by all serving threads. A thread never waits for anything
//! while it holds one of the locks, so it holds one only, but for those that it got at once to read ahead. Where data are kept on a disk, an outcome may be
//! told once its ticket is settled: then no crash can take back what it shows.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use kvnode_core::cluster::replica::{Effect, Replica};
use kvnode_core::store::attributes::Version;
use kvnode_core::store::command::{AllCommand, KeyAction, KeyCommand};
use kvnode_core::store::entry::EntryRef;
use kvnode_core::store::gathering::Gathering;
use kvnode_core::store::key::{Address, Key, Namespace};
use kvnode_core::store::ledger::Ledger;
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::{Gathered, Outcome, Refusal};
use kvnode_core::store::partition::{Guess, Located, Partition, Place, Snapshot, Swept};
use kvnode_core::store::record::Record;
use kvnode_core::store::slot::PartitionNumber;
use kvnode_core::store::{EXPIRE_TURN, Eviction, Places, Store, StoreConfig};
use kvnode_core::time::UnixMillis;
use tokio::time::timeout;

use crate::cluster::{Cluster, Rest, Verdict};
use crate::disk::{self, Admission, Log, Progress};
use crate::untold::Untold;

/// Partitions a question about all keys visits before other requests of the thread get a turn.
const VISITS_PER_TURN: usize = 16;

/// Partitions that are held at once to read ahead in them: as many misses as a processor has under way.
const TOUCHED_TOGETHER: usize = 16;

/// What a snapshot takes of a partition at once: so long nobody else gets at it.
const SNAPSHOT_PIECE_BYTES: usize = 256 << 10;

/// A client is told after so long that its write may or may not be kept.
pub(crate) const CONFIRMATION_TIME_MAX: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct SharedStore {
    places: Places,
    partitions: Vec<Mutex<Partition>>,
    ledger: Ledger,
    evicting: bool,
    /// None: memory alone.
    log: Option<Arc<Log>>,
    /// None: this node is all there is.
    cluster: Option<Arc<Cluster>>,
    recovery: Progress,
    /// What the log holds is in the partitions.
    open: AtomicBool,
}

/// What an outcome has to wait for before it may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ticket {
    /// The disk.
    Kept(disk::Ticket),
    /// The other copies.
    Copied(Rest),
}

/// A moment before something was asked. What is told later is true only if nothing was taken from this node meanwhile.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Begun(u64);

/// A partition to oneself: others see all that was done meanwhile, or nothing of it.
#[derive(Debug)]
pub(crate) struct Alone<'s> {
    partition: Held<'s>,
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
        if !self.partition.serves(command) {
            return answer(Err(Refusal::NotServed));
        }
        answer(self.partition.execute(command, place, now, self.ledger))
    }

    pub(crate) fn last_version(&mut self, address: &Address<'_>, place: Place, now: UnixMillis) -> Version {
        self.partition.last_version(address, place, now, self.ledger)
    }
}

impl SharedStore {
    /// With a log, it is open once that was read.
    pub(crate) fn new(config: &StoreConfig, log: Option<Arc<Log>>, cluster: Option<Arc<Cluster>>) -> Self {
        let (partitions, ledger, places) = Store::new(config).into_parts();
        let records = |mut partition: Partition| {
            if cluster.is_some() {
                partition.record_changes();
            }
            Mutex::new(partition)
        };
        let partitions = partitions.into_iter().map(records).collect();
        let open = AtomicBool::new(log.is_none());
        let (evicting, recovery) = (config.eviction != Eviction::None, Progress::default());
        Self { places, partitions, ledger, evicting, log, cluster, recovery, open }
    }

    pub(crate) fn recovery(&self) -> &Progress {
        &self.recovery
    }

    /// Everything that was kept is here again; what happens from here on is written down.
    pub(crate) fn open(&self) {
        if self.log.is_some() {
            (0..self.partitions.len()).for_each(|index| self.partition(index).record_changes());
        }
        self.open.store(true, Ordering::Release);
    }

    pub(crate) fn log(&self) -> Option<&Arc<Log>> {
        self.log.as_ref()
    }

    pub(crate) fn cluster(&self) -> Option<&Arc<Cluster>> {
        self.cluster.as_ref()
    }

    /// Lets something happen to the replica of a partition.
    pub(crate) fn act(&self, number: PartitionNumber, act: impl FnOnce(&mut Replica) -> Vec<Effect>) {
        if let Some(cluster) = &self.cluster {
            cluster.act(number, &mut self.partition(number.index()), &self.ledger, act);
        }
    }

    /// To be asked before a command is run whose outcome is told later.
    pub(crate) fn begin(&self) -> Begun {
        Begun(self.cluster.as_ref().map_or(0, |cluster| cluster.losses()))
    }

    /// Whether commands can be answered.
    pub(crate) fn ready(&self) -> Result<(), Untold> {
        if self.open.load(Ordering::Acquire) {
            return Ok(());
        }
        let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
        let (done, total) = self.recovery.figures();
        Err(Untold::Recovering { done: done >> 20, total: mebibytes(total) })
    }

    /// Whether a write may be done at this moment.
    pub(crate) fn admission(&self) -> Admission {
        self.log.as_ref().map_or(Admission::Granted, |log| log.admit())
    }

    /// Returns when a write may be done, or says why not.
    pub(crate) async fn admitted(&self) -> Result<(), Untold> {
        let Some(log) = &self.log else { return Ok(()) };
        match log.admit() {
            Admission::Granted => Ok(()),
            Admission::DiskFull => Err(Untold::DiskFull),
            Admission::Later => match timeout(CONFIRMATION_TIME_MAX, log.admitted()).await {
                Ok(Admission::Granted) => Ok(()),
                Ok(Admission::DiskFull) => Err(Untold::DiskFull),
                Ok(Admission::Later) | Err(_) => Err(Untold::DiskBehind),
            },
        }
    }

    /// What the outcome of a command about this key has to wait for. To be asked after the command was run.
    pub(crate) fn ticket(&self, key: &Key<'_>, begun: Begun) -> Ticket {
        self.ticket_of(PartitionNumber::of(key.as_str().as_bytes()), begun)
    }

    /// What has to be waited for by whoever tells what a partition holds.
    pub(crate) fn ticket_of(&self, partition: PartitionNumber, begun: Begun) -> Ticket {
        self.ticket_by(begun, |log| log.ticket(partition))
    }

    /// What the outcome of a command about all partitions has to wait for.
    pub(crate) fn ticket_of_all(&self, begun: Begun) -> Ticket {
        self.ticket_by(begun, Log::ticket_of_all)
    }

    fn ticket_by(&self, Begun(losses): Begun, of_log: impl FnOnce(&Log) -> disk::Ticket) -> Ticket {
        match &self.cluster {
            Some(cluster) => Ticket::Copied(cluster.newest(losses)),
            None => Ticket::Kept(self.log.as_deref().map_or(disk::Ticket::SETTLED, of_log)),
        }
    }

    /// Whether an outcome with this ticket may be told.
    pub(crate) fn verdict(&self, ticket: Ticket) -> Verdict {
        match (ticket, &self.cluster) {
            (Ticket::Copied(rest), Some(cluster)) => cluster.verdict(rest),
            (Ticket::Kept(ticket), _) if self.log.as_ref().is_some_and(|log| !log.is_settled(ticket)) => Verdict::Open,
            _ => Verdict::Confirmed,
        }
    }

    /// Returns when an outcome with this ticket may be told.
    pub(crate) async fn settled(&self, ticket: Ticket) -> Result<(), Untold> {
        if self.verdict(ticket) == Verdict::Confirmed {
            return Ok(());
        }
        // Subscribed before the next look, so that nothing is missed between a look and a wait.
        let mut changes = match (&self.cluster, &self.log) {
            (Some(cluster), _) => cluster.changes(),
            (None, Some(log)) => log.changes(),
            (None, None) => return Ok(()),
        };
        let settled = async {
            loop {
                match self.verdict(ticket) {
                    Verdict::Confirmed => return Ok(()),
                    Verdict::Lost => return Err(Untold::Unknown),
                    Verdict::Open => changes.changed().await.expect("the sender lives as long as the store"),
                }
            }
        };
        timeout(CONFIRMATION_TIME_MAX, settled).await.unwrap_or(Err(Untold::Unconfirmed))
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
            let mut held = self.lock(home);
            if !held.serves(command) {
                return answer(Err(Refusal::NotServed));
            }
            let quota = match held.execute(command, place, now, &self.ledger) {
                Err(Refusal::MemoryFull { .. }) if self.evicting => false,
                Err(Refusal::QuotaExceeded(_)) => true,
                outcome => return answer(outcome),
            };
            drop(held);
            let asked = if quota {
                others.find(|&other| {
                    let mut other = self.lock(other);
                    other.leads() && other.expire(namespace, now, EXPIRE_TURN, &self.ledger) > 0
                })
            } else {
                others.next().inspect(|&other| {
                    let mut other = self.lock(other);
                    if other.leads() {
                        other.evict(namespace, now, &self.ledger);
                    }
                })
            };
            if asked.is_none() {
                break;
            }
        }
        let mut held = self.lock(home);
        if !held.serves(command) {
            return answer(Err(Refusal::NotServed));
        }
        answer(held.execute(command, place, now, &self.ledger))
    }

    /// Where what has this key would be.
    pub(crate) fn place_of(&self, key: &[u8]) -> Place {
        self.places.of_bytes(key)
    }

    /// Brings what commands for these places will read near the processor. The partitions of several of them are held at
    /// once, which waits for nobody: a lock waits for all reads before it, so taking one between any two of them would
    /// have each miss of a cache wait for the one before. Who cannot have a partition at once goes without.
    pub(crate) fn touch(&self, wanted: &[(Namespace, Place)]) {
        for together in wanted.chunks(TOUCHED_TOGETHER) {
            let mut held: [Option<MutexGuard<'_, Partition>>; TOUCHED_TOGETHER] = [const { None }; TOUCHED_TOGETHER];
            for (held, (_, place)) in held.iter_mut().zip(together) {
                *held = self.partitions[place.partition.index()].try_lock().ok();
            }
            // It may be held for one of the others.
            let partition = |number: usize, place: &Place| {
                held[number].as_ref().or_else(|| {
                    let other = together.iter().position(|(_, other)| other.partition == place.partition);
                    other.and_then(|other| held[other].as_ref())
                })
            };
            let mut guesses = [(None, Guess::default()); TOUCHED_TOGETHER];
            for (number, (guess, (namespace, place))) in guesses.iter_mut().zip(together).enumerate() {
                if let Some(held) = partition(number, place) {
                    *guess = (Some(held), held.guess(*namespace, *place));
                }
            }
            let mut located = [Located::default(); TOUCHED_TOGETHER];
            for (located, ((held, guess), (namespace, _))) in located.iter_mut().zip(guesses.iter().zip(together)) {
                if let Some(held) = held {
                    *located = held.locate(*namespace, *guess);
                }
            }
            let seen = located.iter().fold(0, |seen, located| seen ^ located.touch());
            // What was read means nothing, but has to be used, or the compiler leaves the reading out.
            std::hint::black_box(seen);
        }
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

    /// The live keys of all namespaces, the node's own among them.
    pub(crate) fn count_all(&self, now: UnixMillis) -> u64 {
        let own = |partition: &mut Partition| partition.count(Namespace::System, now);
        let count = |index| {
            let mut partition = self.lock(index);
            partition.count_users(now) + own(&mut partition)
        };
        (0..self.partitions.len()).map(count).sum()
    }

    /// One turn in one partition.
    pub(crate) fn sweep(&self, index: usize, now: UnixMillis, turn: usize) -> Swept {
        let mut held = self.lock(index);
        if held.leads() { held.sweep(now, turn, &self.ledger) } else { Swept::default() }
    }

    /// What happened to a partition before the start. False if the record means nothing.
    pub(crate) fn take_back(&self, partition: u8, record: &[u8]) -> bool {
        let restore = |record| self.partition(usize::from(partition)).restore(&record, &self.ledger);
        Record::decode(record).and_then(restore).is_ok()
    }

    /// Tells of everything in a partition, and lets others at it between the pieces.
    pub(crate) fn tell_contents(&self, partition: PartitionNumber, tell: &mut dyn FnMut(&[u8])) {
        let mut snapshot = self.begin_snapshot(partition);
        while self.snapshot(partition, &mut snapshot, SNAPSHOT_PIECE_BYTES, &mut *tell) {}
    }

    pub(crate) fn begin_snapshot(&self, partition: PartitionNumber) -> Snapshot {
        self.partition(partition.index()).begin_snapshot()
    }

    /// Shows the next rows of a partition, and says whether more is to come. It is locked for this piece only.
    pub(crate) fn snapshot(
        &self,
        partition: PartitionNumber,
        snapshot: &mut Snapshot,
        bytes_max: usize,
        each: impl FnMut(&[u8]),
    ) -> bool {
        self.partition(partition.index()).snapshot(snapshot, bytes_max, each)
    }

    /// Holds a partition. What happens to it meanwhile goes to the log before anybody else can see it.
    pub(crate) fn lock(&self, index: usize) -> Held<'_> {
        let (log, cluster) = (self.log.as_deref(), self.cluster.as_deref());
        Held { partition: self.partition(index), index, log, cluster, ledger: &self.ledger }
    }

    fn partition(&self, index: usize) -> MutexGuard<'_, Partition> {
        self.partitions[index].lock().expect("a panic ends the process before another thread can see its partition")
    }
}

/// A partition, for as long as this thread has it.
#[derive(Debug)]
pub(crate) struct Held<'s> {
    partition: MutexGuard<'s, Partition>,
    index: usize,
    log: Option<&'s Log>,
    cluster: Option<&'s Cluster>,
    ledger: &'s Ledger,
}

impl Held<'_> {
    /// Whether this command may be run here at this moment.
    fn serves(&self, command: &KeyCommand<'_>) -> bool {
        let changes = !matches!(command.action, KeyAction::Get);
        self.cluster.is_none_or(|cluster| cluster.serves(self.number(), changes))
    }

    /// Whether this node is to see to what expires and what is evicted.
    fn leads(&self) -> bool {
        self.cluster.is_none_or(|cluster| cluster.leads(self.number()))
    }

    fn number(&self) -> PartitionNumber {
        PartitionNumber::new(u8::try_from(self.index).expect("partitions are numbered by bytes"))
    }
}

impl Deref for Held<'_> {
    type Target = Partition;

    fn deref(&self) -> &Partition {
        &self.partition
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Partition {
        &mut self.partition
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(log) = self.log {
            let index = self.index;
            self.partition.take_records(|record| log.append(index, record));
        } else if let Some(cluster) = self.cluster {
            cluster.written(self.number(), &mut self.partition, self.ledger);
        }
    }
}

#[cfg(test)]
mod tests;
