//! RENAME and RENAMENX: within one slot, because then both names are in one partition, and nobody sees neither or both.

use kvnode_core::store::change::NewValue;
use kvnode_core::store::command::{KeyAction, NewExpiry, NewTags, Write};
use kvnode_core::store::condition::Condition;
use kvnode_core::store::outcome::{Refusal, Reply, own};
use kvnode_core::store::slot::Slot;

use super::super::call::{Call, Done};
use super::super::failure::Failure;
use super::CROSSSLOT;

const NO_SUCH_KEY: Failure<'static> = Failure::Said("ERR no such key");

pub(super) fn rename<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    move_entry(call, true)?;
    call.writer.ok();
    Ok(())
}

pub(super) fn renamenx<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let moved = move_entry(call, false)?;
    call.writer.integer(i64::from(moved));
    Ok(())
}

/// Says whether it was done; it is not where the new name is taken and must not be.
fn move_entry<'c>(call: &mut Call<'c, '_>, over_another: bool) -> Result<bool, Failure<'c>> {
    let (from, from_place) = call.key()?;
    let (to, to_place) = call.other_key(call.argument(2))?;
    if Slot::of(call.argument(1)) != Slot::of(call.argument(2)) {
        return Err(CROSSSLOT);
    }
    let namespace = call.executor.namespace;
    call.executor.alone_with(from_place, |executor| {
        let found = executor.execute(from.clone(), from_place, KeyAction::Get, |outcome| own(outcome, namespace));
        let Ok(Reply::Found(entry)) = found else { return Err(NO_SUCH_KEY) };
        if from == to {
            return Ok(over_another);
        }
        let write = Write {
            value: NewValue::Set(entry.value),
            expiry: entry.expires_at.map_or(NewExpiry::Never, NewExpiry::At),
            tags: NewTags::Set(entry.tags),
            conditions: if over_another { Vec::new() } else { vec![Condition::IfNoneMatchAny] },
            with_previous: false,
        };
        match executor.execute(to, to_place, KeyAction::Write(write), |outcome| outcome.map(drop)) {
            Ok(()) => {}
            Err(Refusal::VersionMismatch { .. }) => return Ok(false),
            Err(refusal) => return Err(refusal.into()),
        }
        let delete = KeyAction::Delete { conditions: Vec::new(), with_previous: false };
        executor.execute(from, from_place, delete, |outcome| outcome.map(drop))?;
        Ok(true)
    })
}
