//! An answer as bytes, as hyper writes them.

use std::cell::RefCell;
use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use kvnode_core::time::UnixMillis;

/// `Sun, 06 Nov 1994 08:49:37 GMT`
const DATE_BYTES: usize = 29;

/// The date of a second, which is the same in many answers.
#[derive(Clone, Copy)]
struct Date {
    second: u64,
    text: [u8; DATE_BYTES],
}

/// Takes the body out of an answer.
pub(super) async fn body_of(response: &mut Response) -> Bytes {
    let body = std::mem::take(response.body_mut());
    body.collect().await.expect("what the handlers of one key answer was made before").to_bytes()
}

/// Everything up to the body, which has so many bytes.
pub(super) fn write_head(out: &mut Vec<u8>, response: &Response, body_bytes: usize, now: UnixMillis) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(response.status().as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(response.status().canonical_reason().unwrap_or("<none>").as_bytes());
    out.extend_from_slice(b"\r\n");
    for (name, value) in response.headers() {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if !matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        write!(out, "content-length: {body_bytes}\r\n").expect("memory takes everything");
    }
    out.extend_from_slice(b"date: ");
    out.extend_from_slice(&date(now));
    out.extend_from_slice(b"\r\n\r\n");
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
