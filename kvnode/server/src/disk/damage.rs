//! What was found wrong in a data folder: where, how much, and in what way. Nothing is ever left out of a start without
//! one of these being named.

use std::fmt;
use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) file: PathBuf,
    /// Where it begins.
    pub(crate) offset: u64,
    /// How much of the file it takes. Zero where something is missing.
    pub(crate) bytes: u64,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The file's first bytes are not those of a file of this folder.
    FileHeader,
    /// Nothing can be told of these bytes, not even how many records they were.
    Unreadable,
    /// One record, whose place is known and whose bytes are not those that were written.
    Record { partition: u8 },
    /// A record whose bytes are those that were written, and which the store cannot read all the same.
    Meaning { partition: u8 },
    /// The file ends in the middle of a record.
    EndsInside,
    /// The file has no seal, so records may be missing at its end.
    Unsealed,
    /// The seal tells of another number of records than there are.
    Count { sealed: u64, found: u64 },
    /// Bytes behind the seal.
    BehindSeal,
    /// The file itself is not there, although the others say that there was one.
    Missing,
}

impl fmt::Display for What {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileHeader => formatter.write_str("the file's header is damaged"),
            Self::Unreadable => formatter.write_str("unreadable bytes"),
            Self::Record { partition } => write!(formatter, "a damaged record of partition {partition}"),
            Self::Meaning { partition } => write!(formatter, "a record of partition {partition} that means nothing"),
            Self::EndsInside => formatter.write_str("the file ends inside a record"),
            Self::Unsealed => formatter.write_str("the file ends before its seal"),
            Self::Count { sealed, found } => write!(formatter, "{sealed} records were sealed and {found} are there"),
            Self::BehindSeal => formatter.write_str("bytes behind the seal"),
            Self::Missing => formatter.write_str("the file is missing"),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at offset {}: {}", self.file.display(), self.offset, self.what)?;
        if self.bytes > 0 {
            write!(formatter, " ({} bytes)", self.bytes)?;
        }
        Ok(())
    }
}

/// Damages named one by one; beyond this they are only counted, so that a folder of rubbish fills no memory.
const NAMED_MAX: usize = 100;

/// All damage of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) named: Vec<Damage>,
    pub(crate) count: u64,
}

impl Findings {
    pub(super) fn add(&mut self, damage: Damage) {
        self.count += 1;
        if self.named.len() < NAMED_MAX {
            self.named.push(damage);
        }
    }

    pub(super) fn join(&mut self, other: Self) {
        self.count += other.count;
        self.named.extend(other.named);
        // Workers find damage side by side; it is told in the order of the files.
        self.named.sort_by(|left, right| (&left.file, left.offset).cmp(&(&right.file, right.offset)));
        self.named.truncate(NAMED_MAX);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }
}
