//! Commands that say when a key ends, and leave its value alone.

use kvnode_core::store::change::NewValue;
use kvnode_core::store::command::{KeyAction, NewExpiry, Write};
use kvnode_core::store::condition::{Condition, ExpiryRule};
use kvnode_core::store::outcome::{Refusal, Reply};

use super::super::call::{Call, Done, found};
use super::read;
use super::set::{content_or_null, until};
use crate::resp::options::expire::{self as options, ExpireCondition, New, Present};
use crate::resp::options::expiry::Form;
use crate::resp::options::getex::{self, GetexLifetime};

pub(super) fn expire<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    set_end(call, Form::Seconds, "expire")
}

pub(super) fn pexpire<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    set_end(call, Form::Milliseconds, "pexpire")
}

pub(super) fn expireat<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    set_end(call, Form::AtSeconds, "expireat")
}

pub(super) fn pexpireat<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    set_end(call, Form::AtMilliseconds, "pexpireat")
}

fn set_end<'c>(call: &mut Call<'c, '_>, form: Form, command: &'static str) -> Done<'c> {
    let (expiry, condition) = options::parse(form, call.arguments.from(2), command)?;
    let expiry = until(expiry, call.executor.now);
    change_end(call, expiry, conditions(condition, expiry))
}

pub(super) fn persist<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    change_end(call, NewExpiry::Never, vec![Condition::IfExpiry(ExpiryRule::Some)])
}

/// Answers 1 if it was done, and 0 if there is no such key or it does not meet the conditions.
fn change_end<'c>(call: &mut Call<'c, '_>, expiry: NewExpiry, conditions: Vec<Condition>) -> Done<'c> {
    let write = Write { expiry, ..Write::change(NewValue::Keep) }.only(conditions);
    call.write(write, |writer, outcome| {
        let done = match outcome {
            Ok(_) => 1,
            Err(Refusal::VersionMismatch { .. }) => 0,
            Err(refusal) => return Err(refusal),
        };
        writer.integer(done);
        Ok(())
    })
}

fn conditions(condition: ExpireCondition, new: NewExpiry) -> Vec<Condition> {
    let mut conditions = vec![Condition::IfMatchAny];
    match condition.present {
        Present::Any => {}
        Present::Missing => conditions.push(Condition::IfExpiry(ExpiryRule::None)),
        Present::Set => conditions.push(Condition::IfExpiry(ExpiryRule::Some)),
    }
    if let NewExpiry::At(moment) = new {
        match condition.new {
            New::Any => {}
            New::Later => conditions.push(Condition::IfExpiry(ExpiryRule::Before(moment))),
            New::Earlier => conditions.push(Condition::IfExpiry(ExpiryRule::After(moment))),
        }
    }
    conditions
}

pub(super) fn getex<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let expiry = match getex::parse(call.arguments.from(2))? {
        GetexLifetime::Unchanged => return read::get(call),
        GetexLifetime::Forever => NewExpiry::Never,
        GetexLifetime::Until(expiry) => until(expiry, call.executor.now),
        GetexLifetime::Wrong(error) => {
            let (key, place) = call.key()?;
            if call.executor.execute(key, place, KeyAction::Get, |outcome| found(&outcome).is_some()) {
                return Err(error.into());
            }
            call.writer.null();
            return Ok(());
        }
    };
    let mut write = Write { expiry, ..Write::change(NewValue::Keep) }.only(vec![Condition::IfMatchAny]);
    write.with_previous = true;
    call.write(write, |writer, outcome| {
        let previous = match outcome {
            Ok(Reply::Stored { previous, .. } | Reply::Deleted { previous, .. }) => previous,
            Ok(_) | Err(Refusal::VersionMismatch { .. }) => None,
            Err(refusal) => return Err(refusal),
        };
        content_or_null(writer, previous.as_deref());
        Ok(())
    })
}
