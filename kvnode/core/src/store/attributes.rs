//! What is said about a value beside its content: tags, time to live, and its version.

use std::fmt;
use std::num::NonZeroU32;

use super::limits::{InputError, Limits, TTL_SECONDS_MAX};

/// How often a key was written. The first write makes 1; 0 stands for "there is no entry".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// Whole seconds from a write until its entry is gone; never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(NonZeroU32);

impl Ttl {
    /// Zero seconds mean that the entry does not expire.
    pub fn from_seconds(seconds: u64) -> Result<Option<Self>, InputError> {
        if seconds > TTL_SECONDS_MAX {
            return Err(InputError::TtlTooLong { seconds });
        }
        let seconds = u32::try_from(seconds).expect("100 years of seconds fit in 32 bits");
        Ok(NonZeroU32::new(seconds).map(Self))
    }

    pub fn seconds(self) -> u64 {
        u64::from(self.0.get())
    }
}

/// Names and values a client hangs on an entry, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tags(Box<[(Box<str>, Box<str>)]>);

impl Tags {
    /// A name that comes twice keeps its last value, as in JSON objects everywhere.
    pub fn new<'t>(pairs: impl IntoIterator<Item = (&'t str, &'t str)>, limits: &Limits) -> Result<Self, InputError> {
        let sorted: std::collections::BTreeMap<&str, &str> = pairs.into_iter().collect();
        if sorted.len() > limits.tags_max {
            return Err(InputError::TooManyTags { count: sorted.len(), max: limits.tags_max });
        }
        for (name, value) in &sorted {
            let chars = name.chars().count().max(value.chars().count());
            if chars > limits.tag_chars_max {
                const SHOWN_MAX: usize = 20;
                let start = name.chars().take(SHOWN_MAX).collect();
                return Err(InputError::TagTooLong { start, chars, max: limits.tag_chars_max });
            }
        }
        Ok(Self(sorted.into_iter().map(|(name, value)| (name.into(), value.into())).collect()))
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
        assert_eq!(tags(50).expect("fifty tags").iter().len(), 50);
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
    }
}
