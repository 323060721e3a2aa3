//! Times to live as clients state them: how long from now or until when, in seconds or milliseconds.

use super::{OptionError, is, number};

/// A time from now must not leave the calendar when it is added to the present. Redis subtracts the present moment
/// itself; we have no clock here and keep 139 years free instead, which is a difference 292 million years away.
const RELATIVE_MS_MAX: i64 = i64::MAX - (1 << 42);

const MS_PER_SECOND: i64 = 1000;

/// The unit and the origin of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// EX, EXPIRE, SETEX
    Seconds,
    /// PX, PEXPIRE, PSETEX
    Milliseconds,
    /// EXAT, EXPIREAT
    AtSeconds,
    /// PXAT, PEXPIREAT
    AtMilliseconds,
}

/// When an entry ends, in milliseconds. What lies in the past ends at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    In(i64),
    /// Since 1970.
    At(i64),
}

impl Form {
    /// The form an option of SET or GETEX asks for.
    pub(super) fn of_option(word: &[u8]) -> Option<Self> {
        [("EX", Self::Seconds), ("PX", Self::Milliseconds), ("EXAT", Self::AtSeconds), ("PXAT", Self::AtMilliseconds)]
            .into_iter()
            .find_map(|(name, form)| is(word, name).then_some(form))
    }

    /// The end of an entry that is being written: never in the past as far as that can be said without a clock.
    pub fn of_entry<'a>(self, text: &[u8], command: &'static str) -> Result<Expiry, OptionError<'a>> {
        match number::integer(text)? {
            number if number > 0 => self.expiry(number, command),
            _ => Err(OptionError::InvalidExpireTime(command)),
        }
    }

    /// Any number that does not leave the calendar.
    pub(super) fn expiry<'a>(self, number: i64, command: &'static str) -> Result<Expiry, OptionError<'a>> {
        let invalid = OptionError::InvalidExpireTime(command);
        let milliseconds = match self {
            Self::Seconds | Self::AtSeconds => number.checked_mul(MS_PER_SECOND).ok_or(invalid)?,
            Self::Milliseconds | Self::AtMilliseconds => number,
        };
        match self {
            Self::AtSeconds | Self::AtMilliseconds => Ok(Expiry::At(milliseconds)),
            Self::Seconds | Self::Milliseconds if milliseconds <= RELATIVE_MS_MAX => Ok(Expiry::In(milliseconds)),
            Self::Seconds | Self::Milliseconds => Err(invalid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SETEX and PSETEX; asked of redis-server 7.0.15.
    #[test]
    fn an_entry_cannot_be_written_to_end_at_once_or_after_all_time() {
        let refused = |command| Err(OptionError::InvalidExpireTime(command));
        assert_eq!(Form::Seconds.of_entry(b"10", "setex"), Ok(Expiry::In(10_000)));
        assert_eq!(Form::Seconds.of_entry(b"0", "setex"), refused("setex"));
        assert_eq!(Form::Seconds.of_entry(b"9223372036854775807", "setex"), refused("setex"));
        assert_eq!(Form::Seconds.of_entry(b"9223372036854775", "setex"), refused("setex"));
        assert_eq!(Form::Milliseconds.of_entry(b"0", "psetex"), refused("psetex"));
        assert_eq!(Form::Milliseconds.of_entry(b"9223372036854775807", "psetex"), refused("psetex"));
        assert_eq!(Form::Seconds.of_entry(b"abc", "setex"), Err(OptionError::NotAnInteger));
    }
}
