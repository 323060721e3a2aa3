//! From the files of the log back to the store, at the start. Several workers walk over the same files, each taking the
//! records of its own partitions, so that within a partition everything happens again in the order in which it happened,
//! and no worker waits for another.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use thiserror::Error;

use super::damage::{Damage, Findings, What};
use super::frame::{Header, Kind};
use super::scan::{Item, Scan};
use super::survey::{Part, Survey, number_in};

/// More workers would only read the same bytes more often: memory is filled as fast as it can be by these.
const WORKERS_MAX: usize = 8;

/// How far a recovery is. Each worker walks over all bytes; what is told is how far they are on average.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    walked: AtomicU64,
    total: AtomicU64,
    workers: AtomicU64,
}

/// Why a node cannot have what its folder holds.
#[derive(Debug, Error)]
pub(crate) enum RecoveryError {
    #[error("The log in {} cannot be read: {reason}; mend the disk, or give another --data-dir.", path.display())]
    Unreadable { path: PathBuf, reason: io::Error },
    #[error(
        "The data folder {folder} is damaged in {} of which the first is {first}; 'kvnode ctl check --data-dir \
         {folder}' lists them, and a start with --recover skip-damaged goes on without what they held.",
        places(*count),
        folder = folder.display()
    )]
    Damaged { folder: PathBuf, count: u64, first: String },
}

fn places(count: u64) -> String {
    if count == 1 { "1 place,".to_owned() } else { format!("{count} places,") }
}

impl Progress {
    /// Bytes that are done, and bytes in all.
    pub(crate) fn figures(&self) -> (u64, u64) {
        let total = self.total.load(Ordering::Relaxed);
        let walked = self.walked.load(Ordering::Relaxed) / self.workers.load(Ordering::Relaxed).max(1);
        (walked.min(total), total)
    }
}

/// What the records of a log come to.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) records: u64,
    pub(super) findings: Findings,
}

/// Hands every good record of the surveyed files to `take`, those of one partition in their order. `take` says whether the
/// record meant anything to it.
pub(super) fn walk(
    survey: &Survey,
    threads: usize,
    progress: &Progress,
    take: &(dyn Fn(u8, &[u8]) -> bool + Sync),
) -> io::Result<Walked> {
    let workers = threads.clamp(1, WORKERS_MAX);
    progress.workers.store(workers as u64, Ordering::Relaxed);
    progress.total.store(survey.bytes(), Ordering::Relaxed);
    let mut walked = Walked { records: 0, findings: survey.findings.clone() };
    let parts = thread::scope(|scope| {
        let worker = |number| {
            let worker = Worker { number, workers, progress, take };
            scope.spawn(move || worker.walk(survey))
        };
        let started: Vec<_> = (0..workers).map(worker).collect();
        started.into_iter().map(|worker| worker.join().expect("a panic ends the process")).collect::<Vec<_>>()
    });
    for part in parts {
        let part = part?;
        walked.records += part.records;
        walked.findings.join(part.findings);
    }
    Ok(walked)
}

struct Worker<'w> {
    number: usize,
    workers: usize,
    progress: &'w Progress,
    take: &'w (dyn Fn(u8, &[u8]) -> bool + Sync),
}

impl Worker<'_> {
    fn walk(&self, survey: &Survey) -> io::Result<Walked> {
        let mut walked = Walked::default();
        let mut buffer = Vec::new();
        for (position, part) in survey.files.iter().enumerate() {
            let is_last = position + 1 == survey.files.len();
            self.walk_file(part, is_last, &mut buffer, &mut walked)?;
        }
        Ok(walked)
    }

    fn walk_file(&self, part: &Part, is_last: bool, buffer: &mut Vec<u8>, walked: &mut Walked) -> io::Result<()> {
        let mut scan = Scan::open(&part.file, part.end)?;
        let mut seen = Seen::default();
        let mut counted = 0;
        while let Some(item) = scan.next()? {
            self.progress.walked.fetch_add(scan.offset() - counted, Ordering::Relaxed);
            counted = scan.offset();
            match item {
                Item::Damage(damage) => seen.damages.push(damage),
                Item::Frame(offset, header) => {
                    seen.behind_seal |= seen.sealed.is_some();
                    self.take_frame(&mut scan, (offset, header), buffer, walked, &mut seen)?;
                }
            }
        }
        self.progress.walked.fetch_add(part.end - counted, Ordering::Relaxed);
        // All workers see what is wrong with headers and seals; one of them tells.
        if self.number == 0 {
            seen.judge(&scan, part, is_last);
            seen.damages.into_iter().for_each(|damage| walked.findings.add(damage));
        }
        Ok(())
    }

    fn take_frame(
        &self,
        scan: &mut Scan<'_>,
        (offset, header): (u64, Header),
        buffer: &mut Vec<u8>,
        walked: &mut Walked,
        seen: &mut Seen,
    ) -> io::Result<()> {
        let partition = header.partition;
        let is_record = header.kind == Kind::Record;
        seen.records += u64::from(is_record);
        if is_record && usize::from(partition) % self.workers != self.number {
            return scan.skip(header);
        }
        match scan.bytes(header, buffer)? {
            Ok(bytes) if is_record => {
                walked.records += 1;
                if !(self.take)(partition, bytes) {
                    let damage = scan.damage(offset, header.frame_bytes() as u64, What::Meaning { partition });
                    walked.findings.add(damage);
                }
            }
            Ok(bytes) if header.kind == Kind::Seal => seen.sealed = Some(number_in(bytes)),
            Ok(_) => {}
            Err(damage) if is_record => walked.findings.add(damage),
            Err(damage) => seen.damages.push(damage),
        }
        Ok(())
    }
}

/// What every worker sees of a file in the same way.
#[derive(Debug, Default)]
struct Seen {
    records: u64,
    sealed: Option<u64>,
    behind_seal: bool,
    damages: Vec<Damage>,
}

impl Seen {
    /// Where a seal is damaged itself, that has been told already, and where bytes could not be read, their records cannot
    /// be counted.
    fn judge(&mut self, scan: &Scan<'_>, part: &Part, is_last: bool) {
        if !self.damages.is_empty() {
            return;
        }
        let what = match self.sealed {
            _ if self.behind_seal => What::BehindSeal,
            None if is_last => return,
            None => What::Unsealed,
            Some(sealed) if sealed != self.records => What::Count { sealed, found: self.records },
            Some(_) => return,
        };
        self.damages.push(scan.damage(part.end, 0, what));
    }
}

pub(super) fn unreadable(path: &Path) -> impl Fn(io::Error) -> RecoveryError {
    move |reason| RecoveryError::Unreadable { path: path.to_owned(), reason }
}
