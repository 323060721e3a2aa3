//! What can be wrong with a command's arguments, in Redis' words.

use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionError<'a> {
    Syntax,
    NotAnInteger,
    NotAFloat,
    /// The one integer that has no opposite.
    DecrementOverflow,
    /// Carries the command's name.
    InvalidExpireTime(&'static str),
    UnsupportedExpireOption(&'a [u8]),
    ExpireNxWithOthers,
    ExpireGtWithLt,
    InvalidCursor,
    HelloVersionNotAnInteger,
    HelloVersionUnsupported,
    HelloOption(&'a [u8]),
    ClientName,
    ClientId,
    ClientIdToKill,
    ClientType(&'a [u8]),
    /// Carries the attribute's name.
    ClientAttribute(&'static str),
    UnknownClientAttribute(&'a [u8]),
}

impl OptionError<'_> {
    /// The error's text as it is sent, for [`Writer::error`](crate::resp::reply::Writer::error). Bytes, because it
    /// may quote an argument, and that need not be text.
    pub fn message(&self) -> Cow<'static, [u8]> {
        let quoting = |before: &str, quoted: &[u8], after: &str| {
            Cow::from([before.as_bytes(), until_nul(quoted), after.as_bytes()].concat())
        };
        let message = match self {
            Self::Syntax => "ERR syntax error",
            Self::NotAnInteger => "ERR value is not an integer or out of range",
            Self::NotAFloat => "ERR value is not a valid float",
            Self::DecrementOverflow => "ERR decrement would overflow",
            Self::ExpireNxWithOthers => "ERR NX and XX, GT or LT options at the same time are not compatible",
            Self::ExpireGtWithLt => "ERR GT and LT options at the same time are not compatible",
            Self::InvalidCursor => "ERR invalid cursor",
            Self::HelloVersionNotAnInteger => "ERR Protocol version is not an integer or out of range",
            Self::HelloVersionUnsupported => "NOPROTO unsupported protocol version",
            Self::ClientName => "ERR Client names cannot contain spaces, newlines or special characters.",
            Self::ClientId => "ERR Invalid client ID",
            Self::ClientIdToKill => "ERR client-id should be greater than 0",
            Self::InvalidExpireTime(command) => {
                return quoting("ERR invalid expire time in '", command.as_bytes(), "' command");
            }
            Self::UnsupportedExpireOption(option) => return quoting("ERR Unsupported option ", option, ""),
            Self::HelloOption(option) => return quoting("ERR Syntax error in HELLO option '", option, "'"),
            Self::ClientType(kind) => return quoting("ERR Unknown client type '", kind, "'"),
            Self::ClientAttribute(name) => {
                return quoting("ERR ", name.as_bytes(), " cannot contain spaces, newlines or special characters.");
            }
            Self::UnknownClientAttribute(name) => return quoting("ERR Unrecognized option '", name, "'"),
        };
        message.as_bytes().into()
    }
}

/// Redis quotes arguments as C strings.
pub(in crate::resp) fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == 0).next().unwrap_or_default()
}
