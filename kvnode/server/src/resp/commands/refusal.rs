//! Why no command is run, in Redis' words.

use std::borrow::Cow;

use super::table::Spec;
use crate::resp::options::until_nul;
use crate::resp::request::Arguments;

/// So much of an unknown name is shown, and of its arguments together.
const QUOTED_BYTES_MAX: usize = 128;

#[derive(Clone, Copy, Debug)]
pub enum Refusal<'a> {
    Unknown(Arguments<'a>),
    UnknownSubcommand {
        container: &'static Spec,
        given: &'a [u8],
    },
    Arity(&'static Spec),
    /// HTTP on this port. The connection is closed without an answer, because what comes next may be commands that
    /// someone hid in a request's body.
    ForeignProtocol,
}

impl Refusal<'_> {
    /// The error's text as it is sent, if anything is.
    pub fn message(&self) -> Option<Cow<'static, [u8]>> {
        match self {
            Self::Unknown(arguments) => Some(unknown(*arguments).into()),
            Self::UnknownSubcommand { container, given } => {
                let given = quotable(given, QUOTED_BYTES_MAX);
                let after = format!("'. Try {} HELP.", container.text.to_ascii_uppercase());
                Some([b"ERR unknown subcommand '", given, after.as_bytes()].concat().into())
            }
            Self::Arity(spec) => {
                let message = format!("ERR wrong number of arguments for '{}' command", spec.text);
                Some(message.into_bytes().into())
            }
            Self::ForeignProtocol => None,
        }
    }
}

/// The name, and of its arguments as many as there is room for.
fn unknown(arguments: Arguments<'_>) -> Vec<u8> {
    let name = quotable(arguments.get(0).unwrap_or_default(), QUOTED_BYTES_MAX);
    let mut quoted = Vec::new();
    for argument in arguments.from(1).iter() {
        // Quotes and blanks count too, so the last argument may go beyond the room by its own.
        let Some(room) = QUOTED_BYTES_MAX.checked_sub(quoted.len()).filter(|&room| room > 0) else { break };
        quoted.extend([b"'", quotable(argument, room), b"' "].concat());
    }
    [b"ERR unknown command '", name, b"', with args beginning with: ", &quoted].concat()
}

fn quotable(text: &[u8], bytes_max: usize) -> &[u8] {
    let text = until_nul(text);
    &text[..text.len().min(bytes_max)]
}

/// Why COMMAND GETKEYS names no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GetkeysRefusal {
    UnknownCommand,
    NoKeys,
    Arity,
}

impl GetkeysRefusal {
    pub fn message(self) -> &'static [u8] {
        match self {
            Self::UnknownCommand => b"ERR Invalid command specified",
            Self::NoKeys => b"ERR The command has no key arguments",
            Self::Arity => b"ERR Invalid number of arguments specified for command",
        }
    }
}
