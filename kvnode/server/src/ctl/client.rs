//! A client of one node: one connection, requests one after the other, answers read as they come. What the node refuses
//! is told in the node's own sentence.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::failure::Failure;
use super::target::{NodeUrl, Target};

/// A node on the same network answers a connection within milliseconds.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// The longest a node lets any request wait before it begins to answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(35);

/// Answers that are kept whole: pages of keys, states, errors. Values and dumps are not, they stream.
const WHOLE_ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

pub(super) type Sent = BoxBody<Bytes, std::io::Error>;

#[derive(Debug)]
pub(super) struct Client {
    node: NodeUrl,
    key: Option<String>,
    connection: Option<SendRequest<Sent>>,
}

/// What a node says when it says no.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Client {
    pub(super) fn new(target: &Target) -> Result<Self, Failure> {
        Ok(Self { node: target.node()?, key: target.key()?, connection: None })
    }

    pub(super) fn url(&self) -> &str {
        self.node.as_str()
    }

    /// The answer's head, whatever it says, and its body to be read.
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(header::HeaderName, &str)],
        body: Sent,
    ) -> Result<Response<Incoming>, Failure> {
        // Nothing moves but the answer.
        self.send_long(method, path, headers, body, || 0).await
    }

    /// The same for a body that may take any time to send, as long as it moves; `moved` says how far it is.
    pub(super) async fn send_long(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(header::HeaderName, &str)],
        body: Sent,
        moved: impl Fn() -> u64,
    ) -> Result<Response<Incoming>, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.node.prefix))
            .header(header::HOST, self.node.authority.as_str());
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(body).map_err(|error| {
            Failure::wrong_use(format!("The request cannot be written: {error}; look at the key and the path."))
        })?;
        let url = self.node.as_str().to_owned();
        let mut answering = pin!(self.connected().await?.send_request(request));
        let mut far = moved();
        loop {
            match timeout(ANSWER_TIME_MAX, answering.as_mut()).await {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(error)) => return Err(broken(&url, &error)),
                Err(_) if moved() > far => far = moved(),
                Err(_) => {
                    return Err(Failure::unreachable(format!(
                        "The node at {url} did not answer within {} s; look at its log.",
                        ANSWER_TIME_MAX.as_secs()
                    )));
                }
            }
        }
    }

    async fn connected(&mut self) -> Result<&mut SendRequest<Sent>, Failure> {
        let usable = match &mut self.connection {
            Some(connection) => connection.ready().await.is_ok(),
            None => false,
        };
        if !usable {
            self.connection = Some(connect(&self.node).await?);
        }
        Ok(self.connection.as_mut().expect("it was made just above"))
    }

    /// An answer that must be good.
    pub(super) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(header::HeaderName, &str)],
        body: Sent,
    ) -> Result<Response<Incoming>, Failure> {
        let response = self.send(method, path, headers, body).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(self.url(), response).await)
    }

    /// A small answer, whole.
    pub(super) async fn text(&mut self, method: Method, path: &str, body: Sent) -> Result<Bytes, Failure> {
        let response = self.ask(method, path, &json_header(), body).await?;
        whole(self.url(), response.into_body()).await
    }

    pub(super) async fn get(&mut self, path: &str) -> Result<Bytes, Failure> {
        self.text(Method::GET, path, empty()).await
    }

    pub(super) async fn get_as<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, Failure> {
        let text = self.get(path).await?;
        self.read(&text)
    }

    pub(super) fn read<T: DeserializeOwned>(&self, text: &[u8]) -> Result<T, Failure> {
        serde_json::from_slice(text).map_err(|error| {
            Failure::unreachable(format!(
                "What answers at {} is no kvnode that is understood here: {error}.",
                self.url()
            ))
        })
    }

    /// Where keys are: behind the name of the node's tenant.
    pub(super) async fn keys_path(&mut self) -> Result<String, Failure> {
        #[derive(Deserialize)]
        struct Health {
            tenant: String,
        }

        let Health { tenant } = self.get_as("/health").await?;
        Ok(format!("/{tenant}/kv"))
    }
}

