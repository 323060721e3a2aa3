//! C47: a refused write adds nothing: the entry, its version and its times are what they were, and no memory is taken.
//! Only what had to go for it, because its time had come or to make room, may have gone.

use kvnode_core::store::command::Command;
use kvnode_core::store::outcome::Reply;

use super::memory_stays_bounded::burials_between;
use super::{Invariant, View};
use crate::subject::Answer;
use crate::workload::Step;

#[derive(Debug)]
pub(super) struct RefusedWritesChangeNothing;

impl Invariant for RefusedWritesChangeNothing {
    fn name(&self) -> &'static str {
        "refused writes change nothing"
    }

    fn check(&mut self, view: &View<'_>) -> Result<(), String> {
        let (Answer::Key(Err(refusal)), Step::Execute(Command::Key(command))) = (view.answer, view.step) else {
            return Ok(());
        };
        let (before, after) = (view.accounts_before, view.accounts);
        if after.used > before.used && burials_between(&before, &after) == 0 {
            let (before, after) = (before.used, after.used);
            return Err(format!("memory grew from {before} to {after} bytes by a refused write ({refusal})"));
        }
        let Some((_, reply)) = view.probes.iter().find(|(address, _)| *address == command.address) else {
            return Err("the key of the refused write was not looked at".to_owned());
        };
        match (view.before, reply) {
            (Some(known), Reply::Found(entry)) => known.same_as(entry),
            // Its time can have come with this very step.
            (Some(known), Reply::Absent) if known.expires_at.is_some() => Ok(()),
            (None, Reply::Absent) => Ok(()),
            (known, reply) => Err(format!("there was {known:?}, and after a refused write there is {reply:?}")),
        }
    }
}
