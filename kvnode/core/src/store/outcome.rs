//! What the store answers. A protocol turns each case into its own words and codes, and has no case to add.

use std::sync::Arc;

use thiserror::Error;

use super::attributes::Version;
use super::condition::Condition;
use super::entry::Entry;
use super::key::Key;

pub type Outcome = Result<Reply, Refusal>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The entry a get found. It is shared, not copied: it stays as it was when the lock was held.
    Found(Arc<Entry>),
    /// There is no live entry.
    Absent,
    Stored {
        entry: Arc<Entry>,
        /// Whether there was no live entry before.
        created: bool,
    },
    /// The entry is gone, and its key's next version is above this one.
    Deleted {
        version: Version,
    },
    Keys(KeyPage),
    Count(u64),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPage {
    pub keys: Vec<Box<str>>,
    /// The cursor of the next page; none when this page is the last.
    pub next: Option<Box<str>>,
}

/// Why a write was not done. Nothing of it happened, and no version was used up.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    #[error("Version mismatch for key '{}'. Expected {expected}, actual {actual}.", key.as_str())]
    VersionMismatch { key: Key, expected: Condition, actual: Version },
    #[error(
        "Memory is full: key '{}' needs {needed} bytes more, and {used} of {limit} bytes are in use. \
         Delete keys, or raise the memory limit.", key.as_str()
    )]
    MemoryFull {
        key: Key,
        needed: u64,
        used: u64,
        limit: u64,
        /// Whether the write would have created the entry.
        creating: bool,
    },
}
