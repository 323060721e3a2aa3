//! Why a command was not done, as a client is told.

use std::borrow::Cow;

use kvnode_core::store::change::ChangeError;
use kvnode_core::store::limits::InputError;
use kvnode_core::store::outcome::Refusal;

use crate::resp::commands::{self, GetkeysRefusal};
use crate::resp::options::OptionError;

#[derive(Debug)]
pub(super) enum Failure<'a> {
    /// No such command, or not with so many arguments.
    Command(commands::Refusal<'a>),
    Options(OptionError<'a>),
    /// A key or value that cannot be stored.
    Input(InputError),
    KeyNotText,
    Store(Refusal),
    Getkeys(GetkeysRefusal),
    /// The whole message, its code first.
    Said(&'static str),
    Told(String),
}

impl Failure<'_> {
    /// Nothing for the one failure that is answered with silence.
    pub(super) fn message(&self) -> Option<Cow<'static, [u8]>> {
        Some(match self {
            Self::Command(refusal) => return refusal.message(),
            Self::Options(error) => error.message(),
            Self::Input(error) => format!("ERR {error}").into_bytes().into(),
            Self::KeyNotText => Cow::Borrowed(b"ERR The key is not UTF-8; keys are text."),
            Self::Store(refusal) => of_store(refusal),
            Self::Getkeys(refusal) => refusal.message().into(),
            Self::Said(message) => message.as_bytes().into(),
            Self::Told(message) => message.clone().into_bytes().into(),
        })
    }
}

/// Redis' words where Redis has some. A failed condition has none: each command that has conditions answers it.
fn of_store(refusal: &Refusal) -> Cow<'static, [u8]> {
    let message = match refusal {
        Refusal::MemoryFull { .. } => "OOM command not allowed when used memory > 'maxmemory'.",
        Refusal::Change(ChangeError::NotAnInteger) => "ERR value is not an integer or out of range",
        Refusal::Change(ChangeError::Overflow) => "ERR increment or decrement would overflow",
        Refusal::Change(ChangeError::NotAFloat) => "ERR value is not a valid float",
        Refusal::Change(ChangeError::NotFinite) => "ERR increment would produce NaN or Infinity",
        Refusal::Change(ChangeError::Limit(InputError::ValueTooLarge { .. })) => {
            "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
        }
        Refusal::NotServed => "TRYAGAIN The key is not served by this node at the moment, and nothing was done",
        Refusal::Change(_)
        | Refusal::VersionMismatch { .. }
        | Refusal::QuotaExceeded(_)
        | Refusal::IdempotencyKeyReused
        | Refusal::AnswersFull { .. } => return format!("ERR {refusal}").into_bytes().into(),
    };
    message.as_bytes().into()
}

impl From<InputError> for Failure<'_> {
    fn from(error: InputError) -> Self {
        Self::Input(error)
    }
}

impl From<Refusal> for Failure<'_> {
    fn from(refusal: Refusal) -> Self {
        Self::Store(refusal)
    }
}

impl<'a> From<OptionError<'a>> for Failure<'a> {
    fn from(error: OptionError<'a>) -> Self {
        Self::Options(error)
    }
}
