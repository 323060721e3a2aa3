//! The part of a URL behind the question mark. A name that is not known is refused: `?ifversion=3` silently ignored
//! would turn a guarded write into one that overwrites whatever is there.

use super::problem::Problem;

#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(text: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        Self::parse_repeating(text, known, "")
    }

    /// One of the names may be there more than once.
    pub(super) fn parse_repeating(text: Option<&str>, known: &[&str], repeating: &str) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if !known.contains(&name.as_str()) {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(bad(format!("The query parameter '{name}' is not known here; known: {known}.")));
            }
            if name != repeating && pairs.iter().any(|(other, _)| *other == name) {
                return Err(bad(format!("The query parameter '{name}' is given more than once; give it once.")));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits => Ok(Some(number)),
            _ => Err(bad(format!("The query parameter '{name}' is '{text}'; it must be a whole number of 0 or more."))),
        }
    }

    pub(super) fn truth(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(text) => Err(bad(format!("The query parameter '{name}' is '{text}'; it must be true or false."))),
        }
    }
}

fn bad(sentence: String) -> Problem {
    Problem::unfit("BadQuery", sentence)
}

fn decode(text: &str) -> Result<String, Problem> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (Some(high), Some(low)) = (digit(), digit()) else {
                    let sentence =
                        format!("'{text}' in the query has a '%' that two hexadecimal digits do not follow.");
                    return Err(Problem::malformed("BadQuery", sentence));
                };
                u8::try_from(high * 16 + low).expect("two hexadecimal digits are a byte")
            }
            byte => byte,
        });
    }
    let not_utf8 = |_| Problem::malformed("BadQuery", format!("'{text}' in the query is not UTF-8."));
    String::from_utf8(bytes).map_err(not_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_and_looked_up_by_name() {
        let query =
            Query::parse(Some("prefix=a%2Fb+c%C3%A9&limit=5&&cursor="), &["prefix", "limit", "cursor"]).expect("good");
        assert_eq!(query.get("prefix"), Some("a/b cé"));
        assert_eq!(query.get("cursor"), Some(""));
        assert_eq!(query.number("limit").expect("a number"), Some(5));
        assert_eq!(query.get("other"), None);
    }

    #[test]
    fn what_is_unknown_twice_or_broken_is_refused() {
        for text in ["ifversion=3", "limit=1&limit=2", "limit=%zz", "limit=%2", "limit=%FF"] {
            assert!(Query::parse(Some(text), &["limit"]).is_err(), "{text}");
        }
        for text in ["limit=-1", "limit=", "limit=1.0", "limit=+1", "limit=99999999999999999999"] {
            let query = Query::parse(Some(text), &["limit"]).expect("well-formed");
            assert!(query.number("limit").is_err(), "{text}");
        }
    }
}
