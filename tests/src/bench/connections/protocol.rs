//! One request and its reply as bytes, in both protocols: to ask for the one key there is. A reply is only measured, not
//! kept, so that a thousand connections on one core leave the core to the server's answers.

use anyhow::{Context, Result, bail, ensure};

use crate::bench::redis_benchmark::key;
use crate::bench::resp_connection::write_command;
use crate::bench::servers::TENANT;

/// A head longer than this is not that of the answer we asked for, and would be read for ever.
const HEAD_BYTES_MAX: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    Resp,
}

impl Protocol {
    /// Asks for the key number 0.
    pub(super) fn request(self) -> Vec<u8> {
        match self {
            Self::Http => format!("GET {} HTTP/1.1\r\nHost: bench\r\n\r\n", key_path()).into_bytes(),
            Self::Resp => {
                let mut request = Vec::new();
                write_command(&mut request, &["GET", &key(0)]);
                request
            }
        }
    }

    /// How long the reply is that begins with these bytes, once they tell; an error if it is not the value.
    pub(super) fn reply_bytes(self, start: &[u8]) -> Result<Option<usize>> {
        let end: &[u8] = match self {
            Self::Http => b"\r\n\r\n",
            Self::Resp => b"\r\n",
        };
        let Some(head) = start.windows(end.len()).position(|window| window == end) else {
            ensure!(start.len() <= HEAD_BYTES_MAX, "a reply whose head does not end");
            return Ok(None);
        };
        let text = std::str::from_utf8(&start[..head]).context("a reply that is no text")?;
        let body = match self {
            Self::Http => http_body_bytes(text)?,
            Self::Resp => resp_value_bytes(text)? + 2, // its own end of line
        };
        Ok(Some(head + end.len() + body))
    }
}

/// The key under HTTP.
pub(super) fn key_path() -> String {
    format!("/{TENANT}/kv/{}", key(0))
}

fn http_body_bytes(head: &str) -> Result<usize> {
    let (status, headers) = head.split_once("\r\n").context("an answer without headers")?;
    ensure!(status.starts_with("HTTP/1.1 200 "), "an answer that is no value: {status}");
    let lengths = headers.lines().filter_map(|line| line.split_once(':'));
    let length = lengths.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).map(|(_, value)| value).next();
    length.context("an answer that does not tell its length")?.trim().parse().context("a length that is no number")
}

fn resp_value_bytes(head: &str) -> Result<usize> {
    match head.strip_prefix('$').and_then(|length| length.parse().ok()) {
        Some(length) => Ok(length),
        None => bail!("a reply that is no value: {head}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply_bytes(protocol: Protocol, reply: &str) -> Result<Option<usize>> {
        protocol.reply_bytes(reply.as_bytes())
    }

    #[test]
    fn the_length_of_a_reply_is_known_when_its_head_is_there() {
        for (protocol, head, body) in [
            (Protocol::Http, "HTTP/1.1 200 OK\r\nX: y\r\ncontent-LENGTH: 3\r\n\r\n", "abc"),
            (Protocol::Resp, "$3\r\n", "abc\r\n"),
        ] {
            for end in 0..head.len() {
                assert_eq!(reply_bytes(protocol, &head[..end]).unwrap(), None, "{}", &head[..end]);
            }
            let whole = Some(head.len() + body.len());
            assert_eq!(reply_bytes(protocol, head).unwrap(), whole);
            assert_eq!(reply_bytes(protocol, &format!("{head}{body}")).unwrap(), whole);
        }
    }

    #[test]
    fn what_is_not_the_value_is_an_error() {
        let wrong = [
            (Protocol::Http, "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"),
            (Protocol::Http, "HTTP/1.1 200 OK\r\nX: y\r\n\r\n"),
            (Protocol::Http, "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n"),
            (Protocol::Resp, "$-1\r\n"),
            (Protocol::Resp, "-ERR max number of clients reached\r\n"),
        ];
        for (protocol, reply) in wrong {
            assert!(reply_bytes(protocol, reply).is_err(), "{reply}");
        }
        assert!(reply_bytes(Protocol::Http, &"x".repeat(HEAD_BYTES_MAX + 1)).is_err());
    }
}
