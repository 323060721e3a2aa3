//! I4: no version is given out twice for one key, unless the key was gone for longer than the retention. This looks at
//! answers only, and knows nothing of tombstones.

use std::collections::BTreeMap;

use kvnode_core::store::attributes::Version;
use kvnode_core::store::command::{Command, KeyAction};
use kvnode_core::store::key::Address;
use kvnode_core::store::outcome::Reply;
use kvnode_core::time::UnixMillis;

use super::{Invariant, View};
use crate::subject::Answer;
use crate::workload::Step;

/// Entries tell their times in whole seconds; the moment itself is less than a second later.
const SECOND_REST_MS: u64 = 999;

#[derive(Debug)]
pub(super) struct VersionsNeverComeTwice {
    retention_ms: u64,
    /// Entries may go unannounced, and before their time.
    evicting: bool,
    /// The latest moment that the store was told of: no clock of a partition is ahead of it.
    latest: UnixMillis,
    last: BTreeMap<Address<'static>, Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    version: Version,
    /// When the entry was last known to be there, or stopped to be there by itself.
    at: UnixMillis,
}

impl VersionsNeverComeTwice {
    pub(super) fn new(retention_ms: u64, evicting: bool) -> Self {
        Self { retention_ms, evicting, latest: UnixMillis::default(), last: BTreeMap::new() }
    }
}

impl Invariant for VersionsNeverComeTwice {
    fn name(&self) -> &'static str {
        "versions never come twice"
    }

    fn check(&mut self, view: &View<'_>) -> Result<(), String> {
        self.latest = self.latest.max(view.now);
        match (view.step, view.done()) {
            (Step::Execute(Command::Key(command)), Some(Answer::Key(Ok(Reply::Stored { entry, .. })))) => {
                // What is put back tells the times that it had, which say nothing of now.
                let put_back = matches!(command.action, KeyAction::PutBack(_));
                let (not_before, not_after) = if put_back {
                    (view.now, self.latest)
                } else {
                    (entry.updated_at, entry.updated_at.plus_millis(SECOND_REST_MS))
                };
                let last = self.last.get(&entry.address).copied();
                if let Some(last) = last
                    && entry.version <= last.version
                    && not_after < last.at.plus_millis(self.retention_ms)
                {
                    return Err(format!("version {} was given out after {}", entry.version, last.version));
                }
                let at = entry.expires_at.filter(|_| !self.evicting).unwrap_or(not_before);
                self.last.insert(entry.address.clone(), Last { version: entry.version, at });
            }
            (Step::Execute(Command::Key(command)), Some(Answer::Key(Ok(Reply::Deleted { version, .. })))) => {
                self.last.insert(command.address.clone(), Last { version: *version, at: view.now });
            }
            _ => {}
        }
        Ok(())
    }
}
