//! How the program ends: requests under way are answered, and only someone who insists cuts them off.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use http::StatusCode;
use nix::sys::signal::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::client::{get, put};
use crate::program::Program;

const PATIENCE: Duration = Duration::from_secs(20);

fn start() -> Program {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it is bound").port();
    Program::start(&["--port", "0", "--threads", "2", "--metrics-port", &free.to_string()], &[])
}

/// A PUT whose handler waits for the rest of the body.
struct HalfSent(TcpStream);

impl HalfSent {
    const BODY: &str = r#"{"value":"sent in two parts"}"#;

    async fn begin(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("the node listens");
        let head = format!(
            "PUT /dev/kv/k HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
            Self::BODY.len()
        );
        stream.write_all(head.as_bytes()).await.expect("a connection");
        // The node answers this when the handler begins to read, so from here on the request is under way.
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).await.expect("a first answer");
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(&Self::BODY.as_bytes()[..10]).await.expect("a connection");
        Self(stream)
    }

    async fn finish(mut self) -> String {
        self.0.write_all(&Self::BODY.as_bytes()[10..]).await.expect("a connection");
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).await.expect("an answer, then the end");
        answer
    }
}

async fn until_not_ready(address: SocketAddr) {
    let not_ready = async {
        while get(address, "/readyz").await.status != StatusCode::SERVICE_UNAVAILABLE {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, not_ready).await.expect("the node drains");
}

/// C19
#[tokio::test]
async fn sigterm_lets_a_request_under_way_finish_and_ends_with_0() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut node = start();
        let metrics_address = node.metrics_address.expect("a second listener");
        put(node.address, "/dev/kv/other", r#"{"value":1}"#).await;
        let request = HalfSent::begin(node.address).await;
        node.signal(signal);
        until_not_ready(metrics_address).await;
        let not_ready = get(metrics_address, "/readyz").await.json();
        assert_eq!(not_ready["status"], "not ready");
        assert!(not_ready["reason"].as_str().expect("a reason").contains("shutting down"));
        assert_eq!(get(metrics_address, "/livez").await.status, StatusCode::OK, "draining is not dead");
        let refused = timeout(PATIENCE, async {
            while TcpStream::connect(node.address).await.is_ok() {
                sleep(Duration::from_millis(5)).await;
            }
        });
        refused.await.expect("no new connections are taken");

        let answer = request.finish().await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("sent in two parts"), "{answer}");
        assert_eq!(node.wait().code(), Some(0));
    }
}

#[tokio::test]
async fn idle_and_unused_connections_do_not_hold_up_the_end() {
    let mut node = start();
    let _never_used = TcpStream::connect(node.address).await.expect("the node listens");
    let mut idle = TcpStream::connect(node.address).await.expect("the node listens");
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("a connection");
    let mut answer = [0; 15];
    idle.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    node.signal(Signal::SIGTERM);
    assert_eq!(node.wait().code(), Some(0));
}

#[tokio::test]
async fn a_second_sigterm_ends_it_at_once_and_not_with_0() {
    let mut node = start();
    let request = HalfSent::begin(node.address).await;
    node.signal(Signal::SIGTERM);
    until_not_ready(node.metrics_address.expect("a second listener")).await;
    node.signal(Signal::SIGTERM);
    assert_eq!(node.wait().code(), Some(1));
    drop(request);
}

/// C19: a new start is empty, because nothing was kept outside the process.
#[tokio::test]
async fn a_new_start_is_empty() {
    let mut node = start();
    put(node.address, "/dev/kv/k", r#"{"value":1}"#).await;
    node.signal(Signal::SIGTERM);
    assert_eq!(node.wait().code(), Some(0));
    let node = start();
    assert_eq!(get(node.address, "/dev/kv/k").await.status, StatusCode::NOT_FOUND);
}
