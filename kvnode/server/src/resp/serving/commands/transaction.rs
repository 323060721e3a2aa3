//! MULTI, EXEC, WATCH and their like. All keys of a transaction are in one slot, so one locked partition is all it takes
//! to do it as one.

use std::sync::atomic::Ordering;

use kvnode_core::store::slot::Slot;

use super::super::call::{Call, Done};
use super::super::executor::Executor;
use super::super::failure::Failure;
use super::super::session::Session;
use super::super::transaction::{Queued, Transaction, WATCHED_MAX, Watched};
use super::{CROSSSLOT, allowed, looks_at_all_keys, perform, run};
use crate::resp::commands::{Name, find};

const NOT_WITHIN: Failure<'static> = Failure::Said("ERR Command not allowed inside a transaction");

const ABORTED: Failure<'static> = Failure::Said("EXECABORT Transaction discarded because of previous errors.");

pub(super) fn multi<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    call.session.transaction = Some(Box::default());
    call.session.client.queued.store(0, Ordering::Relaxed);
    call.writer.ok();
    Ok(())
}

/// A command of a client that has begun a transaction.
pub(super) fn within<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    match call.name {
        Name::Exec => exec(call),
        Name::Discard => {
            end(call.session);
            call.writer.ok();
            Ok(())
        }
        Name::Quit | Name::Reset => run(call),
        // These two do not break the transaction.
        Name::Multi => said(call, b"ERR MULTI calls can not be nested"),
        Name::Watch => said(call, b"ERR WATCH inside MULTI is not allowed"),
        // An answer to these may take longer than a partition can be locked.
        Name::Auth | Name::Hello | Name::ClientReply => Err(NOT_WITHIN),
        name if looks_at_all_keys(name) => Err(NOT_WITHIN),
        _ => queue(call),
    }
}

fn said<'c>(call: &mut Call<'c, '_>, message: &[u8]) -> Done<'c> {
    call.writer.error(message);
    Ok(())
}

fn queue<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    allowed(call)?;
    let Some(transaction) = &mut call.session.transaction else { return Ok(()) };
    // One that will not be done anyway takes no memory.
    if !transaction.is_broken && !transaction.queue(call.arguments) {
        return Err(Failure::Said("ERR The transaction is too large; do it in parts."));
    }
    call.session.client.queued.store(i64::try_from(transaction.count()).unwrap_or(i64::MAX), Ordering::Relaxed);
    call.writer.simple("QUEUED");
    Ok(())
}

/// Takes the transaction from the session, and what was watched for it.
pub(super) fn end(session: &mut Session) -> (Transaction, Vec<Watched>) {
    session.client.queued.store(-1, Ordering::Relaxed);
    let transaction = session.transaction.take().map_or_else(Transaction::default, |transaction| *transaction);
    (transaction, std::mem::take(&mut session.watched))
}

fn exec<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let (transaction, watched) = end(call.session);
    // Whatever else was wrong: keys of two slots are told first, as a Redis cluster does.
    let queued = transaction.commands();
    let watched_keys = watched.iter().map(|watched| watched.key.as_str().as_bytes());
    let keys = || queued.iter().filter_map(|arguments| Some((arguments, find(arguments).ok()?)));
    let mut all = keys().flat_map(|(arguments, name)| name.spec().keys.of(arguments)).chain(watched_keys);
    let Some(first) = all.next() else {
        if transaction.is_broken {
            return Err(ABORTED);
        }
        do_all(call, &queued);
        return Ok(());
    };
    let slot = Slot::of(first);
    if all.any(|key| Slot::of(key) != slot) {
        return Err(CROSSSLOT);
    }
    if transaction.is_broken {
        return Err(ABORTED);
    }
    call.executor.alone = Some(call.executor.store.alone(slot.partition()));
    if watched.iter().any(|watched| has_changed(watched, &mut call.executor)) {
        call.writer.null_array();
    } else {
        do_all(call, &queued);
    }
    call.executor.alone = None;
    Ok(())
}

fn has_changed(watched: &Watched, executor: &mut Executor<'_, '_>) -> bool {
    executor.last_version(watched.key.clone(), watched.place) != watched.version
}

fn do_all(call: &mut Call<'_, '_>, queued: &Queued<'_>) {
    call.writer.array(queued.iter().len());
    for arguments in queued.iter() {
        let Ok(name) = find(arguments) else { continue };
        let executor = Executor {
            store: call.executor.store,
            namespace: call.executor.namespace,
            noted: call.executor.noted,
            now: call.executor.now,
            tally: &mut *call.executor.tally,
            monitor: call.executor.monitor,
            alone: call.executor.alone.take(),
        };
        let mut inner = Call {
            name,
            arguments,
            place: None,
            session: &mut *call.session,
            writer: call.writer.lend(),
            executor,
            shared: call.shared,
            live: call.live,
        };
        perform(&mut inner);
        call.executor.alone = inner.executor.alone.take();
    }
}

pub(super) fn watch<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let keys = call.keys(1)?;
    if call.session.watched.len() + keys.len() > WATCHED_MAX {
        return Err(Failure::Told(format!("ERR A client may watch {WATCHED_MAX} keys; watch fewer.")));
    }
    call.each(keys, |call, _, (key, place)| {
        let is_watched = call.session.watched.iter().any(|watched| watched.key == key);
        if !is_watched {
            let version = call.executor.last_version(key.clone(), place);
            call.session.watched.push(Watched { key: key.into_owned(), place, version });
        }
        Ok(())
    })?;
    call.writer.ok();
    Ok(())
}

pub(super) fn unwatch<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    call.session.watched.clear();
    call.writer.ok();
    Ok(())
}
