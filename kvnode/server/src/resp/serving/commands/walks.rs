//! Commands about all keys of the caller's namespace.

use kvnode_core::store::command::{AllCommand, List, PageLimit};
use kvnode_core::store::cursor::Cursor;
use kvnode_core::store::gathering::Gathering;
use kvnode_core::store::key::KeyPart;
use kvnode_core::store::limits::PAGE_KEYS_MAX;
use kvnode_core::store::outcome::Gathered;

use super::super::call::{Call, Done};
use super::super::session::Next;
use super::super::walk::Walk;
use crate::random;
use crate::resp::glob::Pattern;
use crate::resp::options::{OptionError, scan as options};

/// Entries RANDOMKEY passes over at most, in the partition that the lot fell on.
const PASSED_MAX: usize = 64;

/// One page in the order of cursors. What does not match is left out of it, so that a call does the same work whether
/// anything matches or nothing.
pub(super) fn scan<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let options = options::parse(call.arguments.from(1))?;
    let limit = usize::try_from(options.count).unwrap_or(PAGE_KEYS_MAX).clamp(1, PAGE_KEYS_MAX);
    let after = Cursor::from_number(options.cursor);
    // A number that no cursor has is behind all keys.
    let is_over = options.cursor != 0 && after.is_none();
    let page = if is_over {
        Gathered::Keys(kvnode_core::store::outcome::KeyPage::default())
    } else {
        let namespace = call.executor.namespace;
        let list = List { namespace, prefix: KeyPart::default(), after, limit: PageLimit::new(limit)? };
        let mut gathering = Gathering::new(AllCommand::List(list));
        while call.executor.store.visit(&mut gathering, call.executor.now) {}
        gathering.finish()
    };
    let Gathered::Keys(page) = page else { unreachable!("a list gives keys") };
    call.executor.tally.listed();
    let pattern = options.pattern.map(|pattern| Pattern::new(pattern, call.live.limits.key_bytes_max));
    let is_asked_for = |key: &[u8]| pattern.as_ref().is_none_or(|pattern| pattern.matches(key));
    let of_kind = options.kind.is_none_or(|kind| kind.eq_ignore_ascii_case(b"string"));
    let keys = page.keys.iter().map(|key| key.as_bytes()).filter(|key| of_kind && is_asked_for(key));
    let keys: Vec<_> = keys.collect();
    call.writer.array(2);
    call.writer.bulk(page.next.map_or(0, Cursor::number).to_string().as_bytes());
    call.writer.array(keys.len());
    for key in keys {
        call.writer.bulk(key);
    }
    Ok(())
}

pub(super) fn keys<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let pattern = Pattern::new(call.argument(1), call.live.limits.key_bytes_max);
    begin(call, Walk::matching(pattern))
}

pub(super) fn dbsize<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let count = AllCommand::Count(call.executor.namespace);
    begin(call, Walk::gather(count))
}

/// ASYNC and SYNC are the same here: the answer comes when all is gone, and nobody else waits for it.
pub(super) fn flush<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let how = call.arguments.get(1);
    let known = how.is_none_or(|how| how.eq_ignore_ascii_case(b"async") || how.eq_ignore_ascii_case(b"sync"));
    if !known || call.arguments.len() > 2 {
        return Err(OptionError::Syntax.into());
    }
    let flush = AllCommand::Flush(call.executor.namespace);
    begin(call, Walk::gather(flush))
}

fn begin<'c>(call: &mut Call<'c, '_>, walk: Walk) -> Done<'c> {
    call.session.next = Next::Walk(Box::new(walk));
    Ok(())
}

pub(super) fn randomkey<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let (store, namespace, now) = (call.executor.store, call.executor.namespace, call.executor.now);
    let first = random::below(store.partitions());
    for distance in 0..store.partitions() {
        let mut partition = store.lock((first + distance) % store.partitions());
        let passed = random::below(PASSED_MAX);
        let entries = partition.entries(namespace, now).take(passed + 1);
        if let Some(entry) = entries.last() {
            call.writer.bulk(entry.key().as_bytes());
            return Ok(());
        }
    }
    call.writer.null();
    Ok(())
}
