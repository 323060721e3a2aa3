//! Numbers as C writes them in hexadecimal: `0x1.8p3` is 12. Redis takes them wherever it takes fractions.

use super::{Fraction, exponent, rounded};

/// Whatever the digits are, nothing but zero or infinity is that far away. It leaves room for the digits' own exponent.
const EXPONENT_MAX: i64 = 1_000_000;

/// Digits are taken as long as they have room; of those behind it counts whether there is any but zero.
const ROOM: u32 = u128::BITS - 8;

/// What follows the mark of such a number, if there is one.
pub(super) fn unmarked(unsigned: &[u8]) -> Option<&[u8]> {
    if let [b'0', b'x' | b'X', text @ ..] = unsigned { Some(text) } else { None }
}

pub(super) fn parse(negative: bool, text: &[u8]) -> Option<Fraction> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => digits(rest),
        rest => (&[][..], rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut power = match rest {
        [] => 0,
        [b'p' | b'P', rest @ ..] => exponent(rest)?.clamp(-EXPONENT_MAX, EXPONENT_MAX),
        _ => return None,
    };
    let mut bits = 0_u128;
    for (index, &digit) in whole.iter().chain(fraction).enumerate() {
        let digit = u128::from(char::from(digit).to_digit(16)?);
        let is_behind_the_point = index >= whole.len();
        if bits >> (ROOM - 4) == 0 {
            bits = bits << 4 | digit;
            power -= if is_behind_the_point { 4 } else { 0 };
        } else {
            bits |= u128::from(digit != 0);
            power += if is_behind_the_point { 0 } else { 4 };
        }
    }
    let number = rounded(negative, bits, i32::try_from(power).ok()?)?;
    // What becomes zero by being too small is refused, as in other texts.
    (number.mantissa > 0 || bits == 0).then_some(number)
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_hexdigit()).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        Fraction::parse(text.as_bytes()).map(|number| number.to_string())
    }

    /// Asked of redis-server 7.0.15.
    #[test]
    fn hexadecimal_numbers_are_those_of_redis() {
        for (text, expected) in [
            ("0x186a0", "100000"),
            ("-0X1F", "-31"),
            ("0x1.8p3", "12"),
            ("0x.8", "0.5"),
            ("0x8.", "8"),
            ("0x1p-4", "0.0625"),
            ("0x0p99999999999", "0"),
            ("0x1fffffffffffffffff", "590295810358705651712"),
            ("0x00000000000000000000000000000000000000000000001", "1"),
            ("0x10000000000000000000000000000001p-120", "16"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["0x", "0x.", "0xp1", "0x1p", "0x1g", "x1", "0x1p99999", "0x1p-99999", "0x1e+1", " 0x1", "0x-1"] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
