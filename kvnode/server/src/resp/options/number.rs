//! Integers as Redis reads them: the one way it would write them and no other, so that a value that was read as a
//! number can be kept as one.

use super::OptionError;

/// Twenty characters are the longest that any 64-bit integer needs, its sign included.
const INTEGER_CHARS_MAX: usize = 20;

/// No sign but a minus, no leading zeros, no blanks.
pub fn parse(text: &[u8]) -> Option<i64> {
    if text.len() > INTEGER_CHARS_MAX {
        return None;
    }
    let (negative, digits) = match text {
        b"0" => return Some(0),
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if !matches!(digits.first(), Some(b'1'..=b'9')) {
        return None;
    }
    let mut size: u64 = 0;
    for &byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        size = size.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
    }
    if negative { 0_i64.checked_sub_unsigned(size) } else { i64::try_from(size).ok() }
}

pub fn integer(text: &[u8]) -> Result<i64, OptionError<'static>> {
    parse(text).ok_or(OptionError::NotAnInteger)
}

/// What DECRBY is to add.
pub fn decrement(text: &[u8]) -> Result<i64, OptionError<'static>> {
    integer(text)?.checked_neg().ok_or(OptionError::DecrementOverflow)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_one_spelling_of_a_number_is_one() {
        for text in [
            "",
            "-",
            "+1",
            "01",
            "00",
            "-0",
            "-01",
            " 1",
            "1 ",
            "1.0",
            "0x1",
            "1\0",
            "--1",
            "9223372036854775808",
            "-9223372036854775809",
            "18446744073709551616",
            "99999999999999999999999999",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn the_lowest_number_can_be_added_but_not_subtracted() {
        let lowest = i64::MIN.to_string();
        assert_eq!(integer(lowest.as_bytes()), Ok(i64::MIN));
        assert_eq!(decrement(lowest.as_bytes()), Err(OptionError::DecrementOverflow));
        assert_eq!(decrement(b"-5"), Ok(5));
        assert_eq!(decrement(b"abc"), Err(OptionError::NotAnInteger));
    }

    proptest! {
        #[test]
        fn a_number_is_read_as_it_was_written(number: i64) {
            prop_assert_eq!(parse(number.to_string().as_bytes()), Some(number));
        }

        #[test]
        fn whatever_is_read_would_be_written_the_same(text in "[-+0-9a ]{0,21}") {
            if let Some(number) = parse(text.as_bytes()) {
                prop_assert_eq!(number.to_string(), text);
            }
        }
    }
}
