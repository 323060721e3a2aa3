//! Keys and the namespace they live in. A command can only be built from an [`Address`], so nothing reaches the
//! store without saying whose keys it means, and no key reaches it unchecked.

use std::borrow::Cow;

use super::limits::{InputError, Limits};
use super::slot::PartitionNumber;

/// Whose keys a command sees. Two namespaces never share a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Namespace {
    /// The tenant's own keys, seen by all callers that have no account.
    Shared,
    /// The keys of one account, named by its UUID.
    Account(u128),
    /// What the node itself keeps beside the keys of users: accounts, API keys, audit.
    System,
}

/// A key that was found fit to be stored: not blank, not too long, without control characters. It borrows the bytes of
/// the request it came with, so that a command costs no allocation; `Key<'static>` owns them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<'k>(Cow<'k, str>);

impl<'k> Key<'k> {
    pub fn new(text: &'k str, limits: &Limits) -> Result<Self, InputError> {
        if text.as_bytes().first().is_none_or(|&byte| byte <= b' ' || byte >= 0x80) && text.trim().is_empty() {
            return Err(InputError::KeyBlank { max: limits.key_bytes_max });
        }
        if text.len() > limits.key_bytes_max {
            return Err(InputError::KeyTooLong { bytes: text.len(), max: limits.key_bytes_max });
        }
        // Bytes are looked at before characters: almost no key has one that could begin a control character.
        // All of them are, because that is faster than to stop at one.
        let unlikely = |byte: u8| byte < 0x20 || byte == 0x7f || byte == 0xc2;
        if text.bytes().fold(false, |any, byte| any | unlikely(byte))
            && let Some((position, character)) = text.char_indices().find(|(_, character)| character.is_control())
        {
            return Err(InputError::KeyControlCharacter { character: u32::from(character), position });
        }
        Ok(Self(Cow::Borrowed(text)))
    }

    /// A key that was checked when it was stored.
    pub(super) fn stored(text: &'k str) -> Self {
        Self(Cow::Borrowed(text))
    }

    pub fn into_owned(self) -> Key<'static> {
        Key(Cow::Owned(self.0.into_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The beginning that listed keys share. It may be anything a key can start with, the empty text included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPart(Box<str>);

impl KeyPart {
    /// `what` is the caller's word for this text, for the error.
    pub fn new(text: &str, what: &'static str, limits: &Limits) -> Result<Self, InputError> {
        if text.len() > limits.key_bytes_max {
            return Err(InputError::KeyPartTooLong { what, bytes: text.len(), max: limits.key_bytes_max });
        }
        Ok(Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where exactly one entry can live.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address<'k> {
    pub namespace: Namespace,
    pub key: Key<'k>,
}

impl Address<'_> {
    pub fn into_owned(self) -> Address<'static> {
        Address { namespace: self.namespace, key: self.key.into_owned() }
    }

    pub fn partition(&self) -> PartitionNumber {
        PartitionNumber::of(self.key.as_str().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Result<Key<'_>, InputError> {
        Key::new(text, &Limits::default())
    }

    /// C55
    #[test]
    fn keys_with_colons_slashes_spaces_and_any_language_are_kept_as_they_are() {
        for text in ["user:123:profile", "a/b", "with space", "ключ", "鍵", "{tag}", "%2F", " leading"] {
            assert_eq!(key(text).expect("a good key").as_str(), text);
        }
    }

    /// C90
    #[test]
    fn a_key_of_256_bytes_is_good_and_one_of_257_is_not() {
        assert!(key(&"k".repeat(256)).is_ok());
        assert_eq!(key(&"k".repeat(257)), Err(InputError::KeyTooLong { bytes: 257, max: 256 }));
        assert_eq!(key(&"é".repeat(129)), Err(InputError::KeyTooLong { bytes: 258, max: 256 }));
    }

    #[test]
    fn blank_keys_and_control_characters_are_refused() {
        for text in ["", " ", "\u{2003}"] {
            assert_eq!(key(text), Err(InputError::KeyBlank { max: 256 }), "{text:?}");
        }
        for text in ["a\0", "a\nb", "\u{7f}x", "x\u{85}"] {
            assert!(matches!(key(text), Err(InputError::KeyControlCharacter { .. })), "{text:?}");
        }
    }
}
