//! What members say to each other about one partition. Each is sent by one member to another and means nothing to any
//! other life of either (R2); whoever delivers it has seen to that.

use super::log::{Entry, Position};
use crate::cluster::configuration::Epoch;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// From the primary, before it serves: this is all that is not surely everybody's. Whoever is in sync makes its log
    /// the same, and follows the epoch from then on (R12).
    Seal { epoch: Epoch, after: Position, tail: Vec<Entry> },
    /// From the primary: what comes next, and up to where all who matter have it (R10).
    Records { epoch: Epoch, after: Position, entries: Vec<Entry>, committed: u64 },
    /// From a backup: it has everything up to here, without a gap.
    Held { epoch: Epoch, end: u64 },
    /// From a backup: what was sent does not follow this, which is all it has.
    Missing { epoch: Epoch, end: Position },
}
