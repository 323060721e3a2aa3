//! CLIENT: who is connected, and how this connection is to be treated.

use super::super::call::{Call, Done};
use super::super::clients::Client;
use super::super::failure::Failure;
use super::super::session::{Answers, Next};
use super::set::content_or_null;
use crate::resp::options::client::{
    self as options, Attribute, ClientKill, ClientList, ClientType, KillFilter, ReplyMode,
};

pub(super) fn getname<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let name = call.session.client.words().name.clone();
    content_or_null(&mut call.writer, Some(&*name).filter(|name| !name.is_empty()));
    Ok(())
}

pub(super) fn setname<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let name = options::name(call.argument(2))?;
    call.session.client.words().name = name.into();
    call.writer.ok();
    Ok(())
}

pub(super) fn setinfo<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    match options::attribute(call.argument(2), call.argument(3))? {
        Attribute::LibraryName(name) => call.session.client.words().library = name.into(),
        Attribute::LibraryVersion(version) => call.session.client.words().library_version = version.into(),
    }
    call.writer.ok();
    Ok(())
}

pub(super) fn id<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    call.writer.integer(i64::try_from(call.session.client.id).unwrap_or(i64::MAX));
    Ok(())
}

pub(super) fn info<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    call.session.client.was_active(call.executor.now, call.name);
    let line = call.session.client.line(call.executor.now);
    call.writer.verbatim(&line);
    Ok(())
}

pub(super) fn list<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let asked = options::list(call.arguments.from(2))?;
    call.session.client.was_active(call.executor.now, call.name);
    let is_asked_for = |client: &Client| match &asked {
        ClientList::All | ClientList::Of(ClientType::Normal) => true,
        ClientList::Of(_) => false,
        ClientList::Ids(ids) => ids.contains(&client.id),
    };
    let clients = call.shared.redis.clients.all();
    let lines = clients.iter().filter(|client| is_asked_for(client)).map(|client| client.line(call.executor.now));
    let lines = lines.collect::<Vec<_>>().concat();
    call.writer.verbatim(&lines);
    Ok(())
}

pub(super) fn kill<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let asked = options::kill(call.arguments.from(2))?;
    let clients = call.shared.redis.clients.all();
    match asked {
        ClientKill::Address(address) => {
            let meant = clients.iter().find(|client| client.address.to_string().as_bytes() == address);
            close(call, meant.ok_or(Failure::Said("ERR No such client"))?);
            call.writer.ok();
        }
        ClientKill::Where(filter) => {
            let own = call.session.client.id;
            let meant: Vec<_> = clients.iter().filter(|client| is_meant(client, filter, own)).collect();
            for client in &meant {
                close(call, client);
            }
            call.writer.integer(i64::try_from(meant.len()).unwrap_or(i64::MAX));
        }
    }
    Ok(())
}

/// A client that ends itself is answered before.
fn close(call: &mut Call<'_, '_>, client: &Client) {
    if client.id == call.session.client.id {
        call.session.next = Next::Close;
    } else {
        client.close();
    }
}

fn is_meant(client: &Client, filter: KillFilter<'_>, own: u64) -> bool {
    let is = |wanted: Option<&[u8]>, found: String| wanted.is_none_or(|wanted| wanted == found.as_bytes());
    filter.id.is_none_or(|id| id == client.id)
        && is(filter.address, client.address.to_string())
        && is(filter.local_address, client.local_address.to_string())
        && is(filter.user, client.words().user.to_string())
        && filter.kind.is_none_or(|kind| kind == ClientType::Normal)
        && !(filter.spare_caller && client.id == own)
}

/// No client is ever put out to make room for others.
pub(super) fn no_evict<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    options::switch(call.argument(2))?;
    call.writer.ok();
    Ok(())
}

pub(super) fn reply<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    match options::reply_mode(call.argument(2))? {
        ReplyMode::On => {
            call.session.answers = Answers::On;
            call.session.muted = false;
            call.writer.ok();
        }
        ReplyMode::Off => {
            call.session.answers = Answers::Off;
            call.session.muted = true;
        }
        ReplyMode::Skip => {
            if call.session.answers == Answers::On {
                call.session.answers = Answers::SkipNext;
            }
            call.session.muted = true;
        }
    }
    Ok(())
}