async fn connect(node: &NodeUrl) -> Result<SendRequest<Sent>, Failure> {
    let url = node.as_str();
    let unreachable = |reason: String| {
        Failure::unreachable(format!(
            "No node answers at {url}: {reason}; see that it runs and that the --url is right."
        ))
    };
    let stream = match timeout(CONNECT_TIME_MAX, TcpStream::connect(node.address())).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(unreachable(error.to_string())),
        Err(_) => return Err(unreachable(format!("no connection within {} s", CONNECT_TIME_MAX.as_secs()))),
    };
    let Some(tls) = &node.tls else { return speak(stream).await.map_err(|error| unreachable(error.to_string())) };
    let name = ServerName::try_from(node.address().0.to_owned())
        .map_err(|_| Failure::wrong_use(format!("The --url '{url}' names no host that a certificate could name.")))?;
    let shaken = timeout(CONNECT_TIME_MAX, TlsConnector::from(Arc::clone(tls)).connect(name, stream)).await;
    match shaken {
        Ok(Ok(stream)) => speak(stream).await.map_err(|error| unreachable(error.to_string())),
        Ok(Err(error)) => Err(unreachable(format!("TLS was not agreed on, {error}"))),
        Err(_) => Err(unreachable(format!("TLS was not agreed on within {} s", CONNECT_TIME_MAX.as_secs()))),
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> hyper::Result<SendRequest<Sent>> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // What goes wrong on it is told to whoever waits for an answer.
    tokio::spawn(connection);
    Ok(sender)
}

fn broken(url: &str, error: &hyper::Error) -> Failure {
    Failure::unreachable(format!("The node at {url} broke off: {error}; it may have ended, look at its log."))
}

/// The node's own sentence.
pub(super) async fn refusal(url: &str, response: Response<Incoming>) -> Failure {
    let status = response.status();
    let text = match whole(url, response.into_body()).await {
        Ok(text) => text,
        Err(failure) => return failure,
    };
    let sentence = match serde_json::from_slice::<Refusal>(&text) {
        Ok(refusal) => refusal.error,
        Err(_) => format!("The node at {url} answered with {status}."),
    };
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Failure::unauthorized(format!("{sentence} Give the key with --key-file or the variable ADMIN_KEY_FILE."))
        }
        _ => Failure::refused(sentence),
    }
}

pub(super) async fn whole(url: &str, body: Incoming) -> Result<Bytes, Failure> {
    let collected = Limited::new(body, WHOLE_ANSWER_BYTES_MAX).collect().await;
    let collected =
        collected.map_err(|error| Failure::unreachable(format!("The answer of {url} broke off: {error}.")))?;
    Ok(collected.to_bytes())
}

/// Hands over the body piece by piece.
pub(super) async fn each_piece(
    url: &str,
    mut body: Incoming,
    mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(url, &error))?;
        if let Ok(mut data) = frame.into_data() {
            take(&data)?;
            data.advance(data.len());
        }
    }
    Ok(())
}

fn json_header() -> [(header::HeaderName, &'static str); 1] {
    [(header::CONTENT_TYPE, "application/json")]
}

pub(super) fn empty() -> Sent {
    Empty::new().map_err(|never| match never {}).boxed()
}

pub(super) fn bytes(bytes: impl Into<Bytes>) -> Sent {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// A key as a segment of a path, or a text as the value of a query.
pub(super) fn escaped(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
        escaped
    })
}

fn digit(half: u8) -> char {
    char::from_digit(half.into(), 16).expect("four bits are a digit").to_ascii_uppercase()
}

/// The node's clock when it answered, as far as HTTP tells it.
pub(super) fn date(headers: &HeaderMap) -> Option<jiff::Timestamp> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(text).ok().map(|moment| moment.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_escaped_down_to_what_a_path_can_have() {
        assert_eq!(escaped("user:1/a b"), "user%3A1%2Fa%20b");
        assert_eq!(escaped("é~-._"), "%C3%A9~-._");
    }

    #[test]
    fn the_date_of_an_answer_is_read() {
        let mut headers = HeaderMap::new();
        assert_eq!(date(&headers), None);
        headers.insert(header::DATE, "Thu, 01 Jan 2026 12:00:00 GMT".parse().expect("a header"));
        assert_eq!(date(&headers).map(jiff::Timestamp::as_second), Some(1_767_268_800));
    }
}
