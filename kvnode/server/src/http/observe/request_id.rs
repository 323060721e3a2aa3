//! The id by which a request can be found in logs: the client's, or one made up here.

use std::sync::Arc;

use http::HeaderMap;

use super::X_REQUEST_ID;
use crate::random;

/// A client's own id is taken over up to this length; it ends up in log lines.
const BYTES_MAX: usize = 128;

/// Two hexadecimal digits for each byte of a number.
const DIGITS: usize = 2 * size_of::<u128>();

#[derive(Clone, Debug)]
pub(in crate::http) enum RequestId {
    Ours([u8; DIGITS]),
    Theirs(Arc<str>),
}

impl RequestId {
    pub(in crate::http) fn of(headers: &HeaderMap) -> Self {
        theirs(headers).map_or_else(|| Self::Ours(digits(random::request_id())), |id| Self::Theirs(id.into()))
    }

    pub(in crate::http) fn as_str(&self) -> &str {
        match self {
            Self::Ours(digits) => str::from_utf8(digits).expect("digits are ASCII"),
            Self::Theirs(id) => id,
        }
    }
}

fn theirs(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    let visible = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic());
    (visible && id.len() <= BYTES_MAX).then_some(id)
}

/// What `{:032x}` writes, in a tenth of the time: every request has one.
fn digits(number: u128) -> [u8; DIGITS] {
    let mut digits = [0; DIGITS];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
    }
    digits
}

fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_ours_is_32_digits() {
        for number in [0, 1, 0xa, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef, u128::MAX] {
            assert_eq!(RequestId::Ours(digits(number)).as_str(), format!("{number:032x}"));
        }
    }

    #[test]
    fn an_id_of_theirs_is_taken_over_if_it_can_stand_in_a_line() {
        let id = |text: &str| {
            let headers = HeaderMap::from_iter([(X_REQUEST_ID, text.parse().expect("a header's value"))]);
            RequestId::of(&headers).as_str().to_owned()
        };
        assert_eq!(id("a-1"), "a-1");
        for other in ["", "a b", &"a".repeat(BYTES_MAX + 1)] {
            assert_eq!(id(other).len(), DIGITS, "{other:?}");
        }
    }
}
