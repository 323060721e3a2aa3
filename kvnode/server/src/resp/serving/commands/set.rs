//! Commands that write a value as it was given.

use kvnode_core::store::command::{KeyAction, NewExpiry, Write};
use kvnode_core::store::condition::Condition;
use kvnode_core::store::entry::EntryRef;
use kvnode_core::store::outcome::{Outcome, Refusal, Reply};
use kvnode_core::time::UnixMillis;

use super::super::call::{Call, Done};
use super::super::failure::Failure;
use crate::resp::options::expiry::{Expiry, Form};
use crate::resp::options::set::{self as options, Lifetime};
use crate::resp::reply::Writer;

#[inline]
pub(super) fn set<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let parsed = options::parse(call.arguments.from(3))?;
    let mut write = Write::put(call.value(2)?);
    write.expiry = match parsed.lifetime {
        Lifetime::Forever => NewExpiry::Never,
        Lifetime::Unchanged => NewExpiry::Keep,
        Lifetime::Until(expiry) => until(expiry, call.executor.now),
    };
    match parsed.condition {
        options::Condition::Always => {}
        options::Condition::IfAbsent => write.conditions.push(Condition::IfNoneMatchAny),
        options::Condition::IfPresent => write.conditions.push(Condition::IfMatchAny),
        options::Condition::IfEqual(content) => write.conditions.push(Condition::IfContent(content.into())),
    }
    write.with_previous = parsed.get;
    call.write(write, |writer, outcome| {
        let stored = Stored::of(outcome)?;
        match (parsed.get, stored.done) {
            (true, _) => content_or_null(writer, stored.previous.as_deref()),
            (false, true) => writer.ok(),
            (false, false) => writer.null(),
        }
        Ok(())
    })
}

/// How a write with conditions ended.
struct Stored {
    done: bool,
    previous: Option<Box<[u8]>>,
}

impl Stored {
    /// What was to end at a moment that is over is deleted, and so as good as done.
    fn of(outcome: Outcome<EntryRef<'_>>) -> Result<Self, Refusal> {
        match outcome {
            Ok(Reply::Stored { previous, .. } | Reply::Deleted { previous, .. }) => Ok(Self { done: true, previous }),
            Ok(Reply::Absent | Reply::Found(_)) => Ok(Self { done: true, previous: None }),
            Err(Refusal::VersionMismatch { previous, .. }) => Ok(Self { done: false, previous }),
            Err(refusal) => Err(refusal),
        }
    }
}

pub(super) fn content_or_null(writer: &mut Writer<'_>, content: Option<&[u8]>) {
    match content {
        Some(content) => writer.bulk(content),
        None => writer.null(),
    }
}

/// A moment before 1970 is over like any other.
pub(super) fn until(expiry: Expiry, now: UnixMillis) -> NewExpiry {
    let moment = match expiry {
        Expiry::At(milliseconds) => u64::try_from(milliseconds).unwrap_or_default(),
        Expiry::In(milliseconds) => now.get().saturating_add_signed(milliseconds),
    };
    NewExpiry::At(UnixMillis::new(moment))
}

pub(super) fn setnx<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let write = Write::put(call.value(2)?).only(vec![Condition::IfNoneMatchAny]);
    call.write(write, |writer, outcome| {
        writer.integer(i64::from(Stored::of(outcome)?.done));
        Ok(())
    })
}

pub(super) fn setex<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    put_until(call, Form::Seconds, "setex")
}

pub(super) fn psetex<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    put_until(call, Form::Milliseconds, "psetex")
}

fn put_until<'c>(call: &mut Call<'c, '_>, form: Form, command: &'static str) -> Done<'c> {
    let expiry = form.of_entry(call.argument(2), command)?;
    let mut write = Write::put(call.value(3)?);
    write.expiry = until(expiry, call.executor.now);
    call.write(write, |writer, outcome| outcome.map(|_| writer.ok()))
}

pub(super) fn getset<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let mut write = Write::put(call.value(2)?);
    write.with_previous = true;
    call.write(write, |writer, outcome| {
        content_or_null(writer, Stored::of(outcome)?.previous.as_deref());
        Ok(())
    })
}

/// Key by key: another client may see some of them before the others. The first that cannot be stored ends it.
pub(super) fn mset<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    if call.arguments.len().is_multiple_of(2) {
        return Err(Failure::Said("ERR wrong number of arguments for 'mset' command"));
    }
    let keys = call.keys(2)?;
    for (position, _) in &keys {
        call.value(position + 1)?;
    }
    call.each(keys, |call, position, (key, place)| {
        let write = KeyAction::Write(Write::put(call.value(position + 1)?));
        Ok(call.executor.execute(key, place, write, |outcome| outcome.map(drop))?)
    })?;
    call.writer.ok();
    Ok(())
}
