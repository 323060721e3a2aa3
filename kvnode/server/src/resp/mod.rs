//! The Redis protocol as pure functions: bytes to arguments, arguments to a known command and its options, answers to
//! bytes. Nothing but `serving` knows the store, a connection or a clock. Where a rule or a sentence is Redis' own, it was
//! taken from the answers of a redis-server 7.0.15 and is the same byte for byte, unless a comment says where it is not.

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod any_bytes;
pub mod commands;
pub mod glob;
pub mod options;
pub mod reply;
pub mod request;
pub(crate) mod serving;
