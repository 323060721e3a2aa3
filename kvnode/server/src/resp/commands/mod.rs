//! Every command there is, what it is called, what it needs to be told, and what COMMAND says of it.

mod describe;
mod hash;
mod lookup;
mod properties;
#[cfg(test)]
mod redis_tests;
mod refusal;
mod table;

pub use describe::{count, docs, help, info, keys_of, names};
pub use lookup::{find, find_by_full_name};
pub use properties::{Categories, Flags, KeyPositions};
pub use refusal::{GetkeysRefusal, Refusal};
pub use table::{Name, Spec};
