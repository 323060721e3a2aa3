//! Commands that make the new value of the present one. They keep its kind, its end and its tags.

use std::borrow::Cow;

use kvnode_core::store::change::NewValue;
use kvnode_core::store::command::Write;
use kvnode_core::store::fraction::Fraction;
use kvnode_core::store::outcome::Reply;

use super::super::call::{Call, Done};
use super::super::failure::Failure;
use super::read::length;
use crate::resp::options::OptionError;
use crate::resp::options::number;

pub(super) fn append<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let value = NewValue::Append(Cow::Borrowed(call.argument(2)));
    change_and_tell_length(call, value)
}

pub(super) fn setrange<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let offset = number::integer(call.argument(2))?;
    let Ok(offset) = usize::try_from(offset) else { return Err(Failure::Said("ERR offset is out of range")) };
    let bytes = call.argument(3);
    if bytes.is_empty() {
        return super::read::strlen(call);
    }
    change_and_tell_length(call, NewValue::Overwrite { offset, bytes: Cow::Borrowed(bytes) })
}

fn change_and_tell_length<'c>(call: &mut Call<'c, '_>, value: NewValue<'_>) -> Done<'c> {
    call.write(Write::change(value), |writer, outcome| {
        if let Reply::Stored { entry, .. } = outcome? {
            writer.integer(length(entry.content().len()));
        }
        Ok(())
    })
}

pub(super) fn incr<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    add(call, 1)
}

pub(super) fn decr<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    add(call, -1)
}

pub(super) fn incrby<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let number = number::integer(call.argument(2))?;
    add(call, number)
}

pub(super) fn decrby<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let number = number::decrement(call.argument(2))?;
    add(call, number)
}

fn add<'c>(call: &mut Call<'c, '_>, number: i64) -> Done<'c> {
    call.write(Write::change(NewValue::AddInteger(number)), |writer, outcome| {
        if let Reply::Stored { entry, .. } = outcome? {
            let sum = number::parse(entry.content()).expect("the sum of two integers was just stored");
            writer.integer(sum);
        }
        Ok(())
    })
}

pub(super) fn incrbyfloat<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let number = Fraction::parse(call.argument(2)).ok_or(OptionError::NotAFloat)?;
    call.write(Write::change(NewValue::AddFraction(number)), |writer, outcome| {
        if let Reply::Stored { entry, .. } = outcome? {
            writer.bulk(entry.content());
        }
        Ok(())
    })
}
