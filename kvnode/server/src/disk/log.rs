//! The log as the serving threads see it: they hand records over, and learn later how far the disk is. None of them ever
//! waits for the disk while it holds a partition; whoever has an outcome to tell waits for its ticket, and many of them
//! for the same sync.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use kvnode_core::store::slot::{PARTITIONS, PartitionNumber};
use tokio::sync::watch;

use super::frame::{HEADER_BYTES, Header};
use crate::metrics::snapshot::DiskReadings;
use crate::settings::persistence::Persistence;

/// Records on their way to the disk. A writer that has fallen so far behind holds up new writes.
pub(super) const QUEUE_BYTES_MAX: u64 = 8 << 20;

/// Evictions, expiries and what is said about a value: so much a write may put down beside its value.
const BESIDE_VALUE_BYTES: u64 = 256 << 10;

/// Where everything before has gone to the disk. Positions count the bytes of records since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

impl Ticket {
    /// Of an outcome that may be told at once.
    pub(crate) const SETTLED: Self = Self(0);
}

/// Whether a write may be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Granted,
    /// The disk is behind; it will not be for long.
    Later,
    /// There is no room on the disk, and nothing was done.
    DiskFull,
}

#[derive(Debug)]
pub(super) struct Queue {
    /// Whole frames, each with a header that is not placed yet.
    pub(super) bytes: Vec<u8>,
    pub(super) closing: bool,
}

pub(crate) struct Log {
    persistence: Persistence,
    queue: Mutex<Queue>,
    /// For the writer alone.
    filled: Condvar,
    synced: Condvar,
    /// Position behind the last record handed over.
    end: AtomicU64,
    /// The newest position of each partition.
    newest: Vec<AtomicU64>,
    written: AtomicU64,
    durable: AtomicU64,
    /// Up to this position there is room on the disk that nobody else can take.
    room: AtomicU64,
    full: AtomicBool,
    /// What was confirmed is not on the disk after a second: nothing more is confirmed until it is.
    late: AtomicBool,
    /// What all writes that are done at this moment may hand over together.
    margin: u64,
    changed: watch::Sender<()>,
    /// Somebody found a ticket unsettled or was put off, and wants to be woken.
    awaited: AtomicBool,
    figures: Figures,
}

/// What whoever runs the node is told.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) syncs: AtomicU64,
    /// Of segments that are whole, and of the one that is written.
    pub(super) sealed_bytes: AtomicU64,
    pub(super) open_bytes: AtomicU64,
    pub(super) snapshot_bytes: AtomicU64,
    pub(super) damaged_records: AtomicU64,
}

impl Log {
    /// `threads` write side by side, values of at most so many bytes.
    pub(super) fn new(persistence: Persistence, threads: usize, value_bytes_max: usize) -> Self {
        Self {
            persistence,
            queue: Mutex::new(Queue { bytes: Vec::new(), closing: false }),
            filled: Condvar::new(),
            synced: Condvar::new(),
            end: AtomicU64::new(0),
            newest: (0..PARTITIONS).map(|_| AtomicU64::new(0)).collect(),
            written: AtomicU64::new(0),
            durable: AtomicU64::new(0),
            room: AtomicU64::new(0),
            full: AtomicBool::new(false),
            late: AtomicBool::new(false),
            margin: threads as u64 * (value_bytes_max as u64 + BESIDE_VALUE_BYTES),
            changed: watch::Sender::new(()),
            awaited: AtomicBool::new(false),
            figures: Figures::default(),
        }
    }

    /// Room that must be kept ready: for all that may be on its way when the disk turns out to be full.
    pub(super) fn reserve(&self) -> u64 {
        self.margin + QUEUE_BYTES_MAX
    }

    pub(super) fn syncs_always(&self) -> bool {
        self.persistence == Persistence::Always
    }

    /// Hands over one record. The partition's lock is held, so the records of a partition come in their order.
    pub(crate) fn append(&self, partition: usize, record: &[u8]) {
        let number = u8::try_from(partition).expect("partitions are numbered by bytes");
        let header = Header::of_record(number, record).unplaced();
        let mut queue = self.queue();
        let first = queue.bytes.is_empty();
        queue.bytes.extend_from_slice(&header);
        queue.bytes.extend_from_slice(record);
        // Under the queue's lock, so that positions go up in the order of the bytes.
        let end = self.end.load(Ordering::Relaxed) + (HEADER_BYTES + record.len()) as u64;
        self.end.store(end, Ordering::Relaxed);
        drop(queue);
        self.newest[partition].store(end, Ordering::Release);
        if first {
            self.filled.notify_one();
        }
    }

    /// Asked before a write, so that nothing is done for which there is no room.
    pub(crate) fn admit(&self) -> Admission {
        match self.judge() {
            Admission::Later => {
                self.awaited.store(true, Ordering::SeqCst);
                // There may have been room before the wish was seen.
                self.judge()
            }
            decided => decided,
        }
    }

