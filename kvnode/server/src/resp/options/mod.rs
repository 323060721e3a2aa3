//! What stands behind a command's name, as plain values. One file per family of commands; each refuses what Redis
//! refuses, in the same order and the same words.

pub mod client;
pub mod command_list;
mod error;
pub mod expire;
pub mod expiry;
pub mod getex;
pub mod hello;
pub mod number;
pub mod scan;
pub mod set;

pub use error::OptionError;
pub(super) use error::until_nul;

/// Whether an argument is this word, which is given in capitals.
fn is(argument: &[u8], word: &str) -> bool {
    argument.eq_ignore_ascii_case(word.as_bytes())
}
