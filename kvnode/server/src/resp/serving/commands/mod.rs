//! What each command does, one file for each family. A command reads its arguments, asks the store, and writes its answer;
//! everything that is true of several commands is in here or beside them.

#![expect(clippy::unnecessary_wraps, reason = "all commands have one shape, whether they can fail or not")]

mod change;
mod client;
mod cluster;
mod config;
mod connection;
mod delete;
mod expire;
mod info;
mod read;
mod rename;
mod set;
mod transaction;
mod walks;

use kvnode_core::store::slot::Slot;

use super::call::{Call, Done};
use super::failure::Failure;
use super::login;
use super::session::{Next, Port, Session};
use crate::accounts::api_key::Operation;
use crate::resp::commands::{self as table, Flags, Name};
use crate::resp::options::command_list;
use crate::resp::reply::Writer;

pub(super) use connection::hello;

pub(super) const CROSSSLOT: Failure<'static> = Failure::Said("CROSSSLOT Keys in request don't hash to the same slot");

/// Commands after which the next one may be read otherwise, or must wait. It is read ahead behind no other.
pub(super) fn stops_reading_ahead(name: Name) -> bool {
    use Name::{Auth, Dbsize, Flushall, Flushdb, Hello, Keys, Quit, Reset};
    matches!(name, Auth | Dbsize | Flushall | Flushdb | Hello | Keys | Quit | Reset)
}

/// Commands that go from partition to partition.
pub(super) fn looks_at_all_keys(name: Name) -> bool {
    use Name::{ClusterCountkeysinslot, ClusterGetkeysinslot, Dbsize, Flushall, Flushdb, Info, Keys, Randomkey, Scan};
    matches!(
        name,
        Dbsize | Flushall | Flushdb | Info | Keys | Randomkey | Scan | ClusterCountkeysinslot | ClusterGetkeysinslot
    )
}

/// Does a command, or says why not.
pub(super) fn perform(call: &mut Call<'_, '_>) {
    if let Err(failure) = admitted(call) {
        return reject(call.session, call.writer.lend(), Some(call.name), &failure);
    }
    let done = match &call.session.transaction {
        None => allowed(call).and_then(|()| run(call)),
        Some(_) => transaction::within(call),
    };
    if let Err(failure) = done {
        refuse(call.session, call.writer.lend(), &failure);
    }
}

/// Refuses a command that is not looked at. An EXEC ends its transaction even so.
pub(super) fn reject(session: &mut Session, mut writer: Writer<'_>, name: Option<Name>, failure: &Failure<'_>) {
    match failure.message() {
        Some(message) if name == Some(Name::Exec) => {
            transaction::end(session);
            let reason = message.strip_prefix(b"ERR ").unwrap_or(&message);
            writer.error(&[b"EXECABORT Transaction discarded because of: ", reason].concat());
        }
        _ => refuse(session, writer, failure),
    }
}

/// A transaction of which one command was refused is not done at all.
fn refuse(session: &mut Session, mut writer: Writer<'_>, failure: &Failure<'_>) {
    if let Some(transaction) = &mut session.transaction {
        transaction.is_broken = true;
    }
    match failure.message() {
        Some(message) => writer.error(&message),
        None => session.next = Next::Close,
    }
}

/// Whether it is known who asks, and may do this.
fn admitted<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let flags = call.name.spec().flags;
    if flags.has(Flags::NO_AUTH) {
        return Ok(());
    }
    let access = &call.shared.access;
    let (store, now) = (&call.shared.store, call.executor.now);
    if !call.session.standing.as_mut().is_some_and(|standing| access.still_stands(store, standing, now)) {
        call.session.stand(None);
    }
    let Some(standing) = &call.session.standing else {
        return Err(Failure::Said("NOAUTH Authentication required."));
    };
    let caller = standing.caller;
    if caller.may(operation(call.name)).is_err() {
        let name = call.name.spec().text;
        return Err(Failure::Told(format!("NOPERM this user has no permissions to run the '{name}' command")));
    }
    access.admit(caller, || call.session.client.address.ip(), now).map_err(login::of_denied)
}

/// What a scope must allow for this command.
fn operation(name: Name) -> Operation {
    match name {
        // A rename takes a key away.
        Name::Del | Name::Unlink | Name::Getdel | Name::Flushdb | Name::Flushall | Name::Rename | Name::Renamenx => {
            Operation::Delete
        }
        _ if name.spec().flags.has(Flags::WRITE) => Operation::Write,
        _ => Operation::Read,
    }
}

/// Cluster clients may name the keys of one slot only.
fn allowed<'c>(call: &Call<'c, '_>) -> Done<'c> {
    if call.session.port == Port::Cluster && call.place.is_some() && call.arguments.len() > 2 {
        let mut slots = call.name.spec().keys.of(call.arguments).map(Slot::of);
        let first = slots.next();
        if slots.any(|slot| Some(slot) != first) {
            return Err(CROSSSLOT);
        }
    }
    Ok(())
}

