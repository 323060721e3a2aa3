//! `SET key value [NX | XX | IFEQ value] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`. IFEQ is Valkey's (8.1):
//! write only where the present value is this one, the compare-and-set of plain clients.

use super::expiry::{Expiry, Form};
use super::{OptionError, is};
use crate::resp::request::Arguments;

const COMMAND: &str = "set";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition<'a> {
    #[default]
    Always,
    IfAbsent,
    IfPresent,
    IfEqual(&'a [u8]),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lifetime {
    #[default]
    Forever,
    Unchanged,
    Until(Expiry),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetOptions<'a> {
    pub condition: Condition<'a>,
    /// Answer with the value that was there.
    pub get: bool,
    pub lifetime: Lifetime,
}

/// `options` is what follows the value. An option may be repeated, but none may contradict another; times are judged
/// after all words are known.
pub fn parse(options: Arguments<'_>) -> Result<SetOptions<'_>, OptionError<'_>> {
    let mut parsed = SetOptions::default();
    if options.is_empty() {
        return Ok(parsed);
    }
    let mut time: Option<(Form, &[u8])> = None;
    let mut words = options.iter();
    while let Some(word) = words.next() {
        if let Some(condition) = condition(word, &mut words) {
            if !agrees(parsed.condition, condition) {
                return Err(OptionError::Syntax);
            }
            parsed.condition = condition;
        } else if is(word, "GET") {
            parsed.get = true;
        } else if is(word, "KEEPTTL") && time.is_none() {
            parsed.lifetime = Lifetime::Unchanged;
        } else if let Some(form) = Form::of_option(word)
            && time.is_none_or(|(before, _)| before == form)
            && parsed.lifetime == Lifetime::Forever
            && let Some(number) = words.next()
        {
            time = Some((form, number));
        } else {
            return Err(OptionError::Syntax);
        }
    }
    if let Some((form, number)) = time {
        parsed.lifetime = Lifetime::Until(form.of_entry(number, COMMAND)?);
    }
    Ok(parsed)
}

fn condition<'a>(word: &[u8], following: &mut impl Iterator<Item = &'a [u8]>) -> Option<Condition<'a>> {
    if is(word, "NX") {
        Some(Condition::IfAbsent)
    } else if is(word, "XX") {
        Some(Condition::IfPresent)
    } else if is(word, "IFEQ") {
        following.next().map(Condition::IfEqual)
    } else {
        None
    }
}

/// Two values to compare with would be two conditions.
fn agrees(before: Condition, now: Condition) -> bool {
    before == Condition::Always || (before == now && !matches!(now, Condition::IfEqual(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::request::sample::Sample;

    fn parsed(line: &str, check: impl FnOnce(Result<SetOptions, OptionError>)) {
        check(parse(Sample::of(line).arguments().from(3)));
    }

    #[test]
    fn options_stand_in_any_order_and_case() {
        let in_ten = Lifetime::Until(Expiry::In(10_000));
        parsed("SET k v", |options| assert_eq!(options, Ok(SetOptions::default())));
        let expected = SetOptions { condition: Condition::IfAbsent, get: true, lifetime: in_ten };
        for line in ["SET k v NX GET EX 10", "set k v ex 10 nx get", "SET k v Px 10000 gEt nX"] {
            parsed(line, |options| assert_eq!(options, Ok(expected), "{line}"));
        }
        let expected = SetOptions { condition: Condition::IfEqual(b"NX"), get: false, lifetime: Lifetime::Unchanged };
        parsed("SET k v IFEQ NX KEEPTTL", |options| assert_eq!(options, Ok(expected)));
    }

    /// The accepted ones were asked of redis-server 7.0.15.
    #[test]
    fn what_is_said_twice_the_same_is_said_once() {
        for line in ["SET k v nx nx", "SET k v get get", "SET k v keepttl keepttl", "SET k v ex 10 ex 10"] {
            parsed(line, |options| assert!(options.is_ok(), "{line}: {options:?}"));
        }
    }

    /// Those without IFEQ were asked of redis-server 7.0.15.
    #[test]
    fn contradictions_and_unknown_words_are_syntax_errors_even_before_wrong_times() {
        for line in [
            "nx xx",
            "xx nx",
            "ex",
            "px",
            "ex 1 px 1",
            "ex 1 keepttl",
            "keepttl ex 1",
            "foo",
            "persist",
            "ex abc foo",
            "ex 0 xx nx",
            "ifeq",
            "ifeq a nx",
            "xx ifeq a",
            "ifeq a ifeq b",
            "ifeq a ifeq a",
        ] {
            parsed(&format!("SET k v {line}"), |options| assert_eq!(options, Err(OptionError::Syntax), "{line}"));
        }
    }

    /// Asked of redis-server 7.0.15.
    #[test]
    fn times_are_positive_numbers_within_the_calendar() {
        for line in ["ex abc", "ex nx", "ex +1", "ex 01", "ex 1.5"] {
            parsed(&format!("SET k v {line}"), |options| assert_eq!(options, Err(OptionError::NotAnInteger), "{line}"));
        }
        for line in [
            "ex 0",
            "ex -1",
            "px 0",
            "exat 0",
            "ex 9223372036854775807",
            "ex 9223372036854775",
            "px 9223372036854775807",
            "exat 9223372036854776",
        ] {
            let expected = Err(OptionError::InvalidExpireTime("set"));
            parsed(&format!("SET k v {line}"), |options| assert_eq!(options, expected, "{line}"));
        }
        for (line, at) in [
            ("pxat 9223372036854775807", i64::MAX),
            ("exat 9223372036854775", 9_223_372_036_854_775_000),
            ("exat 1", 1000),
        ] {
            parsed(&format!("SET k v {line}"), |options| {
                assert_eq!(options.map(|options| options.lifetime), Ok(Lifetime::Until(Expiry::At(at))), "{line}");
            });
        }
    }
}
