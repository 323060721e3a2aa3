//! How much one command may announce. The array's count and each bulk's length are judged before any of what they
//! announce has arrived.

use super::LINE_END_BYTES;
use super::error::ProtocolError;

/// Redis takes more (2^31 since 7.0), but its own clients were made for this older bound, and an argument costs
/// us eight bytes even when it is empty.
const ARGUMENTS_MAX: u32 = 1024 * 1024;

/// A stranger needs no more to say who they are (Redis' own bounds).
const STRANGER_ARGUMENTS_MAX: u32 = 10;
const STRANGER_BULK_BYTES_MAX: u32 = 16 * 1024;

/// How many of the largest values one command may carry. Without a bound on the whole, a million arguments of the
/// largest size would be one legal command.
const LARGEST_VALUES_PER_COMMAND: u32 = 16;

/// What an argument may have beyond the largest value, so that a value a little too large is answered with a sentence
/// about values and not with a closed connection.
const BULK_SLACK_BYTES: u32 = 64 * 1024;

/// Bounds change with AUTH, so a caller must not read ahead of the answer to it: the next command would be judged by
/// the bounds for strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub arguments_max: u32,
    pub bulk_bytes_max: u32,
    /// From the first byte of the command to its last.
    pub command_bytes_max: u32,
    pub authenticated: bool,
}

impl Bounds {
    /// For connections that may use the store.
    pub fn for_values_of(value_bytes_max: u32) -> Self {
        let bulk_bytes_max = value_bytes_max.saturating_add(BULK_SLACK_BYTES);
        Self {
            arguments_max: ARGUMENTS_MAX,
            bulk_bytes_max,
            command_bytes_max: bulk_bytes_max.saturating_mul(LARGEST_VALUES_PER_COMMAND),
            authenticated: true,
        }
    }

    /// The same before AUTH.
    #[must_use]
    pub fn for_strangers(self) -> Self {
        Self { authenticated: false, ..self }
    }

    /// Redis reads an array of fewer than one argument as nothing at all.
    pub(super) fn check_count(&self, count: Option<i64>) -> Result<u32, ProtocolError> {
        let count = count.ok_or(ProtocolError::InvalidMultibulkLength)?;
        let count = u32::try_from(count.max(0)).map_err(|_| ProtocolError::InvalidMultibulkLength)?;
        if count > self.arguments_max {
            return Err(ProtocolError::InvalidMultibulkLength);
        }
        if !self.authenticated && count > STRANGER_ARGUMENTS_MAX {
            return Err(ProtocolError::UnauthenticatedMultibulkLength);
        }
        Ok(count)
    }

    /// `start` is where the argument begins, counted from the command's first byte.
    pub(super) fn check_bulk(&self, length: Option<i64>, start: usize) -> Result<usize, ProtocolError> {
        let length = length.and_then(|length| u32::try_from(length).ok()).ok_or(ProtocolError::InvalidBulkLength)?;
        if length > self.bulk_bytes_max {
            return Err(ProtocolError::InvalidBulkLength);
        }
        if !self.authenticated && length > STRANGER_BULK_BYTES_MAX {
            return Err(ProtocolError::UnauthenticatedBulkLength);
        }
        let length = length as usize;
        if start + length + LINE_END_BYTES > self.command_bytes_max as usize {
            return Err(ProtocolError::CommandTooLong { bytes_max: self.command_bytes_max });
        }
        Ok(length)
    }
}
