//! The checksum that binds each line to all lines before it.

use crc32fast::Hasher;

/// What stands between a line's members and its checksum.
const BEFORE: &[u8] = b",\"crc\":\"";
const DIGITS: usize = 8;
const AFTER: &[u8] = b"\"}";

/// As far as a dump was written or read.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain(Hasher);

impl Chain {
    /// Ends a line whose object begins at `from` and lacks its last brace.
    pub(super) fn close(&mut self, text: &mut Vec<u8>, from: usize) {
        self.0.update(&text[from..]);
        let end = text.len();
        text.extend_from_slice(BEFORE);
        text.extend_from_slice(self.digits().as_bytes());
        text.extend_from_slice(AFTER);
        text.push(b'\n');
        self.0.update(&text[end..]);
    }

    /// Whether this is the next line, given without its line feed. If it is not, nothing behind it can be.
    pub(super) fn goes_on_with(&mut self, line: &[u8]) -> bool {
        let Some(members) = line.len().checked_sub(BEFORE.len() + DIGITS + AFTER.len()) else { return false };
        let (members, tail) = line.split_at(members);
        self.0.update(members);
        let expected = [BEFORE, self.digits().as_bytes(), AFTER].concat();
        self.0.update(tail);
        self.0.update(b"\n");
        tail == expected
    }

    fn digits(&self) -> String {
        format!("{:08x}", self.0.clone().finalize())
    }
}
