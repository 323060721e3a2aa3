//! The one thread that writes the log. It takes whatever has come together since its last turn, writes it in one go, and
//! has the disk keep it: at once for `always`, within a second for `everysec`. Nobody else ever waits for the disk.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, fallocate};

use super::files;
use super::frame::{HEADER_BYTES, Kind, NUMBER_FRAME_BYTES, length_of, number_frame, place};
use super::identity::NodeId;
use super::log::Log;
use super::segment::{FILE_HEADER_BYTES, FileHeader, FileKind, path_of};
use super::snapshot::Wish;
use super::syncer::{Reached, Syncer};
use crate::clock::Clock;

/// `everysec` promises that at most a second is lost; the sync itself takes its part of it.
const SYNC_EVERY: Duration = Duration::from_millis(800);

/// A sync that takes so long, counted from the oldest byte it is for, holds new writes up: what is confirmed and could be
/// lost is never more than a second's.
const LATE_AFTER: Duration = Duration::from_secs(1);

/// How often it is looked whether a sync is done.
const SYNC_LOOK_EVERY: Duration = Duration::from_millis(20);

/// Where nobody waits for it, a batch may grow for so long: a thread is then woken a hundred times a second, not for every
/// write.
const LINGER: Duration = Duration::from_millis(10);

/// A full disk is asked again so often.
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// A node that ends on a full disk tries so often to find room for what it owes.
const TRIES_AT_THE_END: u32 = 3;

/// A log of fewer segments is not worth a snapshot, however little of it is still needed.
const SNAPSHOT_FROM_SEGMENTS: u64 = 2;

/// A log on a full disk that is longer than this, and than the last snapshot, is rewritten to make room.
const COMPACTED_FROM_BYTES: u64 = 4 << 20;

/// That may fail for want of room, and is not tried again for so long.
const COMPACTED_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Room kept beside that for records: marks, seals, and what a sweep puts down.
const SLACK_BYTES: u64 = 256 << 10;

pub(super) struct Writer {
    log: Arc<Log>,
    clock: Clock,
    folder: PathBuf,
    node: NodeId,
    incarnation: u64,
    output: Output,
    /// None: each batch is synced where it is written.
    syncer: Option<Syncer>,
    spare: Vec<u8>,
    /// When the oldest byte that is not safe yet was written.
    dirty_since: Option<Instant>,
    snapshots: SyncSender<Wish>,
    /// A sealed log of so many bytes has come together since the last snapshot was asked for.
    since_snapshot: u64,
    /// The length at which a segment is sealed.
    segment_bytes: u64,
    /// When a snapshot was last asked for because the disk is full.
    compacted: Option<Instant>,
    /// Alive until that snapshot is written or has failed.
    compaction: Weak<()>,
}

/// The segment that is written.
struct Output {
    file: File,
    path: PathBuf,
    number: u64,
    offset: u64,
    reserved: u64,
    records: u64,
    /// What lies before this is safe on the disk, and whether the file says so already.
    safe: u64,
    marked: bool,
}

/// Where a log that was closed ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closed {
    pub(super) segment: u64,
    pub(super) length: u64,
}

pub(super) struct Start {
    pub(super) log: Arc<Log>,
    pub(super) clock: Clock,
    pub(super) folder: PathBuf,
    pub(super) node: NodeId,
    pub(super) incarnation: u64,
    pub(super) segment: u64,
    pub(super) snapshots: SyncSender<Wish>,
    /// Bytes of the segments that are there already.
    pub(super) log_bytes: u64,
    pub(super) segment_bytes: u64,
}

