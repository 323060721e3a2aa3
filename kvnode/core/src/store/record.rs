//! What happened in a partition, each as its result and never as the question that led to it: whoever applies the
//! records of a partition in their order has the same partition, whatever the time, the limits and the lots were. They
//! are what a disk keeps and what a copy is sent.
//!
//! ```text
//! form 1 │ event and answer 1 │ clock 8 │ namespace 1 or 17 │ answer 32 or 40? │ version 8? │ entry or key
//! ```
//!
//! Bytes may come from a damaged disk: reading them never panics, and what is read is fit to be stored.

use thiserror::Error;

use super::answers::{Answer, AnswerKind, Idempotency};
use super::attributes::Version;
use super::entry::{EntryRef, VERSION_MAX, has_due, set_place};
use super::key::Namespace;
use crate::time::UnixMillis;

/// Of everything in a record, the form of an entry included. Another number is another form.
const FORM: u8 = 1;

/// A value, its key and tags, and what is said about them: far above any value that limits allow, far below what would
/// hurt to read.
pub const RECORD_BYTES_MAX: usize = 1 << 30;

#[derive(Clone, Copy, Debug)]
pub struct Record<'r> {
    /// The partition's clock. It never goes back, whatever the clock of the machine that reads this says.
    pub clock: UnixMillis,
    pub namespace: Namespace,
    pub event: Event<'r>,
    /// Kept for retries of the command that made this happen.
    pub answer: Option<Answer>,
}

#[derive(Clone, Copy, Debug)]
pub enum Event<'r> {
    /// What a key holds from here on; a tombstone where it holds nothing.
    Holds(EntryRef<'r>),
    /// A tombstone is gone. Keys of which nothing is known start above `floor`.
    Forgotten { key: &'r str, floor: Version },
    /// Everything in the namespace is gone, tombstones as well.
    Flushed { floor: Version },
    /// Nothing happened; keys of which nothing is known start above `floor` all the same.
    Floor(Version),
    /// Nothing happened but the answer, with the entry it has if it has one.
    Answered(Option<EntryRef<'r>>),
}

/// Why bytes are no record. Whoever read them knows where they came from, and says so.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RecordError {
    #[error("the record has form {0}; this version reads form {FORM}")]
    Form(u8),
    #[error("the record is damaged or cut short")]
    Malformed,
    #[error("the record's key belongs to another partition")]
    OtherPartition,
}

const HOLDS: u8 = 0;
const FORGOTTEN: u8 = 1;
const FLUSHED: u8 = 2;
const FLOOR: u8 = 3;
const ANSWERED: u8 = 4;

const ANSWER_SHIFT: u8 = 4;
const CREATED: u8 = 1;
const REPLACED: u8 = 2;
const DELETED: u8 = 3;
const ABSENT: u8 = 4;

const SHARED: u8 = 0;
const ACCOUNT: u8 = 1;
const SYSTEM: u8 = 2;

impl<'r> Record<'r> {
    /// Puts the record's bytes behind those that are there.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let event = match self.event {
            Event::Holds(_) => HOLDS,
            Event::Forgotten { .. } => FORGOTTEN,
            Event::Flushed { .. } => FLUSHED,
            Event::Floor(_) => FLOOR,
            Event::Answered(_) => ANSWERED,
        };
        let answer = match self.answer.map(|answer| answer.kind) {
            None => 0,
            Some(AnswerKind::Created) => CREATED,
            Some(AnswerKind::Replaced) => REPLACED,
            Some(AnswerKind::Deleted(_)) => DELETED,
            Some(AnswerKind::Absent) => ABSENT,
        };
        out.extend_from_slice(&[FORM, event | answer << ANSWER_SHIFT]);
        out.extend_from_slice(&self.clock.get().to_le_bytes());
        match self.namespace {
            Namespace::Shared => out.push(SHARED),
            Namespace::System => out.push(SYSTEM),
            Namespace::Account(account) => {
                out.push(ACCOUNT);
                out.extend_from_slice(&account.to_le_bytes());
            }
        }
        if let Some(Answer { idempotency, kind }) = self.answer {
            out.extend_from_slice(&idempotency.key.to_le_bytes());
            out.extend_from_slice(&idempotency.request.to_le_bytes());
            if let AnswerKind::Deleted(version) = kind {
                out.extend_from_slice(&version.get().to_le_bytes());
            }
        }
        match self.event {
            Event::Holds(entry) | Event::Answered(Some(entry)) => encode_entry(entry, out),
            Event::Answered(None) => {}
            Event::Forgotten { key, floor } => {
                out.extend_from_slice(&floor.get().to_le_bytes());
                out.extend_from_slice(key.as_bytes());
            }
            Event::Flushed { floor } | Event::Floor(floor) => out.extend_from_slice(&floor.get().to_le_bytes()),
        }
    }

    pub fn decode(bytes: &'r [u8]) -> Result<Self, RecordError> {
        let (&form, rest) = bytes.split_first().ok_or(RecordError::Malformed)?;
        if form != FORM {
            return Err(RecordError::Form(form));
        }
        if bytes.len() > RECORD_BYTES_MAX {
            return Err(RecordError::Malformed);
        }
        Reader(rest).record().filter(Self::agrees_with_itself).ok_or(RecordError::Malformed)
    }

    /// An answer speaks of the entry it comes with.
    fn agrees_with_itself(&self) -> bool {
        match (self.event, self.answer.map(|answer| answer.kind)) {
            (Event::Holds(entry), Some(AnswerKind::Deleted(version))) => {
                entry.is_tombstone() && entry.version() == version
            }
            (Event::Holds(entry) | Event::Answered(Some(entry)), Some(AnswerKind::Created | AnswerKind::Replaced)) => {
                !entry.is_tombstone()
            }
            (Event::Holds(_), None) | (Event::Answered(None), Some(AnswerKind::Deleted(_) | AnswerKind::Absent)) => {
                true
            }
            (Event::Holds(_) | Event::Answered(_), _) => false,
            (Event::Forgotten { .. } | Event::Flushed { .. } | Event::Floor(_), answer) => answer.is_none(),
        }
    }
}

