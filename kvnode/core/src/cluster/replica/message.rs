//! What members say to each other about one partition. Each is sent by one member to another and means nothing to any
//! other life of either (R2); whoever delivers it has seen to that.

use serde::{Deserialize, Serialize};

use super::log::{Entry, Position};
use crate::cluster::configuration::Epoch;

/// From one primary to one backup. It is begun once, by a seal or an invitation, and all that is said in it comes in its
/// order: what belongs to an earlier one comes too late (R12, R13).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stream {
    pub epoch: Epoch,
    /// The primary counts the streams that it begins.
    pub number: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub stream: Stream,
    pub word: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    /// From the primary, to whoever is in sync: this is all that is not surely everybody's. It makes its log the same,
    /// and follows the stream from then on (R12).
    Seal { after: Position, tail: Vec<Entry> },
    /// From the primary, to whoever joins: what have you got (R13)?
    Invite,
    /// From a joiner: everything up to here, and nothing more; or nothing that is of use.
    Offer { has: Option<Position> },
    /// From the primary: what you have is of no use. Forget it; rows come, and the records behind this.
    Begin { behind: Position },
    /// From the primary: some rows, as they are when everything up to here has happened.
    Rows(Rows),
    /// From a joiner: it has taken so many portions of rows; and whether its store is a copy by that.
    Took { portions: u64, is_copy: bool },
    /// From the primary: what comes next, and up to where all who matter have it (R10).
    Records { after: Position, entries: Vec<Entry>, committed: u64 },
    /// From a backup: it has everything up to here, without a gap; what it knows to be committed; and whether its store is
    /// a copy.
    Held { end: u64, committed: u64, is_copy: bool },
    /// From a backup: what was sent does not follow this, which is all it has.
    Missing { end: Position },
}

/// A portion of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// Counted from 0.
    pub portion: u64,
    pub at: Position,
    pub rows: Vec<Box<[u8]>>,
    pub is_last: bool,
}
