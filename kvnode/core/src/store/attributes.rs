//! What is said about a value beside its content: tags, time to live, and its version.

use std::fmt;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use super::limits::{InputError, Limits, TTL_SECONDS_MAX};

/// How often a key was written. The first write makes 1; 0 stands for "there is no entry".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version(u64);

impl Version {
    pub const ABSENT: Self = Self(0);

    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    pub const fn get(self) -> u64 {
        self.0
    }

    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add(1).expect("no key is written 2^64 times"))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The time from a write until its entry is gone, in milliseconds; never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(NonZeroU64);

impl Ttl {
    /// Zero seconds mean that the entry does not expire.
    pub fn from_seconds(seconds: u64) -> Result<Option<Self>, InputError> {
        Self::from_millis(seconds.saturating_mul(1000)).map_err(|_| InputError::TtlTooLong { seconds })
    }

    pub fn from_millis(milliseconds: u64) -> Result<Option<Self>, InputError> {
        let seconds = milliseconds / 1000;
        if seconds > TTL_SECONDS_MAX || (seconds == TTL_SECONDS_MAX && !milliseconds.is_multiple_of(1000)) {
            return Err(InputError::TtlTooLong { seconds });
        }
        Ok(NonZeroU64::new(milliseconds).map(Self))
    }

    /// As an entry keeps it.
    pub(super) fn stored(seconds: u32) -> Self {
        Self(NonZeroU64::new(u64::from(seconds) * 1000).expect("no entry is stored with a ttl of zero"))
    }

    /// Whole seconds; a part of one counts as one.
    pub fn seconds(self) -> u64 {
        self.0.get().div_ceil(1000)
    }

    pub fn milliseconds(self) -> u64 {
        self.0.get()
    }
}

/// Names and values a client hangs on an entry, in the order of their names. They are kept as one run of bytes: each
/// text behind its length of two bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tags(Box<[u8]>);

/// The same, where an entry has them.
#[derive(Clone, Copy, Debug)]
pub struct TagsRef<'t>(&'t [u8]);

impl Tags {
    /// A name that comes twice keeps its last value, as in JSON objects everywhere.
    pub fn new<'t>(pairs: impl IntoIterator<Item = (&'t str, &'t str)>, limits: &Limits) -> Result<Self, InputError> {
        let sorted: std::collections::BTreeMap<&str, &str> = pairs.into_iter().collect();
        if sorted.len() > limits.tags_max {
            return Err(InputError::TooManyTags { count: sorted.len(), max: limits.tags_max });
        }
        let mut packed = Vec::new();
        for (name, value) in sorted {
            let chars = name.chars().count().max(value.chars().count());
            if chars > limits.tag_chars_max {
                const SHOWN_MAX: usize = 20;
                let start = name.chars().take(SHOWN_MAX).collect();
                return Err(InputError::TagTooLong { start, chars, max: limits.tag_chars_max });
            }
            for text in [name, value] {
                let len = u16::try_from(text.len()).expect("the limit is far below 2^16 bytes");
                packed.extend_from_slice(&len.to_le_bytes());
                packed.extend_from_slice(text.as_bytes());
            }
        }
        Ok(Self(packed.into()))
    }

    pub fn as_ref(&self) -> TagsRef<'_> {
        TagsRef(&self.0)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.as_ref().iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn packed(&self) -> &[u8] {
        &self.0
    }
}

/// Whether bytes of unknown origin are what [`Tags::new`] could have packed.
pub(super) fn are_packed_tags(mut bytes: &[u8]) -> bool {
    let mut texts = 0;
    while let Some((len, behind)) = bytes.split_first_chunk::<2>() {
        let Some((text, rest)) = behind.split_at_checked(usize::from(u16::from_le_bytes(*len))) else { return false };
        if std::str::from_utf8(text).is_err() {
            return false;
        }
        bytes = rest;
        texts += 1;
    }
    bytes.is_empty() && texts % 2 == 0
}

impl<'t> TagsRef<'t> {
    pub(super) fn new(packed: &'t [u8]) -> Self {
        Self(packed)
    }

    pub fn iter(self) -> impl Iterator<Item = (&'t str, &'t str)> {
        let mut rest = self.0;
        let mut text = move || {
            let (len, behind) = rest.split_first_chunk::<2>()?;
            let (text, behind) = behind.split_at(usize::from(u16::from_le_bytes(*len)));
            rest = behind;
            Some(std::str::from_utf8(text).expect("a tag was text when it was stored"))
        };
        std::iter::from_fn(move || Some((text()?, text()?)))
    }

    pub fn to_tags(self) -> Tags {
        Tags(self.0.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C57
    #[test]
    fn fifty_tags_of_a_hundred_characters_are_good_and_more_of_either_is_not() {
        let limits = Limits::default();
        let names: Vec<String> = (0..51).map(|number| format!("tag{number}")).collect();
        let tags = |count: usize| Tags::new(names[..count].iter().map(|name| (name.as_str(), "v")), &limits);
        assert_eq!(tags(50).expect("fifty tags").iter().count(), 50);
        assert_eq!(tags(51), Err(InputError::TooManyTags { count: 51, max: 50 }));

        let long = "é".repeat(100);
        let longer = "é".repeat(101);
        assert!(Tags::new([(long.as_str(), long.as_str())], &limits).is_ok());
        for pair in [(longer.as_str(), "v"), ("n", longer.as_str())] {
            assert!(matches!(Tags::new([pair], &limits), Err(InputError::TagTooLong { chars: 101, .. })));
        }
    }

    /// C56
    #[test]
    fn a_ttl_is_whole_seconds_and_zero_means_none() {
        assert_eq!(Ttl::from_seconds(0), Ok(None));
        assert_eq!(Ttl::from_seconds(3600).expect("an hour").map(Ttl::seconds), Some(3600));
        assert!(Ttl::from_seconds(TTL_SECONDS_MAX).is_ok());
        assert!(Ttl::from_seconds(TTL_SECONDS_MAX + 1).is_err());
        assert!(Ttl::from_seconds(u64::MAX).is_err());
        assert_eq!(Ttl::from_millis(1500).expect("short").map(Ttl::seconds), Some(2));
    }
}
