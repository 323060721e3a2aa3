//! The only place where chance comes in: API keys, and the spread of retries.

use std::fmt::Write as _;
use std::time::Duration;

use rand::{Rng, RngExt};

/// 256 bits: guessing is out of the question for as long as the key may live.
const KEY_BYTES: usize = 32;

/// A fresh API key, in hexadecimal so that it can stand in any header, file or shell unquoted.
#[expect(clippy::disallowed_methods, reason = "this is the random module")]
pub(crate) fn api_key() -> String {
    let mut bytes = [0_u8; KEY_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    let mut key = String::with_capacity(2 * KEY_BYTES);
    for byte in bytes {
        write!(key, "{byte:02x}").expect("writing into a String cannot fail");
    }
    key
}

/// The random part of a name that nobody refers to.
#[expect(clippy::disallowed_methods, reason = "this is the random module")]
pub(crate) fn suffix() -> String {
    format!("{:016x}", rand::rng().next_u64())
}

/// Between half and all of `most`, so that tenants that failed together do not come back together.
#[expect(clippy::disallowed_methods, reason = "this is the random module")]
pub(crate) fn jittered(most: Duration) -> Duration {
    most.mul_f64(rand::rng().random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_keys_are_different_and_long() {
        let (one, other) = (api_key(), api_key());
        assert_ne!(one, other);
        assert_eq!(one.len(), 64);
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn jitter_stays_between_half_and_all() {
        for _ in 0..1_000 {
            let delay = jittered(Duration::from_secs(10));
            assert!((5.0..=10.0).contains(&delay.as_secs_f64()), "{delay:?}");
        }
    }
}
