//! What a log is made of, before any of its records is used: which files are needed and there, and where the last one
//! ends. A process that was killed leaves a record that was not finished, a machine that lost its power leaves any of
//! what was not yet synced; both are as they should be, and are cut off. Everything else that is wrong is damage.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::damage::{Damage, Findings, What};
use super::frame::Kind;
use super::identity::{NodeId, Tail};
use super::scan::{Item, Scan};
use super::segment::{FILE_HEADER_BYTES, FileKind, Inventory, LogFile, path_of, read_header};

/// Where the kernel tells by which name this run of the machine goes.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

#[derive(Debug)]
pub(super) struct Survey {
    /// In the order in which they are read.
    pub(super) files: Vec<Part>,
    pub(super) findings: Findings,
    pub(super) cut: Option<Cut>,
    pub(super) last: Option<Last>,
}

/// A file, and how far it is read.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) file: LogFile,
    pub(super) end: u64,
}

/// What a crash left unfinished at the end of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) damage: Damage,
}

/// The last segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Last {
    pub(super) number: u64,
    /// Without what is cut off.
    pub(super) records: u64,
    pub(super) sealed: bool,
}

/// This run of the machine. Where it cannot be told, every start is taken for one after a loss of power.
pub(super) fn boot() -> String {
    std::fs::read_to_string(BOOT_ID).map_or_else(|_| "-".to_owned(), |text| text.trim().to_owned())
}

impl Survey {
    pub(super) fn make(folder: &Path, node: Option<NodeId>, tail: &Tail) -> io::Result<Self> {
        let inventory = Inventory::take(folder)?;
        let (_, needed) = inventory.split();
        let mut findings = Findings::default();
        for number in missing(needed, tail) {
            let file = path_of(folder, FileKind::Segment, number);
            findings.add(Damage { file, offset: 0, bytes: 0, what: What::Missing });
        }
        let mut files = Vec::new();
        for file in needed {
            if !has_good_header(file, node)? {
                let bytes = file.length.min(FILE_HEADER_BYTES as u64);
                findings.add(Damage { file: file.path.clone(), offset: 0, bytes, what: What::FileHeader });
            }
            files.push(Part { file: file.clone(), end: file.length });
        }
        let mut survey = Self { files, findings, cut: None, last: None };
        survey.judge_end(tail)?;
        Ok(survey)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|part| part.end).sum()
    }

    fn judge_end(&mut self, tail: &Tail) -> io::Result<()> {
        let Some(part) = self.files.last_mut().filter(|part| part.file.kind == FileKind::Segment) else {
            return Ok(());
        };
        let end = End::find(&part.file)?;
        let unfinished = match tail {
            Tail::Closed { segment, length } if *segment == part.file.number => {
                if part.file.length < *length && end.damages.is_empty() {
                    let missing = Damage {
                        file: part.file.path.clone(),
                        offset: part.file.length,
                        bytes: 0,
                        what: What::Unsealed,
                    };
                    self.findings.add(missing);
                }
                None
            }
            // The machine has run since: what was given to the kernel is there, whoever was killed. Only the very last
            // write can be half of one.
            Tail::Open { boot: known, .. } if *known == boot() => {
                end.damages.last().filter(|(damage, _)| damage.what == What::EndsInside)
            }
            _ => end.damages.iter().find(|(damage, _)| damage.offset >= end.durable),
        };
        let (mut records, mut sealed) = (end.records, end.sealed);
        if let Some((damage, before)) = unfinished {
            let bytes = part.file.length - damage.offset;
            part.end = damage.offset;
            (records, sealed) = (*before, false);
            self.cut = Some(Cut { damage: Damage { bytes, ..damage.clone() } });
        }
        self.last = Some(Last { number: part.file.number, records, sealed });
        Ok(())
    }
}

/// A walk over the last segment.
#[derive(Debug, Default)]
struct End {
    /// Each with the records before it.
    damages: Vec<(Damage, u64)>,
    /// What lies before this was safe on the disk once.
    durable: u64,
    records: u64,
    sealed: bool,
}

impl End {
    fn find(file: &LogFile) -> io::Result<Self> {
        let mut end = Self::default();
        let mut buffer = Vec::new();
        let mut scan = Scan::open(file, file.length)?;
        while let Some(item) = scan.next()? {
            let (kind, read) = match item {
                Item::Damage(damage) => {
                    end.add(damage);
                    continue;
                }
                Item::Frame(_, header) => {
                    end.records += u64::from(header.kind == Kind::Record);
                    (header.kind, scan.bytes(header, &mut buffer)?)
                }
            };
            match (kind, read) {
                (_, Err(damage)) => end.add(damage),
                (Kind::Mark, Ok(bytes)) => end.durable = end.durable.max(number_in(bytes)),
                (Kind::Seal, Ok(_)) => end.sealed = true,
                (Kind::Record, Ok(_)) => {}
            }
        }
        Ok(end)
    }

    fn add(&mut self, damage: Damage) {
        // Of more damage than this, the beginning and the end are enough to judge by.
        const KEPT_MAX: usize = 1000;
        if self.damages.len() == KEPT_MAX {
            self.damages.pop();
        }
        self.damages.push((damage, self.records));
    }
}

/// The number in a mark or a seal.
pub(super) fn number_in(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

fn has_good_header(file: &LogFile, node: Option<NodeId>) -> io::Result<bool> {
    match read_header(&file.path) {
        Ok(header) => {
            let own = node.is_none_or(|node| node == header.node);
            Ok(own && (header.kind, header.number) == (file.kind, file.number))
        }
        Err(error) if error.kind() == ErrorKind::InvalidData => Ok(false),
        Err(error) => Err(error),
    }
}

/// The numbers of the segments that should be there and are not.
fn missing(needed: &[LogFile], tail: &Tail) -> Vec<u64> {
    let known = match tail {
        Tail::None => 0,
        Tail::Open { segment, .. } | Tail::Closed { segment, .. } => *segment,
    };
    let segments = || needed.iter().filter(|file| file.kind == FileKind::Segment).map(|file| file.number);
    // Without a snapshot the log begins with its first segment.
    let first = match needed.first() {
        Some(file) if file.kind == FileKind::Snapshot => file.number,
        _ => 1,
    };
    let last = segments().max().unwrap_or(0).max(known);
    (first..=last).filter(|number| !segments().any(|there| there == *number)).collect()
}
