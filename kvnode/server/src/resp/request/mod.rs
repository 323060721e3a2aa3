//! Bytes of a connection to commands, without copying: a command is a list of places in the caller's buffer. What has
//! been understood of an unfinished command is kept, so that each byte is looked at once however it arrives.

mod arena;
mod bounds;
mod error;
mod header;
mod inline;
#[cfg(test)]
mod properties;
#[cfg(test)]
pub(super) mod sample;
#[cfg(test)]
mod tests;

pub use arena::{Arena, Arguments, Request};
pub use bounds::Bounds;
pub use error::ProtocolError;

use arena::{SPANS_KEPT_MAX, Source, Span};
use header::{Header, LINE_BYTES_MAX};

/// A carriage return and a line feed. Redis reads over them without looking, and so do we: a client that relies on it
/// works with either.
const LINE_END_BYTES: usize = 2;

/// What became of the bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A whole command. It may have no arguments (`*0`, a blank line): then there is nothing to answer.
    Complete(Request),
    /// Not before this many more bytes is there anything to be found out. The number comes from the client: wait for
    /// it, never reserve it.
    Incomplete { more: usize },
    /// The connection has lost its place. It is told so and closed.
    Broken(ProtocolError),
}

/// Reads the commands of one connection, one after the other.
#[derive(Debug, Default)]
pub struct Reader {
    unfinished: Unfinished,
    /// The arguments of the unfinished command. They live here and not in the arena because the caller empties the
    /// arena between reads; moving them back and forth would be quadratic in the number of arguments.
    spans: Vec<Span>,
}

/// How far the unfinished command is understood; all places count from its first byte.
#[derive(Clone, Copy, Debug, Default)]
struct Unfinished {
    /// Where the next header begins. Zero: not even the first line has been read.
    at: usize,
    arguments_left: u32,
    /// Up to here no end of the current line was found.
    scanned: usize,
    /// With fewer bytes than this, nothing new can be found out.
    needed: usize,
}

impl Reader {
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the command that begins at `start`. Between an `Incomplete` and the next call the buffer may grow and its
    /// beginning may be dropped, as long as `start` keeps pointing at the same command.
    pub fn read(&mut self, buffer: &[u8], start: usize, bounds: &Bounds, arena: &mut Arena) -> Parsed {
        let bytes = buffer.get(start..).unwrap_or_default();
        if bytes.len() < self.unfinished.needed {
            return Parsed::Incomplete { more: self.unfinished.needed - bytes.len() };
        }
        match bytes.first() {
            None => Parsed::Incomplete { more: 1 },
            Some(b'*') => self.read_array(bytes, start, bounds, arena),
            Some(_) => self.read_inline(bytes, start, arena),
        }
    }

    fn read_array(&mut self, bytes: &[u8], start: usize, bounds: &Bounds, arena: &mut Arena) -> Parsed {
        let first = arena.spans.len();
        let resumed = self.unfinished.at > 0;
        let spans = if resumed { &mut self.spans } else { &mut arena.spans };
        match self.unfinished.walk(bytes, bounds, spans) {
            Ok(Walk::End) => {
                let end = start + self.unfinished.at;
                self.unfinished = Unfinished::default();
                if resumed {
                    arena.spans.append(&mut self.spans);
                    self.spans.shrink_to(SPANS_KEPT_MAX);
                }
                Parsed::Complete(Request::new(Source::Buffer { start }, first..arena.spans.len(), end))
            }
            Ok(Walk::Starved) => {
                if !resumed {
                    self.spans.extend(arena.spans.drain(first..));
                }
                Parsed::Incomplete { more: self.unfinished.needed - bytes.len() }
            }
            Err(error) => {
                arena.spans.truncate(first);
                *self = Self::default();
                Parsed::Broken(error)
            }
        }
    }

    fn read_inline(&mut self, bytes: &[u8], start: usize, arena: &mut Arena) -> Parsed {
        let scanned = self.unfinished.scanned;
        let window = &bytes[..bytes.len().min(LINE_BYTES_MAX + 1)];
        let Some(length) = window[scanned..].iter().position(|&byte| byte == b'\n') else {
            if bytes.len() > LINE_BYTES_MAX {
                self.unfinished = Unfinished::default();
                return Parsed::Broken(ProtocolError::InlineTooLong);
            }
            self.unfinished.scanned = bytes.len();
            self.unfinished.needed = bytes.len() + 1;
            return Parsed::Incomplete { more: 1 };
        };
        self.unfinished = Unfinished::default();
        let line = &bytes[..scanned + length];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match inline::split(line, arena) {
            Ok((source, spans)) => Parsed::Complete(Request::new(source, spans, start + scanned + length + 1)),
            Err(error) => Parsed::Broken(error),
        }
    }
}

enum Walk {
    End,
    /// `needed` says how many bytes must be there before it is worth going on.
    Starved,
}

impl Unfinished {
    /// Goes from header to header until the command ends or the bytes do.
    fn walk(&mut self, bytes: &[u8], bounds: &Bounds, spans: &mut Vec<Span>) -> Result<Walk, ProtocolError> {
        if self.at == 0 {
            let Some((count, length)) = self.line(bytes, b'*')? else { return Ok(Walk::Starved) };
            self.arguments_left = bounds.check_count(count)?;
            self.at = length;
        }
        while self.arguments_left > 0 {
            let Some((length, header_length)) = self.line(bytes, b'$')? else { return Ok(Walk::Starved) };
            let start = self.at + header_length;
            let length = bounds.check_bulk(length, start)?;
            let end = start + length + LINE_END_BYTES;
            if bytes.len() < end {
                self.needed = end;
                return Ok(Walk::Starved);
            }
            spans.push(Span::new(start, length));
            self.at = end;
            self.arguments_left -= 1;
        }
        Ok(Walk::End)
    }

    /// The number on the header at `at` and the header's length; nothing when it has not arrived.
    #[inline]
    fn line(&mut self, bytes: &[u8], marker: u8) -> Result<Option<(Option<i64>, usize)>, ProtocolError> {
        let header = &bytes[self.at..];
        if let Some((number, length)) = header::quick(header, marker) {
            return Ok(Some((Some(number), length)));
        }
        match header::careful(header, marker, self.scanned.saturating_sub(self.at))? {
            Header::Complete { number, length } => Ok(Some((number, length))),
            Header::Incomplete { scanned, more } => {
                self.scanned = self.at + scanned;
                self.needed = bytes.len() + more;
                Ok(None)
            }
        }
    }
}
