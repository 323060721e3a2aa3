//! Commands that delete what they name.

use kvnode_core::store::command::KeyAction;
use kvnode_core::store::outcome::Reply;

use super::super::call::{Call, Done};
use super::set::content_or_null;

/// DEL and UNLINK: memory is given back at once either way.
pub(super) fn del<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let keys = call.keys(1)?;
    let mut count = 0;
    call.each(keys, |call, _, (key, place)| {
        let delete = KeyAction::Delete { conditions: Vec::new(), with_previous: false };
        let reply = call
            .executor
            .execute(key, place, delete, |outcome| outcome.map(|reply| matches!(reply, Reply::Deleted { .. })))?;
        count += i64::from(reply);
        Ok(())
    })?;
    call.writer.integer(count);
    Ok(())
}

pub(super) fn getdel<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let (key, place) = call.key()?;
    let delete = KeyAction::Delete { conditions: Vec::new(), with_previous: true };
    let writer = &mut call.writer;
    let done = call.executor.execute(key, place, delete, |outcome| {
        outcome.map(|reply| match reply {
            Reply::Deleted { previous, .. } => content_or_null(writer, previous.as_deref()),
            _ => writer.null(),
        })
    });
    Ok(done?)
}