fn run<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    match call.name {
        Name::Get => read::get(call),
        Name::Set => set::set(call),
        Name::Mget => read::mget(call),
        Name::Strlen => read::strlen(call),
        Name::Getrange | Name::Substr => read::getrange(call),
        Name::Exists | Name::Touch => read::exists(call),
        Name::Type => read::kind(call),
        Name::Ttl => read::ttl(call),
        Name::Pttl => read::pttl(call),
        Name::Expiretime => read::expiretime(call),
        Name::Pexpiretime => read::pexpiretime(call),
        Name::Setnx => set::setnx(call),
        Name::Setex => set::setex(call),
        Name::Psetex => set::psetex(call),
        Name::Getset => set::getset(call),
        Name::Mset => set::mset(call),
        Name::Getdel => delete::getdel(call),
        Name::Del | Name::Unlink => delete::del(call),
        Name::Append => change::append(call),
        Name::Setrange => change::setrange(call),
        Name::Incr => change::incr(call),
        Name::Decr => change::decr(call),
        Name::Incrby => change::incrby(call),
        Name::Decrby => change::decrby(call),
        Name::Incrbyfloat => change::incrbyfloat(call),
        Name::Getex => expire::getex(call),
        Name::Expire => expire::expire(call),
        Name::Pexpire => expire::pexpire(call),
        Name::Expireat => expire::expireat(call),
        Name::Pexpireat => expire::pexpireat(call),
        Name::Persist => expire::persist(call),
        Name::Rename => rename::rename(call),
        Name::Renamenx => rename::renamenx(call),
        Name::Scan => walks::scan(call),
        Name::Keys => walks::keys(call),
        Name::Dbsize => walks::dbsize(call),
        Name::Flushdb | Name::Flushall => walks::flush(call),
        Name::Randomkey => walks::randomkey(call),
        Name::Multi => transaction::multi(call),
        Name::Exec => Err(Failure::Said("ERR EXEC without MULTI")),
        Name::Discard => Err(Failure::Said("ERR DISCARD without MULTI")),
        Name::Watch => transaction::watch(call),
        Name::Unwatch => transaction::unwatch(call),
        name => run_without_keys(name, call),
    }
}

fn run_without_keys<'c>(name: Name, call: &mut Call<'c, '_>) -> Done<'c> {
    match name {
        Name::Ping => connection::ping(call),
        Name::Echo => connection::echo(call),
        Name::Hello => connection::greet(call),
        Name::Auth => connection::auth(call),
        Name::Select => connection::select(call),
        Name::Quit => connection::quit(call),
        Name::Reset => connection::reset(call),
        Name::Time => connection::time(call),
        Name::ClientGetname => client::getname(call),
        Name::ClientId => client::id(call),
        Name::ClientInfo => client::info(call),
        Name::ClientKill => client::kill(call),
        Name::ClientList => client::list(call),
        Name::ClientNoEvict => client::no_evict(call),
        Name::ClientReply => client::reply(call),
        Name::ClientSetinfo => client::setinfo(call),
        Name::ClientSetname => client::setname(call),
        Name::Info => info::info(call),
        Name::ConfigGet => config::get(call),
        Name::Command => describe(call, 1),
        Name::CommandInfo => describe(call, 2),
        Name::CommandCount => {
            call.writer.integer(i64::try_from(table::count()).unwrap_or(i64::MAX));
            Ok(())
        }
        Name::CommandDocs => {
            table::docs(&mut call.writer, call.arguments.from(2));
            Ok(())
        }
        Name::CommandList => {
            table::names(&mut call.writer, command_list::parse(call.arguments.from(2))?);
            Ok(())
        }
        Name::CommandGetkeys => getkeys(call),
        Name::ClientHelp => help(call, Name::Client),
        Name::CommandHelp => help(call, Name::Command),
        Name::ConfigHelp => help(call, Name::Config),
        Name::ClusterHelp if call.session.port == Port::Cluster => help(call, Name::Cluster),
        name => cluster::run(name, call),
    }
}

fn describe<'c>(call: &mut Call<'c, '_>, from: usize) -> Done<'c> {
    table::info(&mut call.writer, call.arguments.from(from));
    Ok(())
}

fn help<'c>(call: &mut Call<'c, '_>, container: Name) -> Done<'c> {
    table::help(&mut call.writer, container);
    Ok(())
}

fn getkeys<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let keys: Vec<&[u8]> = table::keys_of(call.arguments.from(2)).map_err(Failure::Getkeys)?.collect();
    call.writer.array(keys.len());
    for key in keys {
        call.writer.bulk(key);
    }
    Ok(())
}
