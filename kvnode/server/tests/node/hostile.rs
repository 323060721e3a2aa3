//! What no honest client sends: it costs its sender the connection, and others nothing.

use std::net::SocketAddr;
use std::time::Duration;

use futures::future::join_all;
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{get, put, send};
use crate::in_process::TestNode;

/// Far beyond what any answer here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Everything the node says to these bytes until it closes the connection.
async fn said_to(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the node listens");
    // The node may refuse before it has taken all of it.
    let _ = stream.write_all(bytes).await;
    let mut said = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut said)).await.expect("the node closes the connection");
    // A reset is a closed connection, too, when not all was taken.
    if let Err(error) = read {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn statuses(said: &str) -> Vec<&str> {
    said.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 ")).filter_map(|rest| rest.get(..3)).collect()
}

/// A proxy in front may believe one length and the node the other: whatever stands behind such a request is not read.
#[tokio::test]
async fn a_request_with_two_lengths_is_the_last_of_its_connection() {
    let node = TestNode::with_master_key();
    put(node.address, "/kv/k", "1").await;
    let smuggled = "DELETE /kv/k HTTP/1.1\r\nhost: x\r\n\r\n";
    let both =
        ["content-length: 6\r\ntransfer-encoding: chunked\r\n", "transfer-encoding: chunked\r\ncontent-length: 6\r\n"];
    for lengths in both {
        let request = format!("PUT /kv/a HTTP/1.1\r\nhost: x\r\n{lengths}\r\n1\r\n7\r\n0\r\n\r\n{smuggled}");
        let said = said_to(node.address, request.as_bytes()).await;
        assert_eq!(statuses(&said).len(), 1, "{said}");
    }
    for lengths in [
        "content-length: 1\r\ncontent-length: 2\r\n",
        "content-length: 1, 2\r\n",
        "content-length: -1\r\n",
        "content-length: +1\r\n",
        "content-length: 0x1\r\n",
        "content-length: 99999999999999999999999\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding: gzip\r\n",
    ] {
        let request = format!("PUT /kv/a HTTP/1.1\r\nhost: x\r\n{lengths}\r\n1{smuggled}");
        let said = said_to(node.address, request.as_bytes()).await;
        assert_eq!(statuses(&said), ["400"], "{lengths} {said}");
    }
    assert_eq!(get(node.address, "/kv/k").await.version(), 1, "nothing was smuggled in");
}

#[tokio::test]
async fn what_is_no_http_is_400_and_the_end() {
    let node = TestNode::with_master_key();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"*1\r\n$4\r\nPING\r\n",
        b"GET\r\n\r\n",
        b"GET /kv/k\r\n\r\n",
        b"GET /kv/k HTTP/9.9\r\n\r\n",
        b"GET /kv/k HTTP/1.1\r\nhost : x\r\n\r\n",
        b"GET /kv/k HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n",
        b"GET /kv/k HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /kv/k HTTP/1.1\r\nx: a\0b\r\n\r\n",
        b"GET /kv/\xff HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    ] {
        let said = said_to(node.address, bytes).await;
        assert_eq!(statuses(&said), ["400"], "{:?}: {said}", String::from_utf8_lossy(bytes));
    }
}

