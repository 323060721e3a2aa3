//! Reads a dump line by line. The first line that is not right ends it: what stands behind it cannot be trusted.

use thiserror::Error;

use super::chain::Chain;
use super::{EntryLine, FORM, FORMAT, Header, Trailer};

/// Far more than the names and numbers of a first line.
const HEADER_BYTES_MAX: usize = 4096;

/// How the last line begins, and no other.
const TRAILER_BEGINS: &[u8] = b"{\"end\":";

#[derive(Debug, Default)]
pub(crate) struct Reader {
    chain: Chain,
    lines: u64,
    entries: u64,
    ended: bool,
}

/// A line, whatever an entry's says.
#[derive(Debug)]
pub(crate) enum Passed {
    Header(Header),
    Entry,
    End,
}

#[derive(Debug)]
pub(crate) enum Line<'l> {
    Header(Header),
    Entry(EntryLine<'l>),
    End,
}

/// What is wrong with a line. Each is a sentence about it.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum LineError {
    #[error("It is not how a dump begins; give the whole of what 'kvnode ctl dump' or GET /admin/dump wrote.")]
    NoDump,
    #[error("It says that the dump has form {0}, and this version reads form {FORM}; use the version that wrote it.")]
    Form(u64),
    #[error("It does not follow from the lines before it: one of them was changed, left out or put in.")]
    Damaged,
    #[error("It cannot be understood: {reason}.")]
    Unreadable { reason: String },
    #[error("It stands behind the end of the dump; give one dump at a time.")]
    BehindEnd,
    #[error("It says that the dump has {told} entries, but {found} came.")]
    Count { told: u64, found: u64 },
}

impl Reader {
    /// The number of the line that was read last, counted from 1.
    pub(crate) fn line(&self) -> u64 {
        self.lines
    }

    /// Entries that have come.
    pub(crate) fn entries(&self) -> u64 {
        self.entries
    }

    /// Whether the last line has come, so that nothing is missing.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Takes the next line, without its line feed.
    pub(crate) fn read<'l>(&mut self, line: &'l [u8]) -> Result<Line<'l>, LineError> {
        Ok(match self.pass(line)? {
            Passed::Header(header) => Line::Header(header),
            Passed::End => Line::End,
            Passed::Entry => Line::Entry(EntryLine::read(line).map_err(|reason| LineError::Unreadable { reason })?),
        })
    }

    /// The same for whoever only hands it on: it is known to be whole, and not looked into.
    pub(crate) fn pass(&mut self, line: &[u8]) -> Result<Passed, LineError> {
        self.lines += 1;
        if self.ended {
            return Err(LineError::BehindEnd);
        }
        if self.lines == 1 {
            return self.pass_header(line).map(Passed::Header);
        }
        if !self.chain.goes_on_with(line) {
            return Err(LineError::Damaged);
        }
        if !line.starts_with(TRAILER_BEGINS) {
            self.entries += 1;
            return Ok(Passed::Entry);
        }
        let trailer: Trailer = serde_json::from_slice(line).map_err(unreadable)?;
        if trailer.entries != self.entries {
            return Err(LineError::Count { told: trailer.entries, found: self.entries });
        }
        self.ended = true;
        Ok(Passed::End)
    }

    /// Another form may have another checksum, so its number is looked at first.
    fn pass_header(&mut self, line: &[u8]) -> Result<Header, LineError> {
        if line.len() > HEADER_BYTES_MAX {
            return Err(LineError::NoDump);
        }
        let whole = self.chain.goes_on_with(line);
        let value: serde_json::Value = serde_json::from_slice(line).map_err(|_| LineError::NoDump)?;
        if value["format"] != FORMAT {
            return Err(LineError::NoDump);
        }
        match value["form"].as_u64() {
            Some(form) if form == u64::from(FORM) => {}
            Some(form) => return Err(LineError::Form(form)),
            None => return Err(LineError::NoDump),
        }
        if !whole {
            return Err(LineError::Damaged);
        }
        serde_json::from_value(value).map_err(unreadable)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where errors are mapped")]
fn unreadable(error: serde_json::Error) -> LineError {
    LineError::Unreadable { reason: error.to_string() }
}
