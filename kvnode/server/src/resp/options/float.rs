//! The fractions of INCRBYFLOAT. Redis adds them as 80-bit binary numbers and shows 17 digits after the point. We add
//! decimal digits, 17 after the point, which gives what people expect where Redis' binary shows through: it answers
//! 1000.09999999999999998 to 1000.1. From 10^21 on the sum is a 64-bit binary number: such sums have fewer true digits
//! than Redis', and end at 1.8·10^308 instead of 1.2·10^4932. Hexadecimal fractions, which Redis takes, are refused.

use std::fmt;

use super::OptionError;

/// As many as Redis shows.
const FRACTION_DIGITS: u8 = 17;
const ONE: i128 = 10_i128.pow(17);

/// 21 digits before the point and 17 after it are what 128 bits hold whatever the digits are.
const INTEGER_DIGITS_MAX: i64 = 21;

/// Redis' own limit on the text of a number.
const TEXT_BYTES_MAX: usize = 5 * 1024;

/// Far outside of every range, and far from overflow.
const EXPONENT_MAX: i64 = 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fraction(Size);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Size {
    /// In units of the last digit.
    Decimal(i128),
    Large(f64),
}

/// A decimal number taken apart: `0.digits · 10^point`.
struct Parts {
    negative: bool,
    digits: Vec<u8>,
    point: i64,
}

impl Fraction {
    pub const ZERO: Self = Self(Size::Decimal(0));

    /// Infinity is a fraction, as in Redis, but nothing can be added to it.
    pub fn parse(text: &[u8]) -> Result<Self, OptionError<'static>> {
        if text.len() >= TEXT_BYTES_MAX {
            return Err(OptionError::NotAFloat);
        }
        if let Some(parts) = Parts::of(text)
            && let Some(units) = parts.units()
        {
            return Ok(Self(Size::Decimal(units)));
        }
        let text = std::str::from_utf8(text).map_err(|_| OptionError::NotAFloat)?;
        let number: f64 = text.parse().map_err(|_| OptionError::NotAFloat)?;
        let overflowed = number.is_infinite() && text.contains(|letter: char| letter.is_ascii_digit());
        if number.is_nan() || overflowed { Err(OptionError::NotAFloat) } else { Ok(Self(Size::Large(number))) }
    }

    pub fn plus(self, other: Self) -> Result<Self, OptionError<'static>> {
        if let (Size::Decimal(left), Size::Decimal(right)) = (self.0, other.0)
            && let Some(sum) = left.checked_add(right)
        {
            return Ok(Self(Size::Decimal(sum)));
        }
        let sum = self.binary() + other.binary();
        if sum.is_finite() { Ok(Self(Size::Large(sum))) } else { Err(OptionError::NotFinite) }
    }

    #[expect(clippy::cast_precision_loss, reason = "beside a large number the last digits do not count")]
    fn binary(self) -> f64 {
        match self.0 {
            Size::Decimal(units) => units as f64 / ONE as f64,
            Size::Large(number) => number,
        }
    }
}

impl Parts {
    /// Nothing for what is no decimal number, such as `inf`.
    fn of(text: &[u8]) -> Option<Self> {
        let (negative, unsigned) = sign(text);
        let (whole, rest) = digits(unsigned);
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => digits(rest),
            rest => (&[][..], rest),
        };
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', rest @ ..] => exponent(rest)?,
            _ => return None,
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let all = [whole, fraction].concat();
        let zeros = all.iter().take_while(|&&digit| digit == b'0').count();
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()? + exponent;
        Some(Self { negative, digits: all[zeros..].to_vec(), point })
    }

    /// Rounded to the last digit shown; nothing when there is no room for the first.
    fn units(&self) -> Option<i128> {
        if self.digits.is_empty() {
            return Some(0);
        }
        if self.point > INTEGER_DIGITS_MAX {
            return None;
        }
        let Ok(places) = usize::try_from(self.point + i64::from(FRACTION_DIGITS)) else { return Some(0) };
        let digit = |place: usize| self.digits.get(place).map_or(0, |digit| i128::from(digit - b'0'));
        let size = (0..places).fold(0, |size, place| size * 10 + digit(place)) + i128::from(digit(places) >= 5);
        Some(if self.negative { -size } else { size })
    }
}

/// Whether it is negative, and what follows the sign.
fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text.strip_prefix(b"+").unwrap_or(text)),
    }
}

/// The digits at the beginning, and the rest.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, unsigned) = sign(text);
    let (size, rest) = digits(unsigned);
    if size.is_empty() || !rest.is_empty() {
        return None;
    }
    let grow = |size: i64, digit: &u8| (size * 10 + i64::from(digit - b'0')).min(EXPONENT_MAX);
    let size = size.iter().fold(0, grow);
    Some(if negative { -size } else { size })
}

