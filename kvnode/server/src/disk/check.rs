//! Looks a data folder over without starting a node: what is there, and whether every byte of it is as it was written.
//! It changes nothing.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::damage::Findings;
use super::folder::{FolderError, lock, log, read_identity};
use super::identity::{Identity, Tail};
use super::recovery::{Progress, RecoveryError, unreadable, walk};
use super::segment::LogFile;
use super::survey::{Cut, Survey};

/// Why a folder cannot be looked over.
#[derive(Debug, Error)]
pub(crate) enum CheckError {
    #[error("There is no data folder at {}; give the folder that a node has as its --data-dir.", .0.display())]
    NoFolder(PathBuf),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Log(#[from] RecoveryError),
}

/// What was found; as text, a line for each thing.
#[derive(Debug)]
pub(crate) struct Report {
    path: PathBuf,
    /// Or what is wrong with it.
    identity: Result<Identity, String>,
    files: Vec<LogFile>,
    records: u64,
    cut: Option<Cut>,
    findings: Findings,
}

/// Reads the whole folder, with so many threads.
pub(crate) fn check(path: &Path, threads: usize) -> Result<Report, CheckError> {
    let identity = match read_identity(path) {
        Ok(Some(identity)) => Ok(identity),
        Ok(None) if !log(path).is_dir() => return Err(CheckError::NoFolder(path.to_owned())),
        Ok(None) => Err("it is missing".to_owned()),
        Err(FolderError::Identity { reason, .. }) => Err(reason),
        Err(error) => return Err(error.into()),
    };
    // What a node is writing at the same time would be taken for damage.
    let _lock = lock(path)?;
    let failed = |reason: io::Error| unreadable(&log(path))(reason);
    let (node, tail) = match &identity {
        Ok(identity) => (Some(identity.node), identity.tail.clone()),
        Err(_) => (None, Tail::None),
    };
    let survey = Survey::make(&log(path), node, &tail).map_err(failed)?;
    let walked = walk(&survey, threads, &Progress::default(), &|_, _| true).map_err(failed)?;
    let Survey { files, cut, .. } = survey;
    let files = files.into_iter().map(|part| part.file).collect();
    Ok(Report { path: path.to_owned(), identity, files, records: walked.records, cut, findings: walked.findings })
}

impl Report {
    pub(crate) fn is_whole(&self) -> bool {
        self.findings.is_empty() && self.identity.is_ok()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.identity {
            Ok(identity) => {
                let Identity { node, tenant, incarnation, tail } = identity;
                writeln!(formatter, "{path}: tenant {tenant}, node {node}, incarnation {incarnation}, log {tail}")?;
            }
            Err(reason) => writeln!(formatter, "{path}: the identity is damaged: {reason}")?,
        }
        for file in &self.files {
            writeln!(formatter, "  {} {} bytes", file.path.display(), file.length)?;
        }
        if let Some(Cut { damage }) = &self.cut {
            let (file, offset, bytes) = (damage.file.display(), damage.offset, damage.bytes);
            writeln!(
                formatter,
                "unfinished, as after a crash; a start cuts it off: {file} at offset {offset} ({bytes} bytes)"
            )?;
        }
        for damage in &self.findings.named {
            writeln!(formatter, "damaged: {damage}")?;
        }
        let (files, records) = (self.files.len(), self.records);
        let places = match self.findings.count {
            0 => "nothing is damaged".to_owned(),
            1 => "1 place is damaged".to_owned(),
            count => format!("{count} places are damaged"),
        };
        writeln!(formatter, "{records} good records in {files} files; {places}.")
    }
}
