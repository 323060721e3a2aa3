//! The side that speaks: it finds out who is at an address, keeps a connection to it, and sends what is to be said.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::{GREETING_TIME_MAX, Link, Peers};
use crate::cluster::wire::{FrameError, GREETING_BYTES_MAX, Introduction, Payload, encode, read};

/// Between two tries: soon enough for a node that has just come back, seldom enough for one that is gone.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// A node that takes nothing for so long is not there, whatever its kernel says.
const SEND_TIME_MAX: Duration = Duration::from_secs(5);

/// What is kept of a buffer after a burst.
const KEPT_BYTES: usize = 1 << 20;

#[derive(Debug, Error)]
enum Unreached {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("it refuses this node: {0}")]
    Refused(String),
    #[error("it does not greet as a node does")]
    Unmannered,
    #[error("it takes too long")]
    Slow,
    #[error("it is this node itself")]
    Myself,
    #[error("what was said to it has piled up")]
    Overflown,
    #[error("it has ended the connection")]
    Ended,
}

/// Keeps a connection to whoever is at this address, for ever, or until it turns out to be this node.
pub(crate) async fn dial(peers: Arc<Peers>, address: String) {
    let mut told = String::new();
    loop {
        let reason = match reach(&peers, &address, &mut told).await {
            Ok(never) => match never {},
            Err(Unreached::Myself) => return,
            Err(reason) => reason.to_string(),
        };
        // Once for each reason: a node that is gone for an hour is no news every 200 ms.
        if told != reason {
            tracing::info!(peer = address.as_str(), reason = reason.as_str(), "a peer is not connected");
            told = reason;
        }
        sleep(AGAIN_AFTER).await;
    }
}

async fn reach(peers: &Peers, address: &str, told: &mut String) -> Result<std::convert::Infallible, Unreached> {
    let greeting = timeout(GREETING_TIME_MAX, greet(peers, address)).await;
    let (mut stream, who) = greeting.map_err(|_| Unreached::Slow)??;
    if who.member.node == peers.me().member.node {
        return Err(Unreached::Myself);
    }
    told.clear();
    tracing::info!(peer = address, name = who.name.as_str(), member = %who.member, "a peer is connected");
    let link = Arc::new(Link::to(who.member));
    peers.note(&who);
    peers.connect(&link);
    let ended = speak(&mut stream, &link).await;
    peers.disconnect(&link);
    ended
}

async fn greet(peers: &Peers, address: &str) -> Result<(TcpStream, Introduction), Unreached> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut hello = Vec::new();
    encode(&Payload::Hello(peers.hello.clone()), &mut hello);
    stream.write_all(&hello).await?;
    match read(&mut stream, GREETING_BYTES_MAX).await? {
        Some(Payload::Welcome(who)) => Ok((stream, who)),
        Some(Payload::Refused(why)) => Err(Unreached::Refused(why)),
        None => Err(Unreached::Ended),
        Some(_) => Err(Unreached::Unmannered),
    }
}

async fn speak(stream: &mut TcpStream, link: &Link) -> Result<std::convert::Infallible, Unreached> {
    let (mut reading, mut writing) = stream.split();
    let mut buffer = Vec::new();
    let mut nothing = [0];
    loop {
        buffer.shrink_to(KEPT_BYTES);
        tokio::select! {
            // Nothing is ever said in this direction; it ends when the other side does.
            ended = reading.read(&mut nothing) => return Err(ended.map_or_else(Unreached::Io, |_| Unreached::Ended)),
            next = link.next(std::mem::take(&mut buffer)) => {
                buffer = next.ok_or(Unreached::Overflown)?;
                timeout(SEND_TIME_MAX, writing.write_all(&buffer)).await.map_err(|_| Unreached::Slow)??;
            }
        }
    }
}
