//! Who is calling: names, passwords, tokens and API keys, as values and rules. Nothing in here stores an account or
//! knows a protocol, and no secret in here has a text form that a log or an error could show.

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod any_bytes;
pub mod api_key;
pub mod entropy;
pub mod hashing;
mod hs256;
pub mod names;
pub mod password;
pub mod rate;
pub mod revocations;
pub mod token;
pub mod token_cache;
pub mod token_keys;

#[cfg(test)]
mod secrecy;
