//! A plain HTTP client: one connection for each request, everything of the answer at hand.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}"));
        value.to_str().expect("ASCII")
    }

    /// The version of an entry.
    pub(crate) fn version(&self) -> u64 {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        self.json()["version"].as_u64().expect("a number")
    }

    /// Fails unless this is an error of the given status and code, whose sentence names all the given words.
    pub(crate) fn expect_problem(&self, status: u16, code: &str, words: &[&str]) {
        let body = self.json();
        assert_eq!((self.status.as_u16(), body["code"].as_str()), (status, Some(code)), "{}", self.text());
        let sentence = body["error"].as_str().expect("a sentence");
        assert_eq!(body["detail"].as_str(), Some(sentence));
        for word in words {
            assert!(sentence.contains(word), "{sentence:?} does not name {word:?}");
        }
        assert!(sentence.ends_with('.'), "{sentence:?} is no sentence");
    }
}

/// The master key of nodes that are started with one.
pub(crate) const MASTER_KEY: &str = "master-key-of-the-tests";

/// Under the versioned paths nobody may be a stranger: who sends no word about itself there, sends the master key.
pub(crate) async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let stream = TcpStream::connect(address).await.expect("the node listens");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a fresh connection");
    let connection = tokio::spawn(connection);
    let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).expect("a method")).uri(path);
    request = request.header("host", address.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let named = headers.iter().any(|(name, _)| ["authorization", "x-api-key"].contains(name));
    let versioned = ["/api/v1/kv", "/api/v3/kv"].iter().any(|prefix| path.contains(prefix));
    if versioned && !named {
        request = request.header("x-api-key", MASTER_KEY);
    }
    let request = request.body(Full::new(body.into())).expect("a well-formed request");
    let response = sender.send_request(request).await.expect("an answer");
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    drop(sender);
    connection.await.expect("no panic").expect("a clean end");
    Answer { status: head.status, headers: head.headers, body }
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Answer {
    send(address, "GET", path, &[], Bytes::new()).await
}

pub(crate) async fn delete(address: SocketAddr, path: &str) -> Answer {
    send(address, "DELETE", path, &[], Bytes::new()).await
}

/// A PUT with a JSON body.
pub(crate) async fn put(address: SocketAddr, path: &str, body: impl Into<Bytes>) -> Answer {
    send(address, "PUT", path, &[("content-type", "application/json")], body).await
}

pub(crate) async fn put_with(address: SocketAddr, path: &str, header: (&str, &str), body: &str) -> Answer {
    send(address, "PUT", path, &[("content-type", "application/json"), header], body.to_owned()).await
}

/// A POST with a JSON body.
pub(crate) async fn post(address: SocketAddr, path: &str, body: impl Into<Bytes>) -> Answer {
    send(address, "POST", path, &[("content-type", "application/json")], body).await
}

pub(crate) async fn patch(address: SocketAddr, path: &str, content_type: &str, body: impl Into<Bytes>) -> Answer {
    send(address, "PATCH", path, &[("content-type", content_type)], body).await
}

/// An answer that is read while it comes, a line at a time.
pub(crate) struct Lines {
    body: hyper::body::Incoming,
    read: Vec<u8>,
    _connection: tokio::task::JoinHandle<hyper::Result<()>>,
}

impl Lines {
    pub(crate) async fn of(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Self {
        let stream = TcpStream::connect(address).await.expect("the node listens");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a fresh connection");
        let connection = tokio::spawn(connection);
        let request = Request::get(path).header("host", address.to_string());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = request.body(Full::<Bytes>::default()).expect("a well-formed request");
        let response = sender.send_request(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        Self { body: response.into_body(), read: Vec::new(), _connection: connection }
    }

    /// The next line as JSON; none when the answer has ended.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.read.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap_or_else(|error| panic!("{error} in {line:?}")));
            }
            let frame = self.body.frame().await?.expect("the connection holds");
            self.read.extend_from_slice(frame.data_ref().expect("no trailers"));
        }
    }
}
