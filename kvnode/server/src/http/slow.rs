//! Requests that took long, each with its key and its id: a histogram says that there are some, this says which. A node
//! on which everything is slow must not be slowed further by saying so, so only so many lines a second are written, and
//! the next one says how many were left out.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::Method;

use crate::shared::Shared;

/// Enough to see a pattern, few enough to cost nothing.
const LINES_PER_SECOND_MAX: u32 = 10;

#[derive(Debug, Default)]
pub(crate) struct SlowLog(Mutex<Lines>);

#[derive(Debug, Default)]
struct Lines {
    second: u64,
    written: u32,
    left_out: u64,
}

/// One request, as the line shows it.
#[derive(Debug)]
pub(super) struct Request<'r> {
    pub(super) method: &'r Method,
    pub(super) endpoint: &'static str,
    pub(super) path: &'r str,
    pub(super) status: u16,
    pub(super) id: &'r str,
}

impl SlowLog {
    pub(super) fn tell(&self, shared: &Shared, request: &Request<'_>, duration: Duration) {
        let Some(left_out) = self.turn(shared.clock.now().get() / 1000) else { return };
        tracing::warn!(
            tenant_id = shared.settings.tenant.as_str(),
            method = request.method.as_str(),
            endpoint = request.endpoint,
            key = key_in(request.endpoint, request.path),
            status = request.status,
            duration_ms = duration.as_secs_f64() * 1000.0,
            request_id = request.id,
            left_out,
            "slow request"
        );
    }

    /// How many were left out before this one; none when this one is left out, too.
    fn turn(&self, second: u64) -> Option<u64> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.second != second {
            (lines.second, lines.written) = (second, 0);
        }
        if lines.written == LINES_PER_SECOND_MAX {
            lines.left_out += 1;
            return None;
        }
        lines.written += 1;
        Some(std::mem::take(&mut lines.left_out))
    }
}

/// The key that the path names where the pattern has one. Both are read from their ends: what stands before may be
/// another prefix than the one metrics show.
fn key_in(endpoint: &str, path: &str) -> Option<String> {
    let key = endpoint.rsplit('/').zip(path.rsplit('/')).find(|(name, _)| *name == "{key}")?.1;
    Some(unescaped(key))
}

/// With its `%` escapes read. What is no escape or no UTF-8 is shown as well as it can be.
fn unescaped(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let digits =
            behind.first_chunk::<2>().filter(|digits| first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let escaped = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_found_wherever_the_pattern_has_it() {
        for (endpoint, path, key) in [
            ("/{tenant}/kv/{key}", "/dev/kv/a%2Fb%20c", Some("a/b c")),
            ("/api/v1/kv/{key}/ttl", "/my/own/v3/kv/k/ttl", Some("k")),
            ("/kv/{key}", "/kv/100%", Some("100%")),
            ("/kv/{key}", "/kv/%C3%BC%ff", Some("ü\u{fffd}")),
            ("/kv", "/kv", None),
            ("none", "/kv/k", None),
        ] {
            assert_eq!(key_in(endpoint, path).as_deref(), key, "{path}");
        }
    }

    #[test]
    fn a_second_has_so_many_lines_and_the_next_one_tells_of_the_rest() {
        let log = SlowLog::default();
        for _ in 0..LINES_PER_SECOND_MAX {
            assert_eq!(log.turn(7), Some(0));
        }
        assert_eq!([log.turn(7), log.turn(7)], [None, None]);
        assert_eq!(log.turn(8), Some(2));
        assert_eq!(log.turn(8), Some(0));
    }
}
