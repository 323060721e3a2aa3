//! Commands about the connection itself.

use super::super::call::{Call, Done};
use super::super::failure::Failure;
use super::super::login::{Welcome, log_in};
use super::super::session::{Next, Port, Session};
use super::info::REDIS_VERSION;
use crate::resp::options::hello as options;
use crate::resp::options::number;
use crate::resp::reply::{Protocol, Writer};

const NOT_YET: &str = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH \
                       <user> <pass> option can be used to authenticate the client and select the RESP protocol version at \
                       the same time";

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

pub(super) fn greet<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let hello = options::parse(call.arguments.from(1))?;
    let (protocol, name) = (hello.protocol, hello.name.map(Box::from));
    match hello.credentials {
        Some(credentials) => log_in(call, credentials, Welcome::Hello { protocol, name }),
        None if call.session.standing.is_none() => Err(Failure::Said(NOT_YET)),
        None => {
            super::hello(call.session, &mut call.writer, protocol, name);
            Ok(())
        }
    }
}

/// What HELLO changes and answers.
pub(in super::super) fn hello(
    session: &mut Session,
    writer: &mut Writer<'_>,
    protocol: Option<Protocol>,
    name: Option<Box<[u8]>>,
) {
    if let Some(name) = name {
        session.client.words().name = name;
    }
    if let Some(protocol) = protocol {
        session.protocol = protocol;
        session.client.words().protocol = protocol;
        writer.speak(protocol);
    }
    writer.map(7);
    writer.bulk(b"server");
    writer.bulk(b"redis");
    writer.bulk(b"version");
    writer.bulk(REDIS_VERSION.as_bytes());
    writer.bulk(b"proto");
    writer.integer(if session.protocol == Protocol::Resp3 { 3 } else { 2 });
    writer.bulk(b"id");
    writer.integer(i64::try_from(session.client.id).unwrap_or(i64::MAX));
    writer.bulk(b"mode");
    writer.bulk(if session.port == Port::Cluster { b"cluster" } else { b"standalone" });
    writer.bulk(b"role");
    writer.bulk(b"master");
    writer.bulk(b"modules");
    writer.array(0);
}

pub(super) fn auth<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let credentials = options::credentials(call.arguments.from(1))?;
    log_in(call, credentials, Welcome::Auth)
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
    call.session.reset(call.shared.access.standing_of_stranger());
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