impl Writer {
    /// Begins a segment.
    pub(super) fn new(start: Start) -> io::Result<Self> {
        let Start { log, clock, folder, node, incarnation, segment, snapshots, log_bytes, segment_bytes } = start;
        let header = FileHeader { kind: FileKind::Segment, number: segment, node, incarnation };
        let path = path_of(&folder, FileKind::Segment, segment);
        let output = Output::prepare(path.clone(), header, 0)?;
        files::finish(&path.with_added_extension(files::UNFINISHED), &path)?;
        log.figures().sealed_bytes.store(log_bytes, Ordering::Relaxed);
        let syncer = if log.syncs_always() { None } else { Some(Syncer::start()?) };
        let mut writer = Self {
            log,
            clock,
            folder,
            node,
            incarnation,
            output,
            syncer,
            spare: Vec::new(),
            dirty_since: None,
            snapshots,
            since_snapshot: log_bytes,
            compacted: None,
            compaction: Weak::new(),
            segment_bytes,
        };
        writer.make_room();
        Ok(writer)
    }

    /// Until the log is closed. An error means that the disk did not keep what it was given, so that nothing can be
    /// promised any more.
    pub(super) fn run(mut self) -> io::Result<Closed> {
        loop {
            self.log.wait(self.until_due());
            if !self.log.syncs_always() {
                self.log.linger(LINGER);
            }
            let (mut batch, closing) = {
                let mut queue = self.log.queue();
                (std::mem::replace(&mut queue.bytes, std::mem::take(&mut self.spare)), queue.closing)
            };
            if !batch.is_empty() {
                self.write(&mut batch, closing)?;
            }
            if closing {
                return self.close();
            }
            self.sync()?;
            // What room there is belongs to a snapshot that makes more.
            if self.compaction.strong_count() == 0 {
                if self.log.is_full() || self.output.reserved < self.output.offset + self.log.reserve() / 2 {
                    self.make_room();
                }
                if self.log.is_full() {
                    self.compact_for_room()?;
                }
            }
            self.log.tell();
            batch.clear();
            self.spare = batch;
        }
    }

    /// How long until something has to be done although nothing comes.
    fn until_due(&self) -> Option<Duration> {
        let sync = match self.syncer.as_ref().and_then(Syncer::under_way) {
            Some(_) => Some(SYNC_LOOK_EVERY),
            None => self.dirty_since.map(|since| SYNC_EVERY.saturating_sub(self.age(since))),
        };
        if self.log.is_full() { Some(sync.unwrap_or(RETRY_EVERY).min(RETRY_EVERY)) } else { sync }
    }

    /// Tries for as long as it takes: what is in the batch is in the store already.
    fn write(&mut self, batch: &mut [u8], closing: bool) -> io::Result<()> {
        if self.output.offset >= self.segment_bytes {
            self.begin_next(self.log.reserve() + SLACK_BYTES)?;
            self.ask_for_snapshot();
        }
        let mut tries = 0;
        while let Err(error) = self.output.write(batch) {
            tries += 1;
            if !is_full(&error) || (closing && tries == TRIES_AT_THE_END) {
                return Err(error);
            }
            self.say_full(true);
            self.log.tell();
            self.log.pause(RETRY_EVERY);
        }
        self.log.note_written(batch.len() as u64);
        self.log.figures().open_bytes.store(self.output.offset, Ordering::Relaxed);
        let now = || self.clock.instant();
        self.dirty_since.get_or_insert_with(now);
        Ok(())
    }

    /// At once, or on the other thread when it is time.
    fn sync(&mut self) -> io::Result<()> {
        let Some(syncer) = &mut self.syncer else {
            if self.dirty_since.take().is_some() {
                self.output.sync()?;
                self.log.note_durable();
            }
            return Ok(());
        };
        if let Some(reached) = syncer.finished()? {
            self.output.note_safe(reached);
            self.log.note_durable_up_to(reached.position);
        }
        let age = |since| self.clock.instant().duration_since(since);
        if syncer.under_way().is_none()
            && let Some(oldest) = self.dirty_since.take_if(|oldest| age(*oldest) >= SYNC_EVERY)
        {
            let (segment, offset) = (self.output.number, self.output.offset);
            let reached = Reached { segment, offset, position: self.log.written() };
            syncer.ask(self.output.file.try_clone()?, reached, oldest);
        }
        self.log.note_late(syncer.under_way().is_some_and(|oldest| age(oldest) >= LATE_AFTER));
        Ok(())
    }