/// As it lies in memory, but for its place among the deadlines.
fn encode_entry(entry: EntryRef<'_>, out: &mut Vec<u8>) {
    let at = out.len();
    out.extend_from_slice(entry.bytes());
    if has_due(entry.bytes()) {
        set_place(&mut out[at..], 0);
    }
}

/// What is left to be read.
struct Reader<'r>(&'r [u8]);

impl<'r> Reader<'r> {
    fn record(&mut self) -> Option<Record<'r>> {
        let tags = self.byte()?;
        let clock = UnixMillis::new(self.word()?);
        let namespace = match self.byte()? {
            SHARED => Namespace::Shared,
            SYSTEM => Namespace::System,
            ACCOUNT => Namespace::Account(self.long_word()?),
            _ => return None,
        };
        let answer = match tags >> ANSWER_SHIFT {
            0 => None,
            kind => {
                let idempotency = Idempotency { key: self.long_word()?, request: self.long_word()? };
                let kind = match kind {
                    CREATED => AnswerKind::Created,
                    REPLACED => AnswerKind::Replaced,
                    DELETED => AnswerKind::Deleted(self.version()?),
                    ABSENT => AnswerKind::Absent,
                    _ => return None,
                };
                Some(Answer { idempotency, kind })
            }
        };
        let event = match tags & ((1 << ANSWER_SHIFT) - 1) {
            HOLDS => Event::Holds(EntryRef::checked(self.rest())?),
            FORGOTTEN => {
                let floor = self.version()?;
                let key = std::str::from_utf8(self.rest()).ok().filter(|key| !key.is_empty())?;
                Event::Forgotten { key, floor }
            }
            FLUSHED => Event::Flushed { floor: self.version()? },
            FLOOR => Event::Floor(self.version()?),
            ANSWERED => match self.rest() {
                [] => Event::Answered(None),
                entry => Event::Answered(Some(EntryRef::checked(entry)?)),
            },
            _ => return None,
        };
        self.0.is_empty().then_some(Record { clock, namespace, event, answer })
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take().map(u8::from_le_bytes)
    }

    fn word(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn long_word(&mut self) -> Option<u128> {
        self.take().map(u128::from_le_bytes)
    }

    fn version(&mut self) -> Option<Version> {
        self.word().filter(|&version| version <= VERSION_MAX).map(Version::new)
    }

    fn rest(&mut self) -> &'r [u8] {
        std::mem::take(&mut self.0)
    }
}

/// The records of what happened since they were taken last, if anybody wants them. The memory for them is kept, so that
/// one more costs no allocation.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) wanted: bool,
    /// Each behind its length of four bytes.
    bytes: Vec<u8>,
}

impl Records {
    /// Memory that is kept for the next ones. What a large value took is given back.
    const KEPT_BYTES_MAX: usize = 1 << 16;

    pub(super) fn push(&mut self, record: &Record<'_>) {
        const LEN_BYTES: usize = 4;
        if !self.wanted {
            return;
        }
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; LEN_BYTES]);
        record.encode(&mut self.bytes);
        let len = u32::try_from(self.bytes.len() - at - LEN_BYTES).expect("a record is about as large as a value");
        self.bytes[at..at + LEN_BYTES].copy_from_slice(&len.to_le_bytes());
    }

    pub(super) fn take(&mut self, mut each: impl FnMut(&[u8])) {
        let mut rest = &self.bytes[..];
        while let Some((len, behind)) = rest.split_first_chunk() {
            let (record, behind) = behind.split_at(u32::from_le_bytes(*len) as usize);
            each(record);
            rest = behind;
        }
        self.bytes.clear();
        self.bytes.shrink_to(Self::KEPT_BYTES_MAX);
    }
}
