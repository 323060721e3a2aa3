//! Leases: a primary serves only while it may be sure that nobody else does (R5, R6). Time alone connects the two sides,
//! so each counts in the direction that is safe for it: the holder from before it asked, the grantor from after it has
//! granted and a margin more, which covers clocks that differ in pace.

mod grantor;
mod holder;

pub use grantor::{Grantor, NoGrant};
pub use holder::Holder;

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A primary that cannot reach the leader stops serving after this time, and another takes its place a little later.
pub const LEASE: Duration = Duration::from_millis(1000);

/// Clocks may go up to 2 % too fast or too slow, which is forty times what those of machines do.
pub const MARGIN: Duration = Duration::from_millis(50);

/// A leader that has not heard of a majority for so long may have been replaced, and grants nothing.
pub const QUORUM_AGE_MAX: Duration = LEASE.checked_div(2).expect("two is not zero");

/// Which request a grant answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Nonce(u64);

/// What a leader tells whoever asked for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub nonce: Nonce,
    /// From when the request was sent.
    pub lasts: Duration,
    /// What the leader had applied of the configuration: who does not know as much does not know what it may do.
    pub configuration: u64,
}

#[cfg(test)]
mod tests;
