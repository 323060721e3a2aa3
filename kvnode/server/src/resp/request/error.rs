//! Why a connection cannot be read any further, in Redis' words where Redis has some.

use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    InvalidMultibulkLength,
    UnauthenticatedMultibulkLength,
    InvalidBulkLength,
    UnauthenticatedBulkLength,
    ExpectedBulk { got: u8 },
    CountLineTooLong,
    BulkLineTooLong,
    InlineTooLong,
    UnbalancedQuotes,
    CommandTooLong { bytes_max: u32 },
}

impl ProtocolError {
    /// A header that does not end, by the marker that should begin it.
    pub(super) fn too_long(marker: u8) -> Self {
        if marker == b'*' { Self::CountLineTooLong } else { Self::BulkLineTooLong }
    }

    /// The error's text as it is sent, for [`Writer::error`](crate::resp::reply::Writer::error). Bytes, because a
    /// stray byte is shown as it came.
    pub fn message(&self) -> Cow<'static, [u8]> {
        let message = match self {
            Self::InvalidMultibulkLength => "ERR Protocol error: invalid multibulk length",
            Self::UnauthenticatedMultibulkLength => "ERR Protocol error: unauthenticated multibulk length",
            Self::InvalidBulkLength => "ERR Protocol error: invalid bulk length",
            Self::UnauthenticatedBulkLength => "ERR Protocol error: unauthenticated bulk length",
            Self::CountLineTooLong => "ERR Protocol error: too big mbulk count string",
            Self::BulkLineTooLong => "ERR Protocol error: too big bulk count string",
            Self::InlineTooLong => "ERR Protocol error: too big inline request",
            Self::UnbalancedQuotes => "ERR Protocol error: unbalanced quotes in request",
            Self::ExpectedBulk { got } => {
                return [b"ERR Protocol error: expected '$', got '", std::slice::from_ref(got), b"'"].concat().into();
            }
            Self::CommandTooLong { bytes_max } => {
                let message = format!(
                    "ERR Protocol error: too big request, a command may have {bytes_max} bytes; send it in parts"
                );
                return message.into_bytes().into();
            }
        };
        message.as_bytes().into()
    }
}
