//! What must hold after every step, one file each. An invariant collects what it needs from the steps it sees; it
//! returns what is wrong in words, and the run ends there.

mod absent_is_absent_everywhere;
mod bytes_add_up;
mod evictions_are_needed;
pub(crate) mod evictions_spare_the_used;
mod list_is_the_live_keys_once;
mod memory_stays_bounded;
mod namespaces_are_isolated;
mod outcomes_match_the_model;
mod quotas_are_kept;
mod records_rebuild_the_state;
mod refused_writes_change_nothing;
mod versions_never_come_twice;
mod writes_can_be_read;

use kvnode_core::store::key::Address;
use kvnode_core::store::outcome::Reply;
use kvnode_core::store::usage::Quota;
use kvnode_core::store::{Eviction, StoreConfig};
use kvnode_core::time::UnixMillis;

use crate::model::{Known, Model};
use crate::probe::Shown;
use crate::subject::{Accounts, Answer};
use crate::workload::Step;

/// A step, and what an outsider finds right after it.
#[derive(Debug)]
pub struct View<'v> {
    pub step: &'v Step,
    pub now: UnixMillis,
    pub answer: &'v Answer,
    /// What the model says to the answer.
    pub judgement: &'v Result<(), String>,
    /// The model after the step.
    pub model: &'v Model,
    pub accounts_before: Accounts,
    pub accounts: Accounts,
    /// All namespaces.
    pub shown: &'v [Shown],
    /// Gets of the step's own key in each namespace, if it has one, and of another.
    pub probes: &'v [(Address<'static>, Reply)],
    /// The entry the step's own key had in the model just before.
    pub before: Option<&'v Known>,
    /// Whether it had a tombstone instead.
    pub past_tombstone: bool,
    /// What went in this step to make room, as far as its time had not come.
    pub evicted: &'v [(Address<'static>, Known)],
    /// Whether the step was a retry, so that nothing was done but to answer it once more.
    pub repeated: bool,
    /// What is wrong with the copy that follows the node.
    pub copied: &'v Result<(), String>,
}

impl View<'_> {
    /// The answer, if it tells of something that was done in this step.
    pub(crate) fn done(&self) -> Option<&Answer> {
        (!self.repeated).then_some(self.answer)
    }
}

pub trait Invariant {
    fn name(&self) -> &'static str;
    fn check(&mut self, view: &View<'_>) -> Result<(), String>;
}

pub fn all(config: &StoreConfig, quota: Quota) -> Vec<Box<dyn Invariant>> {
    let evicting = config.eviction != Eviction::None;
    // The narrow ones first: what they say is nearer to the cause than that an answer is not the model's.
    vec![
        Box::new(refused_writes_change_nothing::RefusedWritesChangeNothing),
        Box::new(versions_never_come_twice::VersionsNeverComeTwice::new(config.tombstone_retention_ms, evicting)),
        Box::new(namespaces_are_isolated::NamespacesAreIsolated::default()),
        Box::new(evictions_are_needed::EvictionsAreNeeded),
        Box::new(evictions_spare_the_used::EvictionsSpareTheUsed::new(config.eviction)),
        Box::new(absent_is_absent_everywhere::AbsentIsAbsentEverywhere),
        Box::new(list_is_the_live_keys_once::ListIsTheLiveKeysOnce),
        Box::new(writes_can_be_read::WritesCanBeRead),
        Box::new(quotas_are_kept::QuotasAreKept::new(quota)),
        Box::new(bytes_add_up::BytesAddUp),
        Box::new(memory_stays_bounded::MemoryStaysBounded),
        Box::new(records_rebuild_the_state::RecordsRebuildTheState),
        Box::new(outcomes_match_the_model::OutcomesMatchTheModel),
    ]
}