    fn age(&self, since: Instant) -> Duration {
        self.clock.instant().duration_since(since)
    }

    /// Has the disk set room aside for what may come. Where it has none, writes are refused from now on, before anything
    /// of them is done.
    fn make_room(&mut self) {
        let wanted = self.log.reserve() + SLACK_BYTES;
        let full = match self.output.reserve(wanted) {
            Ok(()) => false,
            Err(error) if is_full(&error) => true,
            // Not every file system can; the disk may then turn out to be full when it is written.
            Err(_) => {
                self.output.reserved = self.output.offset + wanted;
                false
            }
        };
        self.say_full(full);
        let ahead = self.output.reserved.saturating_sub(self.output.offset + SLACK_BYTES);
        self.log.note_room(ahead);
    }

    fn say_full(&self, full: bool) {
        match (self.log.note_full(full), full) {
            (false, _) => {}
            (true, true) => tracing::error!(
                file = %self.output.path.display(),
                "the disk is full: writes are refused until there is room, reads go on"
            ),
            (true, false) => tracing::info!("there is room on the disk again: writes go on"),
        }
    }

    /// What is full may be full of what nobody needs: then a snapshot makes room. The room set aside for this segment is
    /// given back for it.
    fn compact_for_room(&mut self) -> io::Result<()> {
        let now = self.clock.instant();
        let tried = self.compacted.is_some_and(|last| now.duration_since(last) < COMPACTED_AGAIN_AFTER);
        // All that lies there, also behind a snapshot that was asked for and failed.
        let sealed_bytes = self.log.figures().sealed_bytes.load(Ordering::Relaxed);
        let snapshot_bytes = self.log.figures().snapshot_bytes.load(Ordering::Relaxed);
        if tried || sealed_bytes + self.output.offset < snapshot_bytes.max(COMPACTED_FROM_BYTES) {
            return Ok(());
        }
        self.compacted = Some(now);
        // A segment without records needs no successor: or each try would leave one more behind.
        if self.output.offset > FILE_HEADER_BYTES as u64 {
            let number = self.output.number;
            self.begin_next(0)?;
            if self.output.number == number {
                return Ok(());
            }
        }
        let wish = Wish::new(self.output.number);
        let compaction = wish.under_way();
        if self.snapshots.try_send(wish).is_ok() {
            self.since_snapshot = 0;
            self.compaction = compaction;
        }
        Ok(())
    }

    /// Seals the segment and begins the next, with so much room set aside. If there is no room for it, this one goes on.
    fn begin_next(&mut self, room: u64) -> io::Result<()> {
        let number = self.output.number + 1;
        let header = FileHeader { kind: FileKind::Segment, number, node: self.node, incarnation: self.incarnation };
        let path = path_of(&self.folder, FileKind::Segment, number);
        let unfinished = path.with_added_extension(files::UNFINISHED);
        let prepared = Output::prepare(path.clone(), header, room);
        let mut next = match prepared {
            Ok(next) => next,
            Err(error) if is_full(&error) => return files::remove(&unfinished),
            Err(error) => return Err(error),
        };
        // A segment whose successor is there must be whole, so the successor gets its name last.
        let sealed = self.output.seal()?;
        self.log.note_durable();
        self.dirty_since = None;
        files::finish(&unfinished, &path)?;
        std::mem::swap(&mut self.output, &mut next);
        let ahead = self.output.reserved.saturating_sub(self.output.offset + SLACK_BYTES);
        self.log.note_room(ahead);
        self.log.figures().sealed_bytes.fetch_add(sealed, Ordering::Relaxed);
        self.since_snapshot += sealed;
        Ok(())
    }

