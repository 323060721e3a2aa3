//! The conditions a request carries: `?ifVersion`, `If-Match` and `If-None-Match`. An `ETag` is a version in quotes, so a tag
//! that is no version matches nothing this node ever answered.

use http::{HeaderMap, HeaderName, header};
use kvnode_core::store::attributes::Version;
use kvnode_core::store::condition::Condition;

use super::problem::Problem;
use super::query::Query;

pub(super) const IF_VERSION: &str = "ifVersion";

/// All of them must hold for a write; a request with none is unconditional.
pub(super) fn of_write(query: &Query, headers: &HeaderMap) -> Result<Vec<Condition>, Problem> {
    let if_version = query.number(IF_VERSION)?.map(|version| Condition::IfVersion(Version::new(version)));
    let if_match = tags(headers, &header::IF_MATCH)?.map(|tags| match tags {
        Tags::Any => Condition::IfMatchAny,
        // A weak tag promises less than the same bytes, so it cannot guard a write (RFC 9110, 13.1.1).
        Tags::These(tags) => Condition::IfMatch(tags.iter().filter(|tag| !tag.weak).filter_map(Tag::version).collect()),
    });
    let if_none_match = none_match(headers)?;
    Ok([if_version, if_match, if_none_match].into_iter().flatten().collect())
}

/// The condition of a read: when it does not hold, the caller has the entry already.
pub(super) fn none_match(headers: &HeaderMap) -> Result<Option<Condition>, Problem> {
    Ok(tags(headers, &header::IF_NONE_MATCH)?.map(|tags| match tags {
        Tags::Any => Condition::IfNoneMatchAny,
        Tags::These(tags) => Condition::IfNoneMatch(tags.iter().filter_map(Tag::version).collect()),
    }))
}

pub(super) fn etag(version: Version) -> String {
    format!("\"{version}\"")
}

#[derive(Debug, PartialEq, Eq)]
enum Tags {
    Any,
    These(Vec<Tag>),
}

#[derive(Debug, PartialEq, Eq)]
struct Tag {
    weak: bool,
    opaque: String,
}

impl Tag {
    /// Only the text this node would write for a version counts, so `"03"` is not version 3.
    fn version(&self) -> Option<Version> {
        let number: u64 = self.opaque.parse().ok()?;
        (number > 0 && number.to_string() == self.opaque).then(|| Version::new(number))
    }
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, Problem> {
    let mut found = Vec::new();
    let mut any = false;
    for line in headers.get_all(name) {
        let text = line.to_str().map_err(|_| malformed(name))?.trim();
        if text == "*" {
            any = true;
        } else {
            parse_list(text, &mut found).ok_or_else(|| malformed(name))?;
        }
    }
    match (any, found.is_empty()) {
        (true, true) => Ok(Some(Tags::Any)),
        (false, true) if !headers.contains_key(name) => Ok(None),
        (true, false) | (false, true) => Err(malformed(name)),
        (false, false) => Ok(Some(Tags::These(found))),
    }
}

/// Entity tags separated by commas; a comma may also stand within a tag's quotes.
fn parse_list(text: &str, found: &mut Vec<Tag>) -> Option<()> {
    let mut rest = text;
    loop {
        let weak = rest.starts_with("W/");
        let quoted = rest.trim_start_matches("W/").strip_prefix('"')?;
        let (opaque, after) = quoted.split_once('"')?;
        found.push(Tag { weak, opaque: opaque.to_owned() });
        let after = after.trim_start();
        if after.is_empty() {
            return Some(());
        }
        rest = after.strip_prefix(',')?.trim_start();
    }
}

fn malformed(name: &HeaderName) -> Problem {
    let sentence = format!("The header {name} must be * or versions in double quotes, for example \"3\".");
    Problem::malformed("BadCondition", sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Lines = &'static [(&'static str, &'static str)];

    fn headers(lines: Lines) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect()
    }

    fn written(lines: Lines) -> Result<Vec<Condition>, Problem> {
        of_write(&Query::default(), &headers(lines))
    }

    /// R3
    #[test]
    fn entity_tags_are_versions_in_quotes() {
        let versions = |numbers: &[u64]| numbers.iter().copied().map(Version::new).collect::<Vec<_>>();
        let cases: [(Lines, Vec<Condition>); 9] = [
            (&[], vec![]),
            (&[("if-match", "\"3\"")], vec![Condition::IfMatch(versions(&[3]))]),
            (&[("if-match", "\"3\", \"4\"")], vec![Condition::IfMatch(versions(&[3, 4]))]),
            (&[("if-match", "\"3\""), ("if-match", "\"4\"")], vec![Condition::IfMatch(versions(&[3, 4]))]),
            (&[("if-match", "*")], vec![Condition::IfMatchAny]),
            (&[("if-match", "W/\"3\"")], vec![Condition::IfMatch(vec![])]),
            (&[("if-match", "\"a,b\", \"0\", \"03\"")], vec![Condition::IfMatch(vec![])]),
            (&[("if-none-match", "*")], vec![Condition::IfNoneMatchAny]),
            (&[("if-none-match", "W/\"3\"")], vec![Condition::IfNoneMatch(versions(&[3]))]),
        ];
        for (lines, expected) in cases {
            assert_eq!(written(lines).expect("well-formed"), expected, "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_list_of_entity_tags_is_refused() {
        for text in ["3", "", "\"3", "\"3\" \"4\"", "\"3\",", "*, \"3\"", "W/3"] {
            let lines: HeaderMap = [(header::IF_MATCH, text.parse().expect("a value"))].into_iter().collect();
            assert!(of_write(&Query::default(), &lines).is_err(), "{text:?}");
        }
        assert!(written(&[("if-match", "*"), ("if-match", "\"3\"")]).is_err());
    }
}
