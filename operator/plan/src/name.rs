//! The one shape of names in this system: an RFC 1035 label short enough that every child's name still is one.

use std::fmt;

use kvtenant_api::names::NAME_CHARS_MAX;

/// A checked name: of a KVTenant, or of the tenant it makes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("must be at most {NAME_CHARS_MAX} characters, so that the names of its objects fit")]
    TooLong,
    #[error("must be made of lower-case letters, digits and '-', begin with a letter and not end with '-'")]
    NotALabel,
}

impl Name {
    /// Takes `text` when it is a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.chars().count() > NAME_CHARS_MAX {
            return Err(NameError::TooLong);
        }
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let bytes = text.as_bytes();
        let is_label = bytes.first().is_some_and(u8::is_ascii_lowercase)
            && bytes.last().is_some_and(|last| *last != b'-')
            && bytes.iter().copied().all(inner);
        if is_label { Ok(Self(text.to_owned())) } else { Err(NameError::NotALabel) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_an_rfc_1035_label() {
        for good in ["a", "analytics", "a-1", "a".repeat(40).as_str()] {
            assert_eq!(Name::parse(good).map(|name| name.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "-", "1a", "a-", "A", "a.b", "a_b", "ä"] {
            assert_eq!(Name::parse(bad), Err(NameError::NotALabel), "{bad}");
        }
        assert_eq!(Name::parse(&"a".repeat(41)), Err(NameError::TooLong));
    }
}
