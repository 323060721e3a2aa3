//! What a life met with. A run that never fills a store or never drops a tombstone proves nothing about either, so the
//! tests ask for all of them.

use kvnode_core::store::outcome::{Outcome, Refusal, Reply};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    pub stored: u64,
    pub deleted: u64,
    /// Keys made again above a tombstone.
    pub made_again: u64,
    /// Keys never seen that did not start at 1, because tombstones had been dropped early.
    pub started_above_one: u64,
    pub mismatches: u64,
    pub memory_full: u64,
    /// Entries that ended by their time to live, as the model saw it.
    pub expired: u64,
}

impl Census {
    /// `known_before` is whether the step's key had ever been there.
    pub(crate) fn note(&mut self, outcome: &Outcome, known_before: bool) {
        match outcome {
            Ok(Reply::Stored { entry, created }) => {
                self.stored += 1;
                self.made_again += u64::from(*created && known_before);
                self.started_above_one += u64::from(*created && !known_before && entry.version.get() > 1);
            }
            Ok(Reply::Deleted { .. }) => self.deleted += 1,
            Err(Refusal::VersionMismatch { .. }) => self.mismatches += 1,
            Err(Refusal::MemoryFull { .. }) => self.memory_full += 1,
            Ok(Reply::Found(_) | Reply::Absent | Reply::Keys(_) | Reply::Count(_)) => {}
        }
    }
}
