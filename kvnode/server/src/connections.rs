//! From a listening socket to answered requests. Every connection is bounded in time and size, and they all end when
//! the node drains: requests under way are answered, then the connection is closed.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::Service;

use crate::http::hot::{self, Hot, Left};
use crate::rewound::Rewound;
use crate::shared::Shared;
use crate::tls::Tls;

/// A request line and headers; a key of 256 bytes is at most 768 of them, escaped.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// What is read from a connection ahead of being used.
const READ_AHEAD_BYTES_MAX: usize = 64 * 1024;

/// A client that takes nothing of its answer for so long is gone, or might as well be.
const UNREAD_ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// When the node drains, a connection on which no request has begun may have one under way.
const FIRST_REQUEST_GRACE: Duration = Duration::from_secs(1);

/// When the process is out of files, trying again at once would only burn the core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a listener takes connections.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lifetime {
    UntilDrain,
    /// Probes must see a node that is draining, not one that is gone.
    UntilProcessEnds,
}

impl Lifetime {
    async fn ended(self, shared: &Shared) {
        match self {
            Self::UntilDrain => shared.drain_begun().await,
            Self::UntilProcessEnds => std::future::pending().await,
        }
    }

    /// Probes and scrapes come in the clear: they carry nothing that is worth a certificate's trouble.
    fn tls(self, shared: &Shared) -> Option<Tls> {
        match self {
            Self::UntilDrain => shared.live().tls.clone(),
            Self::UntilProcessEnds => None,
        }
    }
}

/// How requests are answered.
#[derive(Clone, Debug)]
pub(crate) struct Ways {
    /// All of them.
    pub(crate) router: Router,
    /// Those for which there is a shorter way.
    pub(crate) hot: Option<Arc<Hot>>,
}

/// Serves for the given time, then until the connections are done.
pub(crate) async fn serve(listener: TcpListener, ways: Ways, shared: Arc<Shared>, lifetime: Lifetime) {
    let mut connections = JoinSet::new();
    let mut end = pin!(lifetime.ended(&shared));
    let answer = |stream: TcpStream, caller: SocketAddr, permit: OwnedSemaphorePermit| {
        connection(stream, caller, ways.clone(), Arc::clone(&shared), lifetime, permit)
    };
    loop {
        let next = async {
            let permit = Arc::clone(&shared.connections).acquire_owned().await;
            (permit.expect("the semaphore is never closed"), listener.accept().await)
        };
        tokio::select! {
            () = &mut end => break,
            Some(_) = connections.join_next() => {}
            (permit, accepted) = next => match accepted {
                Ok((stream, caller)) => {
                    connections.spawn(answer(stream, caller, permit));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    // Clients whose connection the kernel has completed believe they are connected; closing the socket would reset
    // them, so they are served like the others.
    while let Ok(permit) = Arc::clone(&shared.connections).try_acquire_owned()
        && let Some(Ok((stream, caller))) = accept_waiting(&listener).await
    {
        connections.spawn(answer(stream, caller, permit));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn accept_waiting(listener: &TcpListener) -> Option<std::io::Result<(TcpStream, SocketAddr)>> {
    poll_fn(|context| {
        Poll::Ready(match listener.poll_accept(context) {
            Poll::Ready(accepted) => Some(accepted),
            Poll::Pending => None,
        })
    })
    .await
}

/// Counts a connection for as long as it is there, whatever way it ends.
struct Counted(Arc<Shared>);

impl Counted {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.metrics.active_connections.inc();
        Self(Arc::clone(shared))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.metrics.active_connections.dec();
    }
}

async fn connection(
    stream: TcpStream,
    caller: SocketAddr,
    ways: Ways,
    shared: Arc<Shared>,
    lifetime: Lifetime,
    _permit: OwnedSemaphorePermit,
) {
    let _counted = Counted::new(&shared);
    if let Err(error) = prepare(&stream) {
        tracing::debug!(%error, %caller, "a connection broke before it was used");
        return;
    }
    let tls = lifetime.tls(&shared);
    let Some(tls) = tls else { return talk(stream, caller, ways, shared, lifetime).await };
    match shared.handshakes.with(&tls, stream, shared.settings.timeouts.handshake).await {
        Ok(stream) => talk(stream, caller, ways, shared, lifetime).await,
        Err(error) => tracing::debug!(%error, %caller, "a connection could not be encrypted"),
    }
}

pub(crate) async fn talk(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    caller: SocketAddr,
    Ways { router, hot }: Ways,
    shared: Arc<Shared>,
    lifetime: Lifetime,
) {
    // Holds its notice until someone asks for it, so it also tells that a request began some time ago.
    let begun = Notify::new();
    let mut read = Vec::new();
    if let Some(hot) = hot {
        match hot::serve(&mut stream, caller.ip(), &hot).await {
            Ok(Left::Ended) => return,
            Ok(Left::General { read: first, begun: has_begun }) => {
                read = first;
                if has_begun {
                    begun.notify_one();
                }
            }
            Err(error) => return tracing::debug!(%error, %caller, "a connection ended early"),
        }
    }
    let stream = Rewound::new(read, stream);
    let service = service_fn(|mut request: http::Request<Incoming>| {
        begun.notify_one();
        request.extensions_mut().insert(ConnectInfo(caller));
        router.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.settings.timeouts.next_head)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(READ_AHEAD_BYTES_MAX)
        // A client that has said all it has to say may still listen.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // The connection comes first in each of these, so that what has arrived is read before anything is decided.
    let ended = tokio::select! {
        biased;
        ended = &mut connection => ended,
        () = lifetime.ended(&shared) => tokio::select! {
            biased;
            ended = &mut connection => ended,
            begun = timeout(FIRST_REQUEST_GRACE, begun.notified()) => {
                connection.as_mut().graceful_shutdown();
                if begun.is_ok() { connection.await } else { Ok(()) }
            }
        },
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %caller, "a connection ended early");
    }
}

/// Answers are sent at once, not held back to fill a packet.
fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(UNREAD_ANSWER_TIME_MAX))
}
