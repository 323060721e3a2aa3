//! One header line of an array or of a bulk string: a marker, a number, a line end. First the way nearly every header
//! goes, then all others as Redis judges them.

use super::LINE_END_BYTES;
use super::error::ProtocolError;
use crate::resp::options::number;

/// Redis gives up on a line that has not ended within so many bytes, be it a header or an inline command.
pub(super) const LINE_BYTES_MAX: usize = 64 * 1024;

/// No number of more digits is within any bound, so the quick look need not know overflow.
const QUICK_DIGITS_MAX: usize = 10;

pub(super) enum Header {
    /// No number: what stands there is none, or is not written as Redis wants it.
    Complete { number: Option<i64>, length: usize },
    /// No carriage return among the first `scanned` bytes; `more` must arrive before looking again.
    Incomplete { scanned: usize, more: usize },
}

/// A header that is complete and a plain number; everything else is nothing, and is for [`careful`].
#[inline]
pub(super) fn quick(bytes: &[u8], marker: u8) -> Option<(i64, usize)> {
    let (&first, rest) = bytes.split_first()?;
    if first != marker {
        return None;
    }
    let mut number = 0;
    for (digits, &byte) in rest.iter().take(QUICK_DIGITS_MAX + 1).enumerate() {
        match byte {
            b'0'..=b'9' => number = number * 10 + i64::from(byte - b'0'),
            b'\r' => {
                let written_plainly = digits == 1 || (digits > 1 && rest[0] != b'0');
                let length = 1 + digits + LINE_END_BYTES;
                return (written_plainly && length <= bytes.len()).then_some((number, length));
            }
            _ => return None,
        }
    }
    None
}

/// Looks for the end from `scanned` on, where the last look ended.
#[cold]
pub(super) fn careful(bytes: &[u8], marker: u8, scanned: usize) -> Result<Header, ProtocolError> {
    let window = &bytes[..bytes.len().min(LINE_BYTES_MAX + 1)];
    let Some(end) = window[scanned..].iter().position(|&byte| byte == b'\r').map(|place| scanned + place) else {
        if bytes.len() > LINE_BYTES_MAX {
            return Err(ProtocolError::too_long(marker));
        }
        return Ok(Header::Incomplete { scanned: bytes.len(), more: LINE_END_BYTES });
    };
    let length = end + LINE_END_BYTES;
    if bytes.len() < length {
        return Ok(Header::Incomplete { scanned: end, more: length - bytes.len() });
    }
    // Only now, as Redis does it: a client that sent half a line may still send the other half.
    if bytes[0] != marker {
        return Err(ProtocolError::ExpectedBulk { got: bytes[0] });
    }
    Ok(Header::Complete { number: number::parse(&bytes[1..end]), length })
}
