//! What the store answers. A protocol turns each case into its own words and codes, and has no case to add.

use thiserror::Error;

use super::attributes::Version;
use super::change::ChangeError;
use super::condition::Condition;
use super::cursor::Cursor;
use super::entry::{Entry, EntryRef};
use super::key::Namespace;
use super::usage::QuotaExceeded;

/// The answer to a command about one key. Under the partition's lock the entry is a view into it; [`own`] makes an
/// answer of it that can leave.
pub type Outcome<E = Entry> = Result<Reply<E>, Refusal>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply<E = Entry> {
    /// The entry a get found, or one that is as new as what was to be put back, or newer, and so was left as it is.
    Found(E),
    /// There is no live entry; after a put back, because the time of what was to be put back is over.
    Absent,
    Stored {
        entry: E,
        /// Whether there was no live entry before.
        created: bool,
        /// The content before, if the command asked for it and there was one.
        previous: Option<Box<[u8]>>,
    },
    /// The entry is gone, and its key's next version is above this one.
    Deleted { version: Version, previous: Option<Box<[u8]>> },
}

/// The answer to a question about all keys of a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gathered {
    Keys(KeyPage),
    Sorted(SortedPage),
    Count(u64),
    /// How many entries are gone.
    Flushed(u64),
}

/// A page in the order of [`Cursor`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPage {
    pub keys: Vec<Box<str>>,
    /// Where the next page begins; none when this page is the last.
    pub next: Option<Cursor>,
}

/// A page in the order of the keys' bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SortedPage {
    pub keys: Vec<Box<str>>,
    /// All keys that were asked for, on this page or not.
    pub total: u64,
}

/// Why a write was not done. Nothing of it happened, and no version was used up.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    #[error("Expected {expected}, actual {actual}")]
    VersionMismatch {
        expected: Condition,
        actual: Version,
        /// The present content, if the command asked for the one before and there is one.
        previous: Option<Box<[u8]>>,
    },
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error(
        "Memory is full: {needed} bytes more are needed, and {used} of {limit} bytes are in use. \
         Delete keys, or raise the memory limit."
    )]
    MemoryFull {
        needed: u64,
        used: u64,
        limit: u64,
        /// Whether the write would have created the entry.
        creating: bool,
    },
    #[error(transparent)]
    QuotaExceeded(#[from] QuotaExceeded),
    #[error("The idempotency key was used for another request before; a new request needs a new key.")]
    IdempotencyKeyReused,
    #[error(
        "{used} of {limit} bytes for the answers of requests with idempotency keys are in use, so that no more of them \
         can be kept. Nothing was done; try again in a few minutes, or without a key."
    )]
    AnswersFull { used: u64, limit: u64 },
    #[error("The key is not served by this node at the moment, and nothing was done; try again.")]
    NotServed,
}

/// An answer that does not borrow from the store.
pub fn own(outcome: Outcome<EntryRef<'_>>, namespace: Namespace) -> Outcome {
    Ok(match outcome? {
        Reply::Found(entry) => Reply::Found(entry.to_entry(namespace)),
        Reply::Absent => Reply::Absent,
        Reply::Stored { entry, created, previous } => {
            Reply::Stored { entry: entry.to_entry(namespace), created, previous }
        }
        Reply::Deleted { version, previous } => Reply::Deleted { version, previous },
    })
}