#[tokio::test]
async fn a_head_beyond_its_limits_is_431_or_414() {
    let node = TestNode::with_master_key();
    let long_value = format!("GET /kv/k HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(64 * 1024));
    let many = format!("GET /kv/k HTTP/1.1\r\n{}\r\n", "x: 1\r\n".repeat(5000));
    let endless = format!("GET /kv/k HTTP/1.1\r\nx: {}", "a".repeat(256 * 1024));
    for request in [long_value, many, endless] {
        let said = said_to(node.address, request.as_bytes()).await;
        assert_eq!(statuses(&said), ["431"], "{said}");
    }
    let long_path = format!("GET /kv/{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(128 * 1024));
    let said = said_to(node.address, long_path.as_bytes()).await;
    assert!(["414", "431"].contains(&statuses(&said)[0]), "{said}");
}

/// A body without an announced length is bounded like any other.
#[tokio::test]
async fn an_endless_chunked_body_is_cut_off() {
    let node = TestNode::with_master_key();
    let mut stream = TcpStream::connect(node.address).await.expect("the node listens");
    let head = b"PUT /kv/k HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head).await.expect("a connection");
    let chunk = [b"10000\r\n".as_slice(), &vec![b'7'; 0x10000], b"\r\n"].concat();
    let mut sent = 0_usize;
    let feeding = async {
        // Ends when the node takes no more.
        while stream.write_all(&chunk).await.is_ok() {
            sent += 0x10000;
        }
    };
    timeout(PATIENCE, feeding).await.expect("the node does not read for ever");
    assert!(sent < 16 << 20, "{sent} bytes were taken");
    assert_eq!(get(node.address, "/kv/k").await.status, StatusCode::NOT_FOUND);
    for broken in ["zz\r\n1\r\n", "1\r\n11\r\n0\r\n\r\n", "ffffffffffffffffff\r\n1\r\n"] {
        let request = format!("PUT /kv/k HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{broken}");
        let said = said_to(node.address, request.as_bytes()).await;
        assert!(statuses(&said).iter().all(|status| status.starts_with('4')), "{broken:?}: {said}");
    }
    assert_eq!(get(node.address, "/kv/k").await.status, StatusCode::NOT_FOUND);
}

/// Two hundred clients that never finish their bodies do not keep others waiting.
#[tokio::test]
async fn slow_bodies_hold_up_nobody_else() {
    let node = TestNode::with(&["--threads", "1"], &[]);
    let slow = |length: usize| async move {
        let mut stream = TcpStream::connect(node.address).await.expect("the node listens");
        let head = format!("PUT /kv/slow HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n1");
        stream.write_all(head.as_bytes()).await.expect("a connection");
        stream
    };
    let held = join_all((0..200).map(|_| slow(4000))).await;
    for number in 0..50 {
        let answer = timeout(PATIENCE, put(node.address, &format!("/kv/quick{number}"), "1")).await;
        assert_eq!(answer.expect("others are served meanwhile").version(), 1);
    }
    drop(held);
    assert_eq!(get(node.address, "/kv/slow").await.status, StatusCode::NOT_FOUND, "half a body is no value");
}

/// Nesting is counted before anything walks into it.
#[tokio::test]
async fn ten_thousand_brackets_are_400_wherever_they_stand() {
    let node = TestNode::with_master_key();
    let json = [("content-type", "application/json")];
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        for (method, path, body) in [
            ("PUT", "/kv/k", deep.clone()),
            ("PUT", "/dev/kv/k", format!(r#"{{"value":{deep}}}"#)),
            ("PUT", "/dev/kv/k", format!(r#"{{"value":1,"tags":{deep}}}"#)),
            ("POST", "/dev/kv", deep.clone()),
            ("POST", "/api/v1/kv", format!(r#"{{"key":"k","value":{deep}}}"#)),
            ("POST", "/api/v1/kv", format!(r#"{{"key":{deep},"value":1}}"#)),
            ("POST", "/api/v1/kv/batch", format!(r#"{{"items":[{{"key":"k","value":{deep}}}]}}"#)),
            ("POST", "/api/v1/kv/batch", format!(r#"{{"items":{deep}}}"#)),
            ("PATCH", "/kv/k", deep.clone()),
        ] {
            let answer = send(node.address, method, path, &json, body).await;
            assert!(answer.status.is_client_error(), "{method} {path} is {}", answer.status);
        }
    }
    assert_eq!(get(node.address, "/kv/k").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn half_closed_connections_are_answered_or_closed() {
    let node = TestNode::with_master_key();
    for request in
        ["GET /health HTTP/1.1\r\nhost: x\r\n\r\n", "PUT /kv/k HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1"]
    {
        let mut stream = TcpStream::connect(node.address).await.expect("the node listens");
        stream.write_all(request.as_bytes()).await.expect("a connection");
        stream.shutdown().await.expect("a connection");
        let mut said = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut said)).await.expect("the node closes").expect("an orderly end");
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(statuses(&said).iter().all(|status| ["200", "400"].contains(status)), "{said}");
    }
    assert_eq!(get(node.address, "/kv/k").await.status, StatusCode::NOT_FOUND);
}
