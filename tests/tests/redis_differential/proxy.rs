//! A redis-server's replies, some of them changed on their way.

use std::io::{self, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use anyhow::Result;

use crate::wire::{self, Answer, Reply};

/// A way to be wrong.
#[derive(Debug)]
pub(crate) struct Lie {
    /// Completes the sentence "a server that ...".
    pub(crate) name: &'static str,
    /// What becomes of a reply.
    tell: fn(Reply) -> Reply,
    /// Whether one reply is sent again.
    twice: bool,
}

pub(crate) static LIES: &[Lie] = &[
    Lie { name: "counts one too many", tell: counted, twice: false },
    Lie { name: "lets keys live longer", tell: later, twice: false },
    Lie { name: "has an empty value where there is none", tell: emptied, twice: false },
    Lie { name: "says null in the words of the other protocol", tell: translated, twice: false },
    Lie { name: "puts an error into other words", tell: reworded, twice: false },
    Lie { name: "loses the last element", tell: shortened, twice: false },
    Lie { name: "turns the order of an array", tell: turned, twice: false },
    Lie { name: "says OK for QUEUED", tell: unqueued, twice: false },
    Lie { name: "says PONG twice", tell: |reply| reply, twice: true },
];

/// Lives as long as its connections do.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
}

impl Proxy {
    pub(crate) fn start(server: SocketAddr, lie: &'static Lie) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                thread::spawn(move || between(&client, server, lie));
            }
        });
        Ok(Self { address })
    }
}

fn between(client: &TcpStream, server: SocketAddr, lie: &Lie) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    let (mut requests, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut requests, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let (mut replies, mut to_client) = (BufReader::new(server), client);
    while let Answer::Reply(reply) = wire::read(&mut replies) {
        let again = lie.twice && reply.line == b"PONG";
        let mut bytes = Vec::new();
        (lie.tell)(reply).write(&mut bytes);
        to_client.write_all(&bytes.repeat(if again { 2 } else { 1 }))?;
    }
    to_client.shutdown(Shutdown::Both)
}

fn counted(reply: Reply) -> Reply {
    match reply.integer() {
        Some(number @ 2..50) => Reply { line: (number + 1).to_string().into_bytes(), ..reply },
        _ => reply,
    }
}

/// By far more than passes between two questions.
fn later(reply: Reply) -> Reply {
    match reply.integer() {
        Some(number @ 90_000..4_000_000_000_000) => Reply { line: (number + 9000).to_string().into_bytes(), ..reply },
        _ => reply,
    }
}

fn emptied(reply: Reply) -> Reply {
    if reply.is_null() { Reply { kind: b'$', line: b"0".to_vec(), ..reply } } else { reply }
}

fn translated(reply: Reply) -> Reply {
    if reply.kind == b'_' { Reply { kind: b'$', line: b"-1".to_vec(), ..reply } } else { reply }
}

fn reworded(mut reply: Reply) -> Reply {
    if reply.is_error() {
        reply.line.push(b'.');
    }
    reply
}

fn shortened(mut reply: Reply) -> Reply {
    if reply.kind == b'*' && reply.items.len() > 1 {
        reply.items.pop();
        reply.line = reply.items.len().to_string().into_bytes();
    }
    reply
}

fn turned(mut reply: Reply) -> Reply {
    reply.items.reverse();
    reply
}

fn unqueued(reply: Reply) -> Reply {
    if reply.line == b"QUEUED" { Reply { line: b"OK".to_vec(), ..reply } } else { reply }
}
