//! `SCAN cursor [MATCH pattern] [COUNT number] [TYPE name]`.

use super::{OptionError, is, number};
use crate::resp::request::Arguments;

/// How many keys are looked at when the client does not say (Redis' number).
const COUNT_DEFAULT: u64 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan<'a> {
    pub cursor: u64,
    pub pattern: Option<&'a [u8]>,
    /// How much work the client suggests; whoever scans has a bound of its own.
    pub count: u64,
    /// Any word is a type; one that no key has matches nothing.
    pub kind: Option<&'a [u8]>,
}

/// `following` is what follows the command's name. Where an option is repeated, the last one counts.
pub fn parse(following: Arguments<'_>) -> Result<Scan<'_>, OptionError<'_>> {
    let cursor = cursor(following.get(0).unwrap_or_default())?;
    let mut scan = Scan { cursor, pattern: None, count: COUNT_DEFAULT, kind: None };
    let mut words = following.from(1).iter();
    while let Some(word) = words.next() {
        let value = words.next().ok_or(OptionError::Syntax)?;
        if is(word, "MATCH") {
            scan.pattern = Some(value);
        } else if is(word, "COUNT") {
            scan.count = count(value)?;
        } else if is(word, "TYPE") {
            scan.kind = Some(value);
        } else {
            return Err(OptionError::Syntax);
        }
    }
    Ok(scan)
}

fn count(text: &[u8]) -> Result<u64, OptionError<'static>> {
    match u64::try_from(number::integer(text)?) {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(OptionError::Syntax),
    }
}

/// More lenient than other numbers, as C's `strtoul` is: a plus, leading zeros, nothing at all for 0, and a minus that
/// counts back from 2⁶⁴.
fn cursor(text: &[u8]) -> Result<u64, OptionError<'static>> {
    let (is_negative, digits) = match text {
        [] => return Ok(0),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    // `parse` would take a second sign.
    let digits = if digits.first().is_some_and(u8::is_ascii_digit) { std::str::from_utf8(digits).ok() } else { None };
    let number: u64 = digits.and_then(|digits| digits.parse().ok()).ok_or(OptionError::InvalidCursor)?;
    Ok(if is_negative { number.wrapping_neg() } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::request::sample::Sample;

    #[test]
    fn options_stand_in_any_order_and_the_last_one_counts() {
        let sample = Sample::of("SCAN 18446744073709551615 count 5 TYPE string match a* COUNT 7 Match b*");
        let expected = Scan { cursor: u64::MAX, pattern: Some(b"b*"), count: 7, kind: Some(b"string") };
        assert_eq!(parse(sample.arguments().from(1)), Ok(expected));
        for (word, cursor) in [("+05", 5), ("-0", 0), ("-1", u64::MAX), ("", 0)] {
            let sample = Sample::of(&format!("SCAN {word}"));
            let expected = Scan { cursor, pattern: None, count: 10, kind: None };
            assert_eq!(parse(sample.arguments().from(1)), Ok(expected), "{word}");
        }
    }

    /// Asked of redis-server 7.0.15.
    #[test]
    fn wrong_options_are_refused_in_the_order_they_stand() {
        for (line, expected) in [
            ("abc", OptionError::InvalidCursor),
            ("abc foo", OptionError::InvalidCursor),
            ("0x1", OptionError::InvalidCursor),
            ("18446744073709551616", OptionError::InvalidCursor),
            ("0 match", OptionError::Syntax),
            ("0 foo", OptionError::Syntax),
            ("0 foo bar", OptionError::Syntax),
            ("0 count 0", OptionError::Syntax),
            ("0 count -1", OptionError::Syntax),
            ("0 count 1 count 0", OptionError::Syntax),
            ("0 count abc", OptionError::NotAnInteger),
            ("-", OptionError::InvalidCursor),
            ("-+1", OptionError::InvalidCursor),
            ("-18446744073709551616", OptionError::InvalidCursor),
        ] {
            let sample = Sample::of(&format!("SCAN {line}"));
            assert_eq!(parse(sample.arguments().from(1)), Err(expected), "{line}");
        }
    }
}
