//! From a data folder to a running log, and back to a folder that is closed.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::thread::{Builder, JoinHandle};

use tokio::sync::oneshot;

use super::damage::Findings;
use super::files;
use super::folder::{Folder, FolderError};
use super::frame::{Kind, number_frame};
use super::identity::Tail;
use super::log::Log;
use super::progress::tell_while;
use super::recovery::{Progress, RecoveryError, unreadable, walk};
use super::segment::{FileKind, Inventory, SEGMENT_BYTES, path_of};
use super::snapshot::{Contents, Snapshots, Wish, remove_needless};
use super::survey::{Last, Survey, boot};
use super::writer::{Closed, Start, Writer};
use crate::clock::Clock;
use crate::settings::Settings;
use crate::settings::persistence::{Persistence, Recover};
use crate::shared::Shared;

/// A folder that was opened for this process.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: Folder,
    log: Option<Arc<Log>>,
    recover: Recover,
    threads: usize,
    clock: Clock,
    segment_bytes: u64,
}

/// Is given a partition's number and a record of it.
type Taking = Box<dyn Fn(u8, &[u8]) -> bool + Send + Sync>;

/// What the store does with its own records.
pub(crate) struct Records {
    /// Whether it meant anything to the store.
    pub(crate) take: Taking,
    pub(crate) contents: Contents,
}

/// A log that takes records.
pub(crate) struct Running {
    folder: Folder,
    log: Arc<Log>,
    writer: JoinHandle<Option<Closed>>,
    snapshots: JoinHandle<()>,
}

impl Records {
    pub(crate) fn of(shared: &Arc<Shared>) -> Self {
        let (taking, telling) = (Arc::clone(shared), Arc::clone(shared));
        Self {
            take: Box::new(move |partition, record| taking.store.take_back(partition, record)),
            contents: Arc::new(move |partition, tell| telling.store.tell_contents(partition, tell)),
        }
    }
}

