//! Commands that change nothing.

use kvnode_core::store::command::KeyAction;
use kvnode_core::store::entry::EntryRef;

use super::super::call::{Call, Done, found};
use super::super::connection::OUTPUT_BYTES_MAX;
use crate::resp::options::number;
use crate::resp::reply::Writer;

/// What TTL and its like answer where there is no key, and where there is one without an end.
const NO_KEY: i64 = -2;
const NO_END: i64 = -1;

const MS_PER_SECOND: i64 = 1000;

#[inline]
pub(super) fn get<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    call.read(content)
}

fn content(writer: &mut Writer<'_>, entry: Option<EntryRef<'_>>) {
    match entry {
        Some(entry) => writer.bulk(entry.content()),
        None => writer.null(),
    }
}

pub(super) fn mget<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let keys = call.keys(1)?;
    call.writer.array(keys.len());
    call.each(keys, |call, _, (key, place)| {
        // The connection will be closed; what is still missing would only take memory meanwhile.
        if call.writer.length() <= OUTPUT_BYTES_MAX {
            let writer = &mut call.writer;
            call.executor.execute(key, place, KeyAction::Get, |outcome| content(writer, found(&outcome)));
        }
        Ok(())
    })
}

pub(super) fn strlen<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    call.read(|writer, entry| writer.integer(length(entry.map_or(0, |entry| entry.content().len()))))
}

pub(super) fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

pub(super) fn getrange<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let (first, last) = (number::integer(call.argument(2))?, number::integer(call.argument(3))?);
    call.read(|writer, entry| writer.bulk(part(entry.map_or(&[][..], |entry| entry.content()), first, last)))
}

/// Negative places count from the end.
fn part(content: &[u8], first: i64, last: i64) -> &[u8] {
    if first < 0 && last < 0 && first > last {
        return &[];
    }
    let size = length(content.len());
    let place = |number: i64| if number < 0 { number.saturating_add(size).max(0) } else { number };
    let (first, last) = (place(first), place(last).min(size - 1));
    if first > last {
        return &[];
    }
    let index = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    content.get(index(first)..=index(last)).unwrap_or_default()
}

/// EXISTS and TOUCH: a key that is named twice counts twice.
pub(super) fn exists<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let keys = call.keys(1)?;
    let mut count = 0;
    call.each(keys, |call, _, (key, place)| {
        count += call.executor.execute(key, place, KeyAction::Get, |outcome| i64::from(found(&outcome).is_some()));
        Ok(())
    })?;
    call.writer.integer(count);
    Ok(())
}

pub(super) fn kind<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    call.read(|writer, entry| writer.simple(if entry.is_some() { "string" } else { "none" }))
}

pub(super) fn ttl<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    left(call, seconds)
}

pub(super) fn pttl<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    left(call, |milliseconds| milliseconds)
}

pub(super) fn expiretime<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    end(call, |_, moment| seconds(moment))
}

pub(super) fn pexpiretime<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    end(call, |_, moment| moment)
}

fn left<'c>(call: &mut Call<'c, '_>, unit: impl Fn(i64) -> i64) -> Done<'c> {
    end(call, |now, moment| unit((moment - now).max(0)))
}

/// Rounded, as Redis does it.
fn seconds(milliseconds: i64) -> i64 {
    (milliseconds + MS_PER_SECOND / 2) / MS_PER_SECOND
}

/// `shown` makes of the present moment and that of the key's end what is answered.
fn end<'c>(call: &mut Call<'c, '_>, shown: impl Fn(i64, i64) -> i64) -> Done<'c> {
    let milliseconds = |moment: u64| i64::try_from(moment).unwrap_or(i64::MAX);
    let now = milliseconds(call.executor.now.get());
    call.read(|writer, entry| {
        let number = match entry {
            None => NO_KEY,
            Some(entry) => entry.expires_at().map_or(NO_END, |moment| shown(now, milliseconds(moment.get()))),
        };
        writer.integer(number);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asked of redis-server 7.0.15.
    #[test]
    fn parts_are_counted_from_both_ends_and_cut_to_what_there_is() {
        for (first, last, expected) in [
            (0, 3, "This"),
            (-3, -1, "ing"),
            (0, -1, "This is a string"),
            (10, 100, "string"),
            (5, 3, ""),
            (-1, -3, ""),
            (-100, 3, "This"),
            (-100, -50, "T"),
            (16, 20, ""),
            (i64::MIN, i64::MAX, "This is a string"),
            (i64::MAX, i64::MAX, ""),
        ] {
            let found = part(b"This is a string", first, last);
            assert_eq!(String::from_utf8_lossy(found), expected, "{first} to {last}");
        }
        assert_eq!(part(b"", 0, -1), b"");
    }

    #[test]
    fn half_a_second_is_a_second() {
        assert_eq!([499, 500, 1499, 1500].map(seconds), [0, 1, 1, 2]);
    }
}
