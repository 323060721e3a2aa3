//! The keys that tokens are signed with: the first line of the secret file signs, every line verifies. So a key is
//! replaced without logging anybody out: the new one is put above the old one, which goes when its last token has.

use std::fmt;

use jsonwebtoken::{DecodingKey, EncodingKey};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::hs256;

/// RFC 7518, 3.2: a key shorter than the hash is what an attacker would guess instead of the signature.
pub const SIGNING_KEY_BYTES_MIN: usize = 32;

/// A token that no key has signed is tried with each of them; a rotation needs two.
pub const SIGNING_KEYS_MAX: usize = 8;

pub struct TokenKeys {
    pub(super) current: EncodingKey,
    /// The current key, then the previous ones.
    pub(super) accepted: Vec<DecodingKey>,
    /// Of all keys, to tell whether they are others than before.
    hash: [u8; 32],
}

#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TokenKeysError {
    #[error("There is no signing key; give one line of at least {SIGNING_KEY_BYTES_MIN} bytes.")]
    None,
    #[error(
        "The signing key on line {line} has {bytes} bytes; at least {SIGNING_KEY_BYTES_MIN} are needed, for example \
         from openssl rand -base64 48."
    )]
    TooShort { line: usize, bytes: usize },
    #[error("There are {count} signing keys; at most {SIGNING_KEYS_MAX} are accepted, so remove the oldest lines.")]
    TooMany { count: usize },
}

impl TokenKeys {
    /// One key a line, the current one first. Empty lines are none; every other byte of a line belongs to its key.
    pub fn parse(text: &str) -> Result<Self, TokenKeysError> {
        let keys: Vec<_> = text.lines().zip(1..).filter(|(key, _)| !key.is_empty()).collect();
        if let Some((key, line)) = keys.iter().find(|(key, _)| key.len() < SIGNING_KEY_BYTES_MIN) {
            return Err(TokenKeysError::TooShort { line: *line, bytes: key.len() });
        }
        if keys.len() > SIGNING_KEYS_MAX {
            return Err(TokenKeysError::TooMany { count: keys.len() });
        }
        let (current, _) = keys.first().ok_or(TokenKeysError::None)?;
        hs256::install();
        Ok(Self {
            current: EncodingKey::from_secret(current.as_bytes()),
            hash: Sha256::digest(text).into(),
            accepted: keys.iter().map(|(key, _)| DecodingKey::from_secret(key.as_bytes())).collect(),
        })
    }
}

impl PartialEq for TokenKeys {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Eq for TokenKeys {}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TokenKeys({} keys)", self.accepted.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(bytes: usize) -> String {
        "k".repeat(bytes)
    }

    /// C15
    #[test]
    fn a_signing_key_has_at_least_32_bytes() {
        assert!(TokenKeys::parse(&key(32)).is_ok());
        let error = TokenKeys::parse(&key(31)).expect_err("too short");
        assert_eq!(error, TokenKeysError::TooShort { line: 1, bytes: 31 });
        assert!(error.to_string().starts_with("The signing key on line 1 has 31 bytes; at least 32 are needed"));
        assert!(TokenKeys::parse(&"ü".repeat(16)).is_ok(), "bytes count, not characters");
    }

    /// C125
    #[test]
    fn each_line_is_a_key_and_every_one_of_them_is_checked() {
        let text = format!("{}\r\n\n{}\n", key(40), key(50));
        assert_eq!(TokenKeys::parse(&text).expect("two keys").accepted.len(), 2);
        let text = format!("{}\n\n{}\n", key(40), key(8));
        assert_eq!(TokenKeys::parse(&text).expect_err("short"), TokenKeysError::TooShort { line: 3, bytes: 8 });
    }

    #[test]
    fn no_key_and_too_many_keys_are_refused() {
        for nothing in ["", "\n", "\r\n\n"] {
            assert_eq!(TokenKeys::parse(nothing).expect_err("nothing"), TokenKeysError::None, "{nothing:?}");
        }
        let lines = |count: usize| format!("{}\n", key(32)).repeat(count);
        assert!(TokenKeys::parse(&lines(SIGNING_KEYS_MAX)).is_ok());
        let count = SIGNING_KEYS_MAX + 1;
        assert_eq!(TokenKeys::parse(&lines(count)).expect_err("many"), TokenKeysError::TooMany { count });
    }
}
