//! Takes the connections of the two small servers: a bounded number at once, each for one request and a bounded time.
//! Whoever opens connections and says nothing must not cost the operator its memory or its file descriptors, for with
//! them it talks to the API server.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// What one server grants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    connections: usize,
    lasting: Duration,
}

/// A kubelet and a few scrapers need a handful of connections. An answer takes milliseconds, and the kubelet gives a
/// probe up after 5 s at most.
pub(crate) const BOUNDS: Bounds = Bounds { connections: 32, lasting: Duration::from_secs(10) };

/// Serves `app` until no connection can be taken any more, and says why.
pub(crate) async fn accept(listener: TcpListener, app: Router, bounds: Bounds) -> io::Error {
    let places = Arc::new(Semaphore::new(bounds.connections));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("nobody closes the semaphore");
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => return error,
        };
        let service = TowerToHyperService::new(app.clone());
        // One request each: a connection kept open for the next one would hold a place that somebody else needs.
        let connection = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            // Broken off or too slow, it was the client's affair; there is nothing to be done about either.
            let _ = tokio::time::timeout(bounds.lasting, connection).await;
            drop(place);
        });
    }
}

/// The client went away before it was let in; the next one may be waiting.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    async fn server(bounds: Bounds) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        tokio::spawn(accept(listener, Router::new().route("/livez", get(|| async { "ok\n" })), bounds));
        address
    }

    async fn ask(address: SocketAddr) -> String {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("the server ends the connection");
        answer
    }

    /// With one place, taken by somebody who says nothing, the second request is answered only because the first
    /// connection is ended.
    #[tokio::test]
    async fn a_silent_client_does_not_keep_the_others_out() {
        let address = server(Bounds { connections: 1, lasting: Duration::from_millis(50) }).await;
        let mut silent = TcpStream::connect(address).await.expect("a connection");
        let answer = ask(address).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok\n"), "{answer}");
        assert_eq!(silent.read(&mut [0]).await.expect("an orderly end"), 0);
    }

    #[tokio::test]
    async fn a_place_is_free_again_after_its_request() {
        let address = server(Bounds { connections: 1, lasting: Duration::from_secs(3_600) }).await;
        for _ in 0..3 {
            assert!(ask(address).await.starts_with("HTTP/1.1 200 OK"));
        }
    }
}
