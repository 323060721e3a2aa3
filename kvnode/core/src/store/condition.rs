//! What a writer may demand of the entry as it is now. A condition is judged under the partition's lock, against
//! the live version only: an expired or deleted entry counts as absent, whatever version its tombstone keeps.

use std::fmt;

use super::attributes::Version;
use crate::time::UnixMillis;

/// One demand on the present version. The five forms are those of the HTTP interface; `IfVersion` and the
/// preconditions differ in how a failure is answered, not in how they are judged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// `?ifVersion=N`: exactly this version; 0 means that there must be no entry.
    IfVersion(Version),
    /// `If-Match` with a list: one of these versions.
    IfMatch(Vec<Version>),
    /// `If-Match: *`: any entry.
    IfMatchAny,
    /// `If-None-Match` with a list: none of these versions.
    IfNoneMatch(Vec<Version>),
    /// `If-None-Match: *`: no entry.
    IfNoneMatchAny,
    /// `SET … IFEQ`: an entry whose content is exactly this.
    IfContent(Box<[u8]>),
    /// `EXPIRE … NX|XX|GT|LT`: what the present expiry must be like.
    IfExpiry(ExpiryRule),
}

/// What must hold of the present expiry. Without one an entry lives for ever, which is later than any moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExpiryRule {
    None,
    Some,
    Before(UnixMillis),
    After(UnixMillis),
}

/// What a condition is judged against.
#[derive(Clone, Copy, Debug, Default)]
pub struct Present<'p> {
    /// [`Version::ABSENT`] when there is no live entry.
    pub version: Version,
    pub content: &'p [u8],
    pub expires_at: Option<UnixMillis>,
}

impl Condition {
    pub fn holds(&self, present: Present<'_>) -> bool {
        let actual = present.version;
        match self {
            Self::IfVersion(version) => *version == actual,
            Self::IfMatch(versions) => actual != Version::ABSENT && versions.contains(&actual),
            Self::IfMatchAny => actual != Version::ABSENT,
            Self::IfNoneMatch(versions) => actual == Version::ABSENT || !versions.contains(&actual),
            Self::IfNoneMatchAny => actual == Version::ABSENT,
            Self::IfContent(content) => actual != Version::ABSENT && content.as_ref() == present.content,
            Self::IfExpiry(rule) => actual != Version::ABSENT && rule.holds(present.expires_at),
        }
    }
}

impl ExpiryRule {
    fn holds(self, expires_at: Option<UnixMillis>) -> bool {
        match self {
            Self::None => expires_at.is_none(),
            Self::Some => expires_at.is_some(),
            Self::Before(moment) => expires_at.is_some_and(|expires_at| expires_at < moment),
            Self::After(moment) => expires_at.is_none_or(|expires_at| expires_at > moment),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IfVersion(version) => write!(formatter, "{version}"),
            Self::IfMatch(versions) => list(formatter, "one of", versions),
            Self::IfMatchAny => formatter.write_str("any version"),
            Self::IfNoneMatch(versions) => list(formatter, "none of", versions),
            Self::IfNoneMatchAny => formatter.write_str("no entry"),
            Self::IfContent(_) => formatter.write_str("another value"),
            Self::IfExpiry(_) => formatter.write_str("another expiry"),
        }
    }
}

fn list(formatter: &mut fmt::Formatter<'_>, lead: &str, versions: &[Version]) -> fmt::Result {
    formatter.write_str(lead)?;
    versions.iter().enumerate().try_for_each(|(position, version)| {
        let comma = if position == 0 { "" } else { "," };
        write!(formatter, "{comma} {version}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R3
    #[test]
    fn each_condition_holds_exactly_where_its_name_says() {
        let version = Version::new;
        let cases = [
            (Condition::IfVersion(version(0)), [true, false, false]),
            (Condition::IfVersion(version(2)), [false, false, true]),
            (Condition::IfMatch(vec![version(1), version(7)]), [false, true, false]),
            (Condition::IfMatch(vec![version(0)]), [false, false, false]),
            (Condition::IfMatch(vec![]), [false, false, false]),
            (Condition::IfMatchAny, [false, true, true]),
            (Condition::IfNoneMatch(vec![version(0), version(2)]), [true, true, false]),
            (Condition::IfNoneMatchAny, [true, false, false]),
        ];
        for (condition, expected) in cases {
            let present = |actual| Present { version: version(actual), ..Present::default() };
            let found = [0, 1, 2].map(|actual| condition.holds(present(actual)));
            assert_eq!(found, expected, "{condition:?} against absent, 1, 2");
        }
    }

    #[test]
    fn an_entry_without_expiry_lives_longer_than_any_moment() {
        let moment = UnixMillis::new(5);
        let cases = [
            (ExpiryRule::None, [true, false, false]),
            (ExpiryRule::Some, [false, true, true]),
            (ExpiryRule::Before(moment), [false, true, false]),
            (ExpiryRule::After(moment), [true, false, false]),
        ];
        for (rule, expected) in cases {
            let found = [None, Some(UnixMillis::new(4)), Some(moment)].map(|expires_at| rule.holds(expires_at));
            assert_eq!(found, expected, "{rule:?}");
        }
    }

    #[test]
    fn a_list_of_versions_reads_as_words() {
        assert_eq!(Condition::IfMatch(vec![Version::new(3), Version::new(4)]).to_string(), "one of 3, 4");
    }
}