    fn judge(&self) -> Admission {
        let end = self.end.load(Ordering::SeqCst);
        let roomy = end + self.margin <= self.room.load(Ordering::SeqCst);
        let late = self.late.load(Ordering::SeqCst);
        if roomy && !late && end.saturating_sub(self.written.load(Ordering::SeqCst)) <= QUEUE_BYTES_MAX {
            Admission::Granted
        } else if !roomy && self.is_full() {
            Admission::DiskFull
        } else {
            Admission::Later
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }

    /// What an outcome of this partition has to wait for. Asked after the command was run, it may be that of a later one.
    pub(crate) fn ticket(&self, partition: PartitionNumber) -> Ticket {
        self.unless_told_at_once(|| self.newest[partition.index()].load(Ordering::Acquire))
    }

    /// What an outcome of all partitions has to wait for.
    pub(crate) fn ticket_of_all(&self) -> Ticket {
        self.unless_told_at_once(|| self.end.load(Ordering::Relaxed))
    }

    fn unless_told_at_once(&self, position: impl FnOnce() -> u64) -> Ticket {
        if self.syncs_always() { Ticket(position()) } else { Ticket::SETTLED }
    }

    pub(crate) fn is_settled(&self, ticket: Ticket) -> bool {
        if ticket.0 <= self.durable.load(Ordering::Acquire) {
            return true;
        }
        self.awaited.store(true, Ordering::SeqCst);
        // It may have been settled before the wish was seen.
        ticket.0 <= self.durable.load(Ordering::SeqCst)
    }

    /// Says when tickets may have been settled or room made, if somebody found that they were not.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Returns when a write that was put off should be tried again.
    pub(crate) async fn admitted(&self) -> Admission {
        let mut changed = self.changed.subscribe();
        loop {
            match self.admit() {
                Admission::Later => changed.changed().await.expect("the sender lives as long as self"),
                decided => return decided,
            }
        }
    }

    pub(super) fn figures(&self) -> &Figures {
        &self.figures
    }

    pub(crate) fn readings(&self) -> DiskReadings {
        let read = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        let Figures { syncs, sealed_bytes, open_bytes, snapshot_bytes, damaged_records } = &self.figures;
        DiskReadings {
            log_bytes: read(sealed_bytes) + read(open_bytes),
            snapshot_bytes: read(snapshot_bytes),
            syncs: read(syncs),
            damaged_records: read(damaged_records),
            full: self.is_full(),
        }
    }

    /// Has the writer write what is there and end.
    pub(super) fn close(&self) {
        self.queue().closing = true;
        self.filled.notify_all();
        self.synced.notify_all();
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("a panic ends the process")
    }

    /// Waits until there is something to write, the log closes, or the time is over.
    pub(super) fn wait(&self, at_most: Option<Duration>) {
        let queue = self.queue();
        let idle = |queue: &mut Queue| queue.bytes.is_empty() && !queue.closing;
        // Whatever ended the wait, the caller looks for itself.
        let _ = match at_most {
            None => self.filled.wait_while(queue, idle).map(drop).is_ok(),
            Some(time) => self.filled.wait_timeout_while(queue, time, idle).map(drop).is_ok(),
        };
    }

    /// Lets time pass, unless the log closes or much has come together.
    pub(super) fn linger(&self, time: Duration) {
        let queue = self.queue();
        let little = |queue: &mut Queue| !queue.closing && (queue.bytes.len() as u64) < QUEUE_BYTES_MAX / 4;
        let _ = self.filled.wait_timeout_while(queue, time, little).map(drop).is_ok();
    }

    /// Lets time pass, unless the log closes.
    pub(super) fn pause(&self, time: Duration) {
        let _ = self.filled.wait_timeout_while(self.queue(), time, |queue| !queue.closing).map(drop).is_ok();
    }

    pub(super) fn note_written(&self, bytes: u64) {
        self.written.fetch_add(bytes, Ordering::SeqCst);
    }

    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// All that is written.
    pub(super) fn note_durable(&self) {
        self.note_durable_up_to(self.written());
    }

    pub(super) fn note_late(&self, late: bool) {
        self.late.store(late, Ordering::SeqCst);
    }

    pub(super) fn note_durable_up_to(&self, position: u64) {
        self.figures.syncs.fetch_add(1, Ordering::Relaxed);
        self.durable.fetch_max(position, Ordering::SeqCst);
        // Whoever has looked and not yet begun to wait holds the queue.
        drop(self.queue());
        self.synced.notify_all();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.queue().closing
    }

    /// False if the log closes first.
    pub(super) fn wait_until_durable(&self, position: u64) -> bool {
        let early = |queue: &mut Queue| !queue.closing && self.durable() < position;
        drop(self.synced.wait_while(self.queue(), early).expect("a panic ends the process"));
        self.durable() >= position
    }

    pub(super) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    pub(super) fn end(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }

    /// So many bytes more than are written have their place on the disk.
    pub(super) fn note_room(&self, ahead: u64) {
        self.room.store(self.written() + ahead, Ordering::SeqCst);
    }

    /// Gives back whether it is a change.
    pub(super) fn note_full(&self, full: bool) -> bool {
        self.full.swap(full, Ordering::SeqCst) != full
    }

    pub(super) fn tell(&self) {
        if self.awaited.swap(false, Ordering::SeqCst) {
            self.changed.send_replace(());
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Log")
            .field("end", &self.end())
            .field("durable", &self.durable())
            .finish_non_exhaustive()
    }
}
