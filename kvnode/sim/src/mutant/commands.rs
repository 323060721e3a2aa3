//! Defects in what is done: the core is told something else than was asked for.

use kvnode_core::store::change::NewValue;
use kvnode_core::store::command::{AllCommand, KeyAction, KeyCommand, NewExpiry, NewTags, Write};
use kvnode_core::store::dumped::Dumped;
use kvnode_core::store::key::Address;
use kvnode_core::time::UnixMillis;

use super::{Mutant, Mutation};
use crate::subject::Subject;

impl<S: Subject> Mutant<S> {
    pub(super) fn spoil_command<'c>(&self, command: &KeyCommand<'c>, now: UnixMillis) -> KeyCommand<'c> {
        let mut command = command.clone();
        match (self.mutation, &mut command.idempotency) {
            (Mutation::RetryDoneTwice, idempotency) => *idempotency = None,
            (Mutation::KeyReusedUnnoticed, Some(idempotency)) => idempotency.request = 0,
            _ => {}
        }
        if let KeyAction::Write(write) = &mut command.action {
            self.spoil_write(write, now);
        }
        command
    }

    fn spoil_write(&self, write: &mut Write<'_>, now: UnixMillis) {
        match (self.mutation, &mut write.value) {
            (Mutation::IncrementOffByOne, NewValue::AddInteger(number)) => *number = number.saturating_add(1),
            (Mutation::OverwriteOffByOne, NewValue::Overwrite { offset, .. }) => *offset = offset.saturating_add(1),
            (Mutation::AppendedTwice, NewValue::Append(bytes)) => *bytes = bytes.repeat(2).into(),
            _ => {}
        }
        match (self.mutation, write.expiry) {
            (Mutation::KeepDropsTheTtl, NewExpiry::Keep) => write.expiry = NewExpiry::Never,
            (Mutation::PastMomentIgnored, NewExpiry::At(moment)) if moment < now => write.expiry = NewExpiry::Never,
            _ => {}
        }
        if self.mutation == Mutation::KeepDropsTheTags && write.tags == NewTags::Keep {
            write.tags = NewTags::Set(kvnode_core::store::attributes::Tags::default());
        }
    }

    pub(super) fn spoil_question(&self, command: AllCommand) -> AllCommand {
        let AllCommand::Sorted(mut sorted) = command else { return command };
        match self.mutation {
            Mutation::TagsIgnored => sorted.tags.clear(),
            Mutation::SkipIgnored => sorted.skip = 0,
            _ => {}
        }
        AllCommand::Sorted(sorted)
    }
}

/// Newer than anything that a life has written.
pub(super) fn newest<'c>(address: &Address<'c>, dumped: &Dumped<'c>, now: UnixMillis) -> KeyCommand<'c> {
    const AHEAD: u64 = 1 << 40;
    let (value, version) = (dumped.value.clone(), dumped.version().get() + AHEAD);
    let mut newest = Dumped::new(value, version, now.plus_millis(AHEAD)).expect("a version as good");
    newest.tags = dumped.tags.clone();
    KeyCommand::new(address.clone(), KeyAction::PutBack(newest))
}

pub(super) fn without_conditions<'c>(command: &KeyCommand<'c>) -> KeyCommand<'c> {
    let mut command = command.clone();
    match &mut command.action {
        KeyAction::Write(write) => write.conditions.clear(),
        KeyAction::Delete { conditions, .. } => conditions.clear(),
        KeyAction::Get | KeyAction::PutBack(_) => {}
    }
    command
}
