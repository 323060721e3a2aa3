//! Commands about the connection itself.

use super::super::call::{Call, Done};
use super::super::failure::Failure;
use super::super::session::{Next, Port};
use super::info::REDIS_VERSION;
use crate::resp::options::hello::{self as options, Credentials};
use crate::resp::options::number;
use crate::resp::reply::Protocol;

pub(super) fn ping<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    match call.arguments.len() {
        1 => call.writer.simple("PONG"),
        2 => call.writer.bulk(call.argument(1)),
        _ => return Err(Failure::Said("ERR wrong number of arguments for 'ping' command")),
    }
    Ok(())
}

pub(super) fn echo<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    call.writer.bulk(call.argument(1));
    Ok(())
}

pub(super) fn hello<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let hello = options::parse(call.arguments.from(1))?;
    if let Some(credentials) = hello.credentials {
        log_in(credentials)?;
    }
    if let Some(name) = hello.name {
        call.session.client.words().name = name.into();
    }
    if let Some(protocol) = hello.protocol {
        call.session.protocol = protocol;
        call.session.client.words().protocol = protocol;
        call.writer.speak(protocol);
    }
    let writer = &mut call.writer;
    writer.map(7);
    writer.bulk(b"server");
    writer.bulk(b"redis");
    writer.bulk(b"version");
    writer.bulk(REDIS_VERSION.as_bytes());
    writer.bulk(b"proto");
    writer.integer(if call.session.protocol == Protocol::Resp3 { 3 } else { 2 });
    writer.bulk(b"id");
    writer.integer(i64::try_from(call.session.client.id).unwrap_or(i64::MAX));
    writer.bulk(b"mode");
    writer.bulk(if call.session.port == Port::Cluster { b"cluster" } else { b"standalone" });
    writer.bulk(b"role");
    writer.bulk(b"master");
    writer.bulk(b"modules");
    writer.array(0);
    Ok(())
}

pub(super) fn auth<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    log_in(options::credentials(call.arguments.from(1))?)?;
    call.writer.ok();
    Ok(())
}

/// There are no accounts here; the user that everybody is has any password.
fn log_in(credentials: Credentials<'_>) -> Result<(), Failure<'static>> {
    match credentials.username {
        Some(b"default") => Ok(()),
        Some(_) => Err(Failure::Said("WRONGPASS invalid username-password pair or user is disabled.")),
        None => Err(Failure::Said(
            "ERR AUTH <password> called without any password configured for the default user. Are you sure your \
             configuration is correct?",
        )),
    }
}

/// There is one database, as in a Redis Cluster.
pub(super) fn select<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    match (number::integer(call.argument(1))?, call.session.port) {
        (0, _) => call.writer.ok(),
        (_, Port::Cluster) => return Err(Failure::Said("ERR SELECT is not allowed in cluster mode")),
        (_, Port::Plain) => return Err(Failure::Said("ERR DB index is out of range")),
    }
    Ok(())
}

pub(super) fn quit<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    call.session.next = Next::Close;
    call.writer.ok();
    Ok(())
}

pub(super) fn reset<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    call.session.reset();
    call.writer.simple("RESET");
    Ok(())
}

/// To the millisecond, which is as well as the node knows it.
pub(super) fn time<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let milliseconds = call.executor.now.get();
    call.writer.array(2);
    call.writer.bulk((milliseconds / 1000).to_string().as_bytes());
    call.writer.bulk((milliseconds % 1000 * 1000).to_string().as_bytes());
    Ok(())
}
