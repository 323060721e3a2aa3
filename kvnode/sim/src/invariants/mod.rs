//! What must hold after every step, one file each. An invariant collects what it needs from the steps it sees; it
//! returns what is wrong in words, and the run ends there.

mod absent_is_absent_everywhere;
mod bytes_add_up;
mod list_is_the_sorted_live_keys;
mod memory_stays_bounded;
mod outcomes_match_the_model;
mod refused_writes_change_nothing;
mod versions_never_come_twice;
mod writes_can_be_read;

use kvnode_core::store::StoreConfig;
use kvnode_core::store::key::Address;
use kvnode_core::store::outcome::{Outcome, Reply};
use kvnode_core::time::UnixMillis;

use crate::model::{Known, Model};
use crate::subject::Accounts;
use crate::workload::Step;

/// A step, and what an outsider finds right after it.
#[derive(Debug)]
pub struct View<'v> {
    pub step: &'v Step,
    pub now: UnixMillis,
    /// None for a sweep.
    pub outcome: Option<&'v Outcome>,
    /// What the model says to the outcome.
    pub judgement: &'v Result<(), String>,
    /// The model after the step.
    pub model: &'v Model,
    pub accounts_before: Accounts,
    pub accounts: Accounts,
    /// All keys, page after page.
    pub listed: &'v [Box<str>],
    pub counted: u64,
    /// Gets of the step's own key, if it has one, and of another.
    pub probes: &'v [(Address, Reply)],
    /// The entry the step's own key had in the model just before.
    pub before: Option<&'v Known>,
}

pub trait Invariant {
    fn name(&self) -> &'static str;
    fn check(&mut self, view: &View<'_>) -> Result<(), String>;
}

pub fn all(config: &StoreConfig) -> Vec<Box<dyn Invariant>> {
    // The narrow ones first: what they say is nearer to the cause than that an answer is not the model's.
    vec![
        Box::new(refused_writes_change_nothing::RefusedWritesChangeNothing),
        Box::new(versions_never_come_twice::VersionsNeverComeTwice::new(config.tombstone_retention_ms)),
        Box::new(absent_is_absent_everywhere::AbsentIsAbsentEverywhere),
        Box::new(list_is_the_sorted_live_keys::ListIsTheSortedLiveKeys),
        Box::new(writes_can_be_read::WritesCanBeRead),
        Box::new(bytes_add_up::BytesAddUp),
        Box::new(memory_stays_bounded::MemoryStaysBounded),
        Box::new(outcomes_match_the_model::OutcomesMatchTheModel),
    ]
}
