//! The head of a request, if it is one for the short way. Everything that would need a decision is none: the general way
//! has all the rules, and this one must never understand a request otherwise.

use std::ops::Range;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use httparse::{EMPTY_HEADER, Header, Request, Status};

use crate::http::body::SMALL_BODY_BYTES;

/// More than clients send, and few enough to lie on the stack.
const HEADERS_MAX: usize = 32;

/// Headers that say nothing to any handler. All others are kept.
const UNREAD: [&str; 5] = ["host", "user-agent", "accept-encoding", "accept-language", "content-length"];

/// Headers that change how a request is read, or answered before a handler sees it.
const FOR_THE_GENERAL_WAY: [&str; 4] = ["transfer-encoding", "expect", "upgrade", "origin"];

#[derive(Debug)]
pub(super) enum Begin<'b> {
    /// More has to come before anything can be said.
    Incomplete,
    /// Not for this way.
    General,
    Hot(Head<'b>),
}

#[derive(Debug)]
pub(super) struct Head<'b> {
    pub(super) method: Method,
    pub(super) path: &'b str,
    pub(super) query: Option<&'b str>,
    pub(super) headers: HeaderMap,
    /// Where its body is.
    pub(super) body: Range<usize>,
}

/// Looks at what has arrived.
pub(super) fn read(arrived: &[u8]) -> Begin<'_> {
    let mut lines = [EMPTY_HEADER; HEADERS_MAX];
    let mut request = Request::new(&mut lines);
    match request.parse(arrived) {
        Ok(Status::Partial) => Begin::Incomplete,
        Ok(Status::Complete(bytes)) => understood(&request, bytes).map_or(Begin::General, Begin::Hot),
        Err(_) => Begin::General,
    }
}

fn understood<'b>(request: &Request<'_, 'b>, bytes: usize) -> Option<Head<'b>> {
    let method = match request.method? {
        "GET" => Method::GET,
        "PUT" => Method::PUT,
        "DELETE" => Method::DELETE,
        _ => return None,
    };
    let target = request.path.filter(|target| request.version == Some(1) && is_plain(target))?;
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let (headers, body_bytes) = kept(request.headers)?;
    let body_bytes = match (method == Method::PUT, body_bytes) {
        (true, Some(bytes)) if bytes <= SMALL_BODY_BYTES => bytes,
        (false, None | Some(0)) => 0,
        _ => return None,
    };
    Some(Head { method, path, query, headers, body: bytes..bytes + body_bytes })
}

/// The headers that a handler may look at, and the length of the body.
fn kept(lines: &[Header<'_>]) -> Option<(HeaderMap, Option<usize>)> {
    let (mut headers, mut body_bytes) = (HeaderMap::new(), None);
    for Header { name, value } in lines {
        let is = |other: &&str| name.eq_ignore_ascii_case(other);
        if FOR_THE_GENERAL_WAY.iter().any(is) {
            return None;
        }
        if is(&header::CONNECTION.as_str()) {
            if !value.eq_ignore_ascii_case(b"keep-alive") {
                return None;
            }
        } else if is(&header::CONTENT_LENGTH.as_str()) {
            if body_bytes.is_some() {
                return None;
            }
            body_bytes = Some(length(value)?);
        } else if !UNREAD.iter().any(is) {
            headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value).ok()?);
        }
    }
    Some((headers, body_bytes))
}

fn length(value: &[u8]) -> Option<usize> {
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| is_number)?.parse().ok()
}

/// Of a form about whose parts there are no two opinions.
fn is_plain(target: &str) -> bool {
    let in_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/?".contains(byte);
    target.starts_with('/') && target.as_bytes().iter().all(in_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Option<Head<'_>> {
        match read(text.as_bytes()) {
            Begin::Hot(head) => Some(head),
            Begin::General => None,
            Begin::Incomplete => panic!("{text:?} is not whole"),
        }
    }

    #[test]
    fn a_plain_request_is_understood() {
        let text = "PUT /kv/a?ttl=5 HTTP/1.1\r\nHost: h\r\nUser-Agent: u\r\nCONNECTION: Keep-Alive\r\nContent-Length: 2\r\n\
                    If-Match: \"1\"\r\nIf-Match: \"2\"\r\n\r\n{}GET";
        let head = head(text).expect("plain");
        assert_eq!((&head.method, head.path, head.query), (&Method::PUT, "/kv/a", Some("ttl=5")));
        assert_eq!(&text[head.body], "{}");
        assert_eq!(head.headers.len(), 2);
        assert_eq!(head.headers.get_all("if-match").iter().count(), 2);
    }

    #[test]
    fn a_part_of_a_head_is_no_head_yet() {
        let text = "GET /kv/a HTTP/1.1\r\nHost: h\r\n\r\n";
        for bytes in 0..text.len() {
            assert!(matches!(read(&text.as_bytes()[..bytes]), Begin::Incomplete), "{bytes}");
        }
        assert!(head(text).is_some());
    }

    #[test]
    fn what_needs_a_decision_is_left_to_the_general_way() {
        for line in [
            "POST /kv/a HTTP/1.1",
            "HEAD /kv/a HTTP/1.1",
            "GET /kv/a HTTP/1.0",
            "GET http://h/kv/a HTTP/1.1",
            "GET * HTTP/1.1",
            "GET /kv/a#b HTTP/1.1",
            "GET /kv/\"a\" HTTP/1.1",
            "get /kv/a HTTP/1.1",
        ] {
            assert!(head(&format!("{line}\r\nHost: h\r\n\r\n")).is_none(), "{line}");
        }
        for lines in [
            "Content-Length: 1",
            "Content-Length: 0\r\nContent-Length: 0",
            "Content-Length: +0",
            "Content-Length:",
            "Transfer-Encoding: chunked",
            "Connection: close",
            "Connection: keep-alive, upgrade",
            "Expect: 100-continue",
            "Upgrade: websocket",
            "Origin: https://example.org",
        ] {
            assert!(head(&format!("GET /kv/a HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\n")).is_none(), "{lines}");
        }
        for length in ["4097", "18446744073709551616"] {
            assert!(head(&format!("PUT /kv/a HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n")).is_none());
        }
        assert!(head("PUT /kv/a HTTP/1.1\r\nHost: h\r\n\r\n").is_none(), "a body of no length");
    }
}
