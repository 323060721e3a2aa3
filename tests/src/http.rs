//! A request and its answer, over a connection of its own: enough to talk to a tenant as any client would.

use std::time::Duration;

use anyhow::{Context, Result};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A tenant answers in milliseconds; what takes this long will not come.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_str(&self.body).with_context(|| format!("no JSON: {}", self.body))
    }
}

/// Sends one request to `authority` (`host:port`) and reads the whole answer. A body is sent as JSON.
pub async fn request(method: Method, authority: &str, path: &str, body: Option<&str>) -> Result<Answer> {
    request_as(method, authority, path, body, None).await
}

/// The same for whoever this token is of.
pub async fn request_as(
    method: Method,
    authority: &str,
    path: &str,
    body: Option<&str>,
    token: Option<&str>,
) -> Result<Answer> {
    let what = format!("{method} http://{authority}{path}");
    let exchange = async {
        let stream = TcpStream::connect(authority).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let task = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", authority)
            .header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Full::new(Bytes::from(body.unwrap_or_default().to_owned())))?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        task.abort();
        anyhow::Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
    };
    let answer = tokio::time::timeout(ANSWER_WITHIN, exchange).await;
    answer.with_context(|| format!("{what}: no answer within {} s", ANSWER_WITHIN.as_secs()))?.context(what)
}
