//! Commands that make the new value of the present one. They keep its kind, its end and its tags.

use std::borrow::Cow;

use kvnode_core::store::change::NewValue;
use kvnode_core::store::command::{KeyAction, Write};
use kvnode_core::store::limits::InputError;
use kvnode_core::store::outcome::{Refusal, Reply};
use kvnode_core::store::value::{Kind, Value};

use super::super::call::{Call, Done, found};
use super::super::failure::Failure;
use super::read::length;
use crate::resp::options::OptionError;
use crate::resp::options::float::Fraction;
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

/// Redis' fractions are decimal as far as they go, which is more than the store knows of numbers. So the sum is made
/// here, with the partition locked from the look at the present value to the write of the new one.
pub(super) fn incrbyfloat<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let (key, place) = call.key()?;
    let added = Fraction::parse(call.argument(2));
    let limits = &call.live.limits;
    let sum = call.executor.alone_with(place, |executor| {
        let present = executor.execute(key.clone(), place, KeyAction::Get, |outcome| {
            found(&outcome).map(|entry| (entry.kind(), Fraction::parse(entry.content())))
        });
        let (kind, number) = present.unwrap_or((Kind::Bytes, Ok(Fraction::ZERO)));
        // The present value is judged before what is added to it.
        let sum = number?.plus(added?)?.to_string();
        let value = match kind {
            Kind::Bytes => Value::bytes(sum.as_bytes(), limits),
            Kind::Json => Value::json(&sum, limits),
        };
        let write = KeyAction::Write(Write::change(NewValue::Set(value.map_err(FloatFailure::Input)?)));
        executor.execute(key, place, write, |outcome| outcome.map(drop)).map_err(FloatFailure::Store)?;
        Ok(sum)
    });
    let sum = sum.map_err(|failure| match failure {
        FloatFailure::Options(error) => Failure::Options(error),
        FloatFailure::Input(error) => Failure::Input(error),
        FloatFailure::Store(refusal) => Failure::Store(refusal),
    })?;
    call.writer.bulk(sum.as_bytes());
    Ok(())
}

enum FloatFailure {
    Options(OptionError<'static>),
    Input(InputError),
    Store(Refusal),
}

impl From<OptionError<'static>> for FloatFailure {
    fn from(error: OptionError<'static>) -> Self {
        Self::Options(error)
    }
}