impl fmt::Display for Fraction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = match self.0 {
            Size::Decimal(units) => units,
            Size::Large(0.0) => 0,
            Size::Large(number) => return write!(formatter, "{number}"),
        };
        let (sign, size) = (if units < 0 { "-" } else { "" }, units.unsigned_abs());
        let (whole, part) = (size / ONE.unsigned_abs(), size % ONE.unsigned_abs());
        if part == 0 {
            return write!(formatter, "{sign}{whole}");
        }
        let part = format!("{part:0digits$}", digits = usize::from(FRACTION_DIGITS));
        write!(formatter, "{sign}{whole}.{}", part.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Adds like INCRBYFLOAT does on a key that is not there.
    fn sum(texts: &[&str]) -> Result<String, OptionError<'static>> {
        let add = |sum: Fraction, text: &&str| sum.plus(Fraction::parse(text.as_bytes())?);
        texts.iter().try_fold(Fraction::ZERO, add).map(|sum| sum.to_string())
    }

    /// Asked of redis-server 7.0.15.
    #[test]
    fn sums_are_those_of_redis() {
        for (texts, expected) in [
            (&["1.5"][..], "1.5"),
            (&["1e3"], "1000"),
            (&["1.0e+2"], "100"),
            (&["+1"], "1"),
            (&["-.5"], "-0.5"),
            (&["5."], "5"),
            (&["00012"], "12"),
            (&["-0"], "0"),
            (&["-0.0"], "0"),
            (&["10.5", "0.1"], "10.6"),
            (&["3.0e3", "200"], "3200"),
            (&["0.1", "0.2"], "0.3"),
            (&["1", "-1.1"], "-0.1"),
            (&["-1", "1"], "0"),
            (&["1e17", "1"], "100000000000000001"),
            (&["1e18"], "1000000000000000000"),
            (&["1e22", "1"], "10000000000000000000000"),
            (&["1.23456789012345678"], "1.23456789012345678"),
            (&["0.00000000000000001"], "0.00000000000000001"),
            (&["0.000000000000000004"], "0"),
            (&["-0.00000000000000000001"], "0"),
            (&["1e-18"], "0"),
        ] {
            assert_eq!(sum(texts).as_deref(), Ok(expected), "{texts:?}");
        }
    }

    /// Asked of redis-server 7.0.15, which gives 1000.09999999999999998, 123456789.12345678899873747 and
    /// 100000000000000000000.
    #[test]
    fn digits_do_not_drift_where_those_of_redis_do() {
        for text in ["1000.1", "123456789.123456789", "99999999999999999999.5"] {
            assert_eq!(sum(&[text]).as_deref(), Ok(text));
        }
    }

    /// Asked of redis-server 7.0.15.
    #[test]
    fn what_is_no_number_is_refused() {
        for text in
            ["", " 1", "1 ", "abc", "nan", "-nan", "1_0", "1e", "1e+", ".", "-", "1e5000", "1.2.3", "1e1.5", "\0"]
        {
            assert_eq!(sum(&[text]), Err(OptionError::NotAFloat), "{text:?}");
        }
        for text in ["inf", "-inf", "+inf", "Infinity"] {
            assert_eq!(sum(&[text]), Err(OptionError::NotFinite), "{text:?}");
        }
    }

    #[test]
    fn a_sum_larger_than_any_number_is_refused() {
        let largest = f64::MAX.to_string();
        assert_eq!(sum(&[&largest, &largest]), Err(OptionError::NotFinite));
        assert_eq!(sum(&[&largest, "1"]), Ok(largest));
    }

    #[test]
    fn endless_texts_are_refused_unread() {
        assert_eq!(Fraction::parse("1".repeat(TEXT_BYTES_MAX).as_bytes()), Err(OptionError::NotAFloat));
        let most = format!("0.{}1", "0".repeat(TEXT_BYTES_MAX - 4));
        assert_eq!(Fraction::parse(most.as_bytes()), Ok(Fraction::ZERO));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[-+0-9.eEinfa]{0,60}", other in "[-+]?[0-9]{1,22}(\\.[0-9]{0,20})?") {
            let other = Fraction::parse(other.as_bytes()).expect("a number");
            if let Ok(number) = Fraction::parse(text.as_bytes()) {
                let _ = number.plus(other).map(|sum| sum.to_string());
            }
        }

        #[test]
        fn a_sum_is_read_as_it_was_written(units in -10_i128.pow(38) + 1..10_i128.pow(38)) {
            let number = Fraction(Size::Decimal(units));
            prop_assert_eq!(Fraction::parse(number.to_string().as_bytes()), Ok(number));
        }

        #[test]
        fn whole_numbers_are_added_exactly(left: i64, right: i64) {
            let expected = (i128::from(left) + i128::from(right)).to_string();
            prop_assert_eq!(sum(&[&left.to_string(), &right.to_string()]), Ok(expected));
        }
    }
}
