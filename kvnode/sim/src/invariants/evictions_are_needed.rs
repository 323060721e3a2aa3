//! Entries go before their time only where the policy says so, only for a write that memory was too short for, and never
//! those of the node itself. And as long as something can go, no write is refused.

use kvnode_core::store::command::{Command, KeyAction, KeyCommand};
use kvnode_core::store::key::Namespace;
use kvnode_core::store::outcome::{Refusal, Reply};

use super::memory_stays_bounded::BURIAL_BYTES_MAX;
use super::{Invariant, View};
use crate::subject::Answer;
use crate::trace::place;
use crate::workload::Step;

/// What a write takes beside its content: a block begun for it, its place in a doubled table and a doubled heap, and a
/// partition's first entry of a namespace.
const WRITE_BESIDE_MAX: u64 = 4096 + 1024 + 1024;

#[derive(Debug)]
pub(super) struct EvictionsAreNeeded;

impl EvictionsAreNeeded {
    fn check_need(view: &View<'_>) -> Result<(), String> {
        let Step::Execute(Command::Key(KeyCommand { action: KeyAction::Write(_) | KeyAction::PutBack(_), .. })) =
            view.step
        else {
            return Err("something was evicted, but nothing was written".to_owned());
        };
        let Some(Answer::Key(Ok(Reply::Stored { entry, .. }))) = view.done() else { return Ok(()) };
        // The allocator rounds up by a quarter at most.
        let answer = view.accounts.answers.saturating_sub(view.accounts_before.answers);
        let needed = entry.value.content().len() as u64 * 5 / 4 + answer + WRITE_BESIDE_MAX + BURIAL_BYTES_MAX;
        let (used, limit) = (view.accounts_before.used, view.accounts.limit);
        if used + needed <= limit {
            return Err(format!("{used} of {limit} bytes were used, and {needed} at most needed, but something went"));
        }
        Ok(())
    }
}

impl Invariant for EvictionsAreNeeded {
    fn name(&self) -> &'static str {
        "evictions are needed"
    }

    fn check(&mut self, view: &View<'_>) -> Result<(), String> {
        if view.accounts.evicted > view.accounts_before.evicted {
            Self::check_need(view)?;
        }
        for (address, known) in view.evicted {
            if address.namespace == Namespace::System {
                return Err(format!("{} was evicted, which is the node's own", place(address)));
            }
            if !view.model.may_be_evicted(address, known) {
                return Err(format!("{} was evicted against the policy", place(address)));
            }
        }
        let mut evictable = view.model.entries().filter(|(address, known)| {
            // The entry to be replaced does not go for its own sake.
            Some(*address) != view.step.address() && view.model.may_be_evicted(address, known)
        });
        if let Answer::Key(Err(Refusal::MemoryFull { .. })) = view.answer
            && let Some((left, _)) = evictable.next()
        {
            return Err(format!("a write was refused for want of memory, and {} could have gone", place(left)));
        }
        Ok(())
    }
}