impl Disk {
    /// None if the node is to live in memory alone.
    pub(crate) fn open(settings: &Settings, clock: &Clock) -> Result<Option<Self>, FolderError> {
        let Some(path) = &settings.data_dir else { return Ok(None) };
        let mend = settings.recover == Recover::SkipDamaged;
        let folder = Folder::open(path, settings.tenant.as_str(), mend)?;
        let persistence = settings.persistence;
        if persistence == Persistence::Off && folder.identity().tail != Tail::None {
            return Err(FolderError::HoldsData { path: path.clone() });
        }
        let value_bytes_max = settings.live.now().limits.value_bytes_max;
        let log = (persistence != Persistence::Off)
            .then(|| Arc::new(Log::new(persistence, settings.threads, value_bytes_max)));
        let (recover, threads, clock) = (settings.recover, settings.threads, clock.clone());
        Ok(Some(Self { folder, log, recover, threads, clock, segment_bytes: SEGMENT_BYTES }))
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// None if the folder holds the identity alone.
    pub(crate) fn log(&self) -> Option<&Arc<Log>> {
        self.log.as_ref()
    }

    /// Brings back what the log holds, and begins to write. `broken` is told should the disk fail later.
    pub(crate) fn recover(
        mut self,
        log: &Arc<Log>,
        progress: &Progress,
        records: Records,
        broken: oneshot::Sender<()>,
    ) -> Result<Running, RecoveryError> {
        let path = self.folder.log();
        let failed = unreadable(&path);
        let identity = self.folder.identity().clone();
        let begun = self.clock.instant();
        let survey = Survey::make(&path, Some(identity.node), &identity.tail).map_err(&failed)?;
        let walked = tell_while(progress, &self.clock, || walk(&survey, self.threads, progress, &records.take));
        let walked = walked.map_err(&failed)?;
        let skipped = !walked.findings.is_empty();
        self.judge(&walked.findings)?;
        log.figures().damaged_records.store(walked.findings.count, Ordering::Relaxed);
        let segment = self.prepare(&survey, skipped).map_err(&failed)?;
        tracing::info!(
            records = walked.records,
            bytes = survey.bytes(),
            milliseconds = u64::try_from(self.clock.instant().duration_since(begun).as_millis()).unwrap_or(u64::MAX),
            node_id = %identity.node,
            incarnation = identity.incarnation,
            "recovered"
        );
        self.begin(log, segment, records.contents, skipped, broken).map_err(&failed)
    }

    fn judge(&self, findings: &Findings) -> Result<(), RecoveryError> {
        let Some(first) = findings.named.first() else { return Ok(()) };
        if self.recover == Recover::Whole {
            let (folder, first) = (self.folder.path().to_owned(), first.to_string());
            return Err(RecoveryError::Damaged { folder, count: findings.count, first });
        }
        for damage in &findings.named {
            tracing::warn!(%damage, "going on without what is damaged");
        }
        tracing::warn!(count = findings.count, "the start goes on without damaged records, as it was told to");
        Ok(())
    }

    /// Leaves behind a log that ends with a whole, sealed segment, and says which one comes next.
    fn prepare(&mut self, survey: &Survey, skipped: bool) -> io::Result<u64> {
        let folder = self.folder.log();
        if let Some(cut) = &survey.cut {
            tracing::warn!(
                file = %cut.damage.file.display(),
                offset = cut.damage.offset,
                bytes = cut.damage.bytes,
                "the last write before the crash was not finished, and never confirmed; it is cut off"
            );
        }
        let next = match survey.last {
            // Also where the only file is a damaged snapshot whose segment is gone.
            None => survey.files.iter().map(|part| part.file.number).max().unwrap_or(1),
            Some(last) => {
                let end = survey.files.last().map_or(0, |part| part.end);
                finish_last(&folder, last, end)?;
                // A segment without records makes way for the next one, so that starts do not pile them up.
                if last.records == 0 && !skipped { last.number } else { last.number + 1 }
            }
        };
        let segment = survey.last.map_or(0, |last| last.number);
        self.folder.set_tail(Tail::Open { segment, boot: boot() })?;
        for unfinished in Inventory::take(&folder)?.unfinished() {
            files::remove(unfinished)?;
        }
        remove_needless(&folder)?;
        Ok(next)
    }

    fn begin(
        mut self,
        log: &Arc<Log>,
        segment: u64,
        contents: Contents,
        snapshot_now: bool,
        broken: oneshot::Sender<()>,
    ) -> io::Result<Running> {
        let folder = self.folder.log();
        let (node, incarnation) = (self.folder.identity().node, self.folder.identity().incarnation);
        let (asked, asking) = sync_channel(1);
        if snapshot_now {
            // Until it is written, the damage is there for every start to see.
            asked.try_send(Wish::new(segment)).expect("there is room for one");
        }
        let inventory = Inventory::take(&folder)?;
        let bytes = |kind| inventory.files().iter().filter(|file| file.kind == kind).map(|file| file.length).sum();
        let log_bytes = bytes(FileKind::Segment);
        log.figures().snapshot_bytes.store(bytes(FileKind::Snapshot), Ordering::Relaxed);
        let writer = Writer::new(Start {
            log: Arc::clone(log),
            clock: self.clock.clone(),
            folder: folder.clone(),
            node,
            incarnation,
            segment,
            snapshots: asked,
            log_bytes,
            segment_bytes: self.segment_bytes,
        })?;
        self.folder.set_tail(Tail::Open { segment, boot: boot() })?;
        let writer = Builder::new().name("kvnode-log".to_owned()).spawn(move || match writer.run() {
            Ok(closed) => Some(closed),
            Err(error) => {
                tracing::error!(%error, "the disk did not keep what was written, so nothing can be promised any more");
                // Nobody listens when the node ends anyway.
                let _ = broken.send(());
                None
            }
        })?;
        let snapshots = Snapshots { log: Arc::clone(log), folder, node, incarnation, contents };
        let snapshots = Builder::new().name("kvnode-snapshot".to_owned()).spawn(move || snapshots.run(&asking))?;
        Ok(Running { folder: self.folder, log: Arc::clone(log), writer, snapshots })
    }
}

impl Running {
    /// Writes what is on its way, and notes that nothing is missing. False if the disk refused.
    pub(crate) fn close(mut self) -> bool {
        self.log.close();
        let closed = self.writer.join().expect("a panic ends the process");
        self.snapshots.join().expect("a panic ends the process");
        let Some(Closed { segment, length }) = closed else { return false };
        match self.folder.set_tail(Tail::Closed { segment, length }) {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "the end of the log could not be noted; the next start looks for it");
                false
            }
        }
    }
}

/// Cuts off what is not finished and seals what is left, if that is not done yet.
fn finish_last(folder: &std::path::Path, last: Last, end: u64) -> io::Result<()> {
    let path: PathBuf = path_of(folder, FileKind::Segment, last.number);
    let file = File::options().write(true).open(path)?;
    file.set_len(end)?;
    if !last.sealed {
        file.write_all_at(&number_frame(Kind::Seal, last.records, last.number, end), end)?;
    }
    file.sync_all()
}

impl std::fmt::Debug for Running {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Running").field("log", &self.log).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