    /// Once the log is as long as the last snapshot: the disk then holds about twice what is needed, and three times that
    /// while the next snapshot is written.
    fn ask_for_snapshot(&mut self) {
        let snapshot_bytes = self.log.figures().snapshot_bytes.load(Ordering::Relaxed);
        if self.since_snapshot < snapshot_bytes.max(SNAPSHOT_FROM_SEGMENTS * self.segment_bytes) {
            return;
        }
        // One that is still being written will be followed by another.
        if self.snapshots.try_send(Wish::new(self.output.number)).is_ok() {
            self.since_snapshot = 0;
        }
    }

    fn close(mut self) -> io::Result<Closed> {
        let length = self.output.seal()?;
        self.log.note_durable();
        self.log.tell();
        Ok(Closed { segment: self.output.number, length })
    }
}

impl Output {
    /// Everything but the name.
    fn prepare(path: PathBuf, header: FileHeader, room: u64) -> io::Result<Self> {
        let file = File::create(path.with_added_extension(files::UNFINISHED))?;
        let offset = FILE_HEADER_BYTES as u64;
        let number = header.number;
        let mut output = Self { file, path, number, offset, reserved: 0, records: 0, safe: offset, marked: true };
        if room > 0 {
            match output.reserve(room) {
                Err(error) if is_full(&error) => return Err(error),
                _ => {}
            }
        }
        output.file.write_all_at(&header.bytes(), 0)?;
        output.file.sync_all()?;
        Ok(output)
    }

    /// Whole frames, which get their place. After an error none of them is there.
    fn write(&mut self, batch: &mut [u8]) -> io::Result<()> {
        let begin = self.offset;
        let mut at = begin;
        let mark = (!self.marked).then(|| number_frame(Kind::Mark, self.safe, self.number, at));
        at += mark.map_or(0, |mark| mark.len() as u64);
        let first = at;
        let mut records = 0;
        let mut rest = &mut *batch;
        while !rest.is_empty() {
            let (frame, behind) = rest.split_at_mut(length_of(rest));
            place(&mut frame[..HEADER_BYTES], self.number, at);
            at += frame.len() as u64;
            records += 1;
            rest = behind;
        }
        let written = mark.map_or(Ok(()), |mark| self.file.write_all_at(&mark, begin));
        match written.and_then(|()| self.file.write_all_at(batch, first)) {
            Ok(()) => {
                self.offset = at;
                self.records += records;
                self.marked = true;
                Ok(())
            }
            Err(error) => {
                // A part of a batch may have found room. Should this fail, the next try writes over it.
                let _ = self.file.set_len(begin);
                self.reserved = self.reserved.min(begin);
                Err(error)
            }
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        self.safe = self.offset;
        self.marked = false;
        Ok(())
    }

    /// A file that was sealed meanwhile has nothing more to be marked.
    fn note_safe(&mut self, reached: Reached) {
        if reached.segment == self.number {
            self.safe = reached.offset;
            self.marked = false;
        }
    }

    /// Gives back the length the file has for good.
    fn seal(&mut self) -> io::Result<u64> {
        let seal = number_frame(Kind::Seal, self.records, self.number, self.offset);
        self.file.write_all_at(&seal, self.offset)?;
        self.offset += NUMBER_FRAME_BYTES as u64;
        // What was reserved and not used goes back to the disk.
        self.file.set_len(self.offset)?;
        self.file.sync_all()?;
        Ok(self.offset)
    }

    fn reserve(&mut self, ahead: u64) -> io::Result<()> {
        let wanted = self.offset + ahead;
        if wanted <= self.reserved {
            return Ok(());
        }
        let signed = |bytes: u64| i64::try_from(bytes).expect("files are shorter than 2^63 bytes");
        fallocate(&self.file, FallocateFlags::FALLOC_FL_KEEP_SIZE, signed(self.offset), signed(ahead))?;
        self.reserved = wanted;
        Ok(())
    }
}

/// No room, or none for this user.
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
        || error.raw_os_error() == Some(Errno::EDQUOT as i32)
}
