//! The group's log and vote, in memory and on the disk. Both are small: roles change seldom, and what the changes have led
//! to takes their place now and then.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs::{self, File};
use std::io;
use std::ops::RangeBounds;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use openraft::storage::{LogFlushed, LogState, RaftLogStorage};
use openraft::{OptionalSend, RaftLogReader};

use super::files::{self, GroupFileError};
use super::{Entry, LogId, StorageError, StorageIoError, Types, Vote};

const VOTE: &str = "vote";
const LOG: &str = "log";

#[derive(Clone, Debug)]
pub(super) struct Log(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    folder: PathBuf,
    vote: Option<Vote>,
    /// Up to here entries were let go.
    purged: Option<LogId>,
    entries: BTreeMap<u64, Entry>,
    file: File,
}

impl Log {
    /// With what is in this folder, which is made if it is not there.
    pub(super) fn open(folder: &Path) -> Result<Self, GroupFileError> {
        let path = folder.join(LOG);
        let unusable = |reason| GroupFileError::Unusable { path: path.clone(), reason };
        fs::create_dir_all(folder).map_err(unusable)?;
        let vote = files::read_one(&folder.join(VOTE))?;
        let (pieces, length) = files::read(&path)?;
        let mut pieces = pieces.iter();
        let purged = pieces.next().map(|first| files::decode(&path, first)).transpose()?.flatten();
        let mut entries = BTreeMap::new();
        for piece in pieces {
            let entry: Entry = files::decode(&path, piece)?;
            entries.insert(entry.log_id.index, entry);
        }
        if length == 0 {
            files::write_one(&path, &None::<LogId>).map_err(unusable)?;
        }
        let file = open(&path).map_err(unusable)?;
        if length > 0 {
            // What a crash has cut short was never relied on.
            file.set_len(length).and_then(|()| file.sync_all()).map_err(unusable)?;
        }
        let kept = Kept { folder: folder.to_owned(), vote, purged, entries, file };
        Ok(Self(Arc::new(Mutex::new(kept))))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().expect("a panic ends the process")
    }
}

fn open(path: &Path) -> io::Result<File> {
    File::options().append(true).open(path)
}

impl Kept {
    /// Writes all of it anew.
    fn rewrite(&mut self) -> io::Result<()> {
        let path = self.folder.join(LOG);
        let mut bytes = files::piece(&self.purged);
        self.entries.values().for_each(|entry| bytes.extend(files::piece(entry)));
        crate::disk::write_whole(&path, &bytes)?;
        self.file = open(&path)?;
        Ok(())
    }

    fn append(&mut self, entries: Vec<Entry>) -> io::Result<()> {
        let pieces: Vec<u8> = entries.iter().flat_map(files::piece).collect();
        files::append(&mut self.file, &pieces)?;
        self.entries.extend(entries.into_iter().map(|entry| (entry.log_id.index, entry)));
        Ok(())
    }
}

fn unwritten(error: &io::Error) -> StorageError {
    StorageIoError::write_logs(error).into()
}

impl RaftLogReader<Types> for Log {
    async fn try_get_log_entries<R>(&mut self, range: R) -> Result<Vec<Entry>, StorageError>
    where
        R: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        Ok(self.kept().entries.range(range).map(|(_, entry)| entry.clone()).collect())
    }
}

impl RaftLogStorage<Types> for Log {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, StorageError> {
        let kept = self.kept();
        let last = kept.entries.values().next_back().map(|entry| entry.log_id);
        Ok(LogState { last_purged_log_id: kept.purged, last_log_id: last.or(kept.purged) })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        let mut kept = self.kept();
        let path = kept.folder.join(VOTE);
        files::write_one(&path, vote).map_err(|error| StorageIoError::write_vote(&error))?;
        kept.vote = Some(*vote);
        Ok(())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        Ok(self.kept().vote)
    }

    async fn append<I>(&mut self, entries: I, callback: LogFlushed<Types>) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let appended = self.kept().append(entries.into_iter().collect());
        appended.map_err(|error| unwritten(&error))?;
        callback.log_io_completed(Ok(()));
        Ok(())
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError> {
        let mut kept = self.kept();
        kept.entries.split_off(&log_id.index);
        kept.rewrite().map_err(|error| unwritten(&error))
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError> {
        let mut kept = self.kept();
        kept.entries = kept.entries.split_off(&(log_id.index + 1));
        kept.purged = Some(log_id);
        kept.rewrite().map_err(|error| unwritten(&error))
    }
}
