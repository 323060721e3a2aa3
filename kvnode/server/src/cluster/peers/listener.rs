//! The side that listens: it finds out who speaks, and hands on what is said.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{GREETING_TIME_MAX, Peers};
use crate::cluster::wire::{FRAME_BYTES_MAX, FrameError, GREETING_BYTES_MAX, Introduction, Payload, encode, read};

/// One from each node, and some that have not noticed yet that they are over. Strangers get no further than a greeting.
const CONNECTIONS_MAX: usize = 256;

/// When the process is out of files, trying again at once would only burn the core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What is read at once: many small frames come together when there is much to say.
const READ_BYTES: usize = 256 << 10;

/// Whoever hears what is said. It must not wait for anything.
pub(crate) trait Received: Send + Sync + 'static {
    fn received(&self, from: &Introduction, payload: Payload);
}

/// Listens for ever.
pub(crate) async fn listen(peers: Arc<Peers>, listener: TcpListener, receiver: Arc<dyn Received>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, address)) => {
                let Ok(permit) = Arc::clone(&room).try_acquire_owned() else { continue };
                let (peers, receiver) = (Arc::clone(&peers), Arc::clone(&receiver));
                connections.spawn(async move {
                    let _permit = permit;
                    if let Err(error) = hear(&peers, stream, &*receiver).await {
                        tracing::info!(%address, %error, "a peer's connection has ended");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a peer's connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn hear(peers: &Peers, stream: TcpStream, receiver: &dyn Received) -> Result<(), FrameError> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(READ_BYTES, stream);
    let greeting = timeout(GREETING_TIME_MAX, greeted(peers, &mut stream)).await;
    let Some(who) = greeting.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?? else { return Ok(()) };
    while let Some(payload) = read(&mut stream, FRAME_BYTES_MAX).await? {
        // A later life of it has spoken: this one is over.
        if !peers.note(&who) {
            break;
        }
        receiver.received(&who, payload);
    }
    Ok(())
}

/// Who speaks, if it may.
async fn greeted(peers: &Peers, stream: &mut BufReader<TcpStream>) -> Result<Option<Introduction>, FrameError> {
    let Some(Payload::Hello(hello)) = read(stream, GREETING_BYTES_MAX).await? else { return Ok(None) };
    let is_myself = hello.who.member.node == peers.me().member.node;
    let refused = peers.refuses(&hello);
    let answer = match &refused {
        Some(why) => Payload::Refused(why.clone()),
        None => Payload::Welcome(peers.me().clone()),
    };
    let mut bytes = Vec::new();
    encode(&answer, &mut bytes);
    stream.get_mut().write_all(&bytes).await?;
    if let Some(why) = &refused {
        tracing::warn!(name = hello.who.name.as_str(), why = why.as_str(), "a peer is refused");
    }
    Ok((refused.is_none() && !is_myself && peers.note(&hello.who)).then_some(hello.who))
}
