//! An answer as bytes, as hyper writes them.

use std::cell::RefCell;
use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use http::response::Parts;
use http::{HeaderName, StatusCode, header};
use http_body_util::BodyExt;
use kvnode_core::time::UnixMillis;

use crate::http::observe::{RequestId, X_KV_NODE, X_REQUEST_ID};

/// `Sun, 06 Nov 1994 08:49:37 GMT`
const DATE_BYTES: usize = 29;

/// The date of a second, which is the same in many answers.
#[derive(Clone, Copy)]
struct Date {
    second: u64,
    text: [u8; DATE_BYTES],
}

/// What a handler said, and the id of the request.
#[derive(Debug)]
pub(super) struct Answer {
    head: Parts,
    id: RequestId,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) async fn of(response: Response, id: RequestId) -> Self {
        let (head, mut body) = response.into_parts();
        Self { head, id, body: whole(&mut body).await }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.head.status
    }

    /// Everything up to the body. What names the request and the node is not put among the other headers, as it is in
    /// the general way, but written behind them: the same bytes, without making values of them first.
    pub(super) fn write_head(&self, out: &mut Vec<u8>, node: &str, now: UnixMillis) {
        let status = self.head.status;
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(status.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(status.canonical_reason().unwrap_or("<none>").as_bytes());
        out.extend_from_slice(b"\r\n");
        for (name, value) in &self.head.headers {
            line(out, name, value.as_bytes());
        }
        line(out, &X_REQUEST_ID, self.id.as_str().as_bytes());
        line(out, &X_KV_NODE, node.as_bytes());
        if !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            write!(out, "content-length: {}\r\n", self.body.len()).expect("memory takes everything");
        }
        line(out, &header::DATE, &date(now));
        out.extend_from_slice(b"\r\n");
    }
}

/// The bodies that handlers of one key make are there at once, and in one piece.
async fn whole(body: &mut Body) -> Bytes {
    let first = body.frame().await.map(|frame| frame.expect(WHOLE).into_data().expect(WHOLE));
    debug_assert!(body.is_end_stream(), "{WHOLE}");
    first.unwrap_or_default()
}

const WHOLE: &str = "what the handlers of one key answer was made before";

fn line(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    for part in [name.as_str().as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

fn date(now: UnixMillis) -> [u8; DATE_BYTES] {
    thread_local! {
        static LAST: RefCell<Date> = const { RefCell::new(Date { second: u64::MAX, text: [b' '; DATE_BYTES] }) };
    }
    let second = now.get() / 1000;
    LAST.with_borrow_mut(|last| {
        if last.second != second {
            last.second = second;
            let moment = UNIX_EPOCH + Duration::from_secs(second);
            write!(&mut last.text[..], "{}", httpdate::HttpDate::from(moment)).expect("a date has 29 characters");
        }
        last.text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_that_of_its_second() {
        assert_eq!(&date(UnixMillis::new(784_111_777_999)), b"Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(&date(UnixMillis::new(784_111_778_000)), b"Sun, 06 Nov 1994 08:49:38 GMT");
    }
}
