//! The numbers of INCRBYFLOAT, to the last digit those of Redis on common machines: it reads texts into binary numbers
//! of 80 bits, adds those, and shows 17 digits after the point. That is why 1000.1 becomes 1000.09999999999999998.
//! Everything is done in whole numbers here, so that every machine gives the same.

mod hexadecimal;
mod whole;

use std::fmt;

use whole::Whole;

/// Redis' own limit on the text of a number.
const TEXT_BYTES_MAX: usize = 5 * 1024;

/// As many as Redis shows behind the point.
const FRACTION_DIGITS: u32 = 17;

/// The exponents of the last bit of the largest numbers and of the smallest, which have fewer bits. What is smaller is
/// zero, and what is larger infinite.
const EXPONENT_MAX: i32 = 16_383 - 63;
const EXPONENT_MIN: i32 = -16_382 - 63;

/// Decimal exponents beyond this make every text zero or infinite, whatever its digits are.
const DECIMAL_EXPONENT_MAX: i64 = 1_000_000;

/// Digits and exponent of a text beyond which there is no number, and below which there is nothing but zero.
const DECIMAL_POINT_MAX: i64 = 5_000;

/// More than any mantissa has, so that what is cut off by a division only says which way to round.
const QUOTIENT_BITS_MIN: u64 = 70;

/// Bits below the mantissas when two are added. Two more are left above them, for the carry.
const ROOM: u32 = 62;

/// One, in units of the last digit shown.
const ONE: u128 = 10_u128.pow(FRACTION_DIGITS);

/// `mantissa · 2^exponent`. The mantissa has its highest bit set, but for zero and the very smallest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    negative: bool,
    mantissa: u64,
    exponent: i32,
}

/// A decimal number taken apart: `digits · 10^exponent`.
struct Parts<'t> {
    negative: bool,
    whole: &'t [u8],
    fraction: &'t [u8],
    exponent: i64,
}

impl Fraction {
    pub const ZERO: Self = Self { negative: false, mantissa: 0, exponent: 0 };

    /// Infinity is a fraction, as in Redis, but nothing can be added to it.
    const INFINITE: i32 = i32::MAX;

    /// Nothing for what is no number, or not one of this size.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() >= TEXT_BYTES_MAX {
            return None;
        }
        let (negative, unsigned) = sign(text);
        if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") {
            return Some(Self { negative, mantissa: 1 << 63, exponent: Self::INFINITE });
        }
        match hexadecimal::unmarked(unsigned) {
            Some(text) => hexadecimal::parse(negative, text),
            None => Parts::of(text)?.fraction(),
        }
    }

    /// Nothing when the sum is no finite number.
    pub fn plus(self, other: Self) -> Option<Self> {
        if self.exponent == Self::INFINITE || other.exponent == Self::INFINITE {
            return None;
        }
        if self.mantissa == 0 || other.mantissa == 0 {
            return Some(if self.mantissa == 0 { other } else { self });
        }
        let (large, small) = if self.size() >= other.size() { (self, other) } else { (other, self) };
        let one = u128::from(large.mantissa) << ROOM;
        let whole = u128::from(small.mantissa) << ROOM;
        let shift = large.exponent.abs_diff(small.exponent);
        let two = whole.checked_shr(shift).unwrap_or(0);
        let lost = two.checked_shl(shift).unwrap_or(0) != whole;
        let sum = if large.negative == small.negative { one + two } else { one - two - u128::from(lost) };
        let exponent = large.exponent - i32::try_from(ROOM).expect("it is small");
        rounded(large.negative, sum | u128::from(lost), exponent)
    }

    /// Orders sizes: highest bits first.
    fn size(self) -> (i32, u64) {
        (self.exponent, self.mantissa)
    }
}

/// The nearest number to `bits · 2^exponent`, the even one of two. Nothing when it is too large.
fn rounded(negative: bool, bits: u128, exponent: i32) -> Option<Fraction> {
    let len = i32::try_from(u128::BITS - bits.leading_zeros()).expect("128 at most");
    if len == 0 {
        return Some(Fraction::ZERO);
    }
    // The smallest numbers share their exponent, and have fewer bits.
    let shift = (len - 64).max(EXPONENT_MIN - exponent);
    if shift <= 0 {
        let mantissa = u64::try_from(bits << shift.unsigned_abs()).expect("64 bits are left");
        return finite(negative, mantissa, exponent + shift);
    }
    let shift = shift.unsigned_abs();
    let kept = bits.checked_shr(shift).unwrap_or(0);
    let rest = bits - kept.checked_shl(shift).unwrap_or(0);
    let half = 1_u128.checked_shl(shift - 1).unwrap_or(u128::MAX);
    let up = rest > half || (rest == half && kept & 1 == 1);
    let exponent = exponent + i32::try_from(shift).expect("it is small");
    match u64::try_from(kept + u128::from(up)) {
        Ok(mantissa) => finite(negative, mantissa, exponent),
        // One more bit than there is room for, and all others are zero.
        Err(_) => finite(negative, 1 << 63, exponent + 1),
    }
}

fn finite(negative: bool, mantissa: u64, exponent: i32) -> Option<Fraction> {
    (exponent <= EXPONENT_MAX).then_some(Fraction { negative, mantissa, exponent })
}

impl<'t> Parts<'t> {
    fn of(text: &'t [u8]) -> Option<Self> {
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
        let some = !whole.is_empty() || !fraction.is_empty();
        some.then_some(Self { negative, whole, fraction, exponent })
    }

    /// Nothing when it is too large, or so small that nothing but zero is near it.
    fn fraction(&self) -> Option<Fraction> {
        let digits = || self.whole.iter().chain(self.fraction).copied();
        let zeros = digits().take_while(|&digit| digit == b'0').count();
        if zeros == self.whole.len() + self.fraction.len() {
            return Some(Fraction::ZERO);
        }
        let fraction_len = i64::try_from(self.fraction.len()).ok()?;
        let point = i64::try_from(self.whole.len()).ok()? - i64::try_from(zeros).ok()? + self.exponent;
        if point.abs() > DECIMAL_POINT_MAX {
            return None;
        }
        let mut number = Whole::of_digits(digits().skip(zeros));
        let tens = self.exponent - fraction_len;
        let mut exponent = 0;
        let mut rest = false;
        let places = u32::try_from(tens.unsigned_abs()).ok()?;
        if tens >= 0 {
            number.multiply_by_ten(places);
        } else {
            let bits_lost = u64::from(places) * 3322 / 1000 + 1;
            let shift = (QUOTIENT_BITS_MIN + bits_lost).saturating_sub(number.bits());
            number.shift_left(shift);
            exponent = -i32::try_from(shift).ok()?;
            rest = number.divide_by_ten(places);
        }
        let (top, below, more) = number.top();
        let bits = top | u128::from(rest || more);
        let number = rounded(self.negative, bits, exponent + i32::try_from(below).ok()?)?;
        (number.mantissa > 0).then_some(number)
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
    let grow = |size: i64, digit: &u8| (size * 10 + i64::from(digit - b'0')).min(DECIMAL_EXPONENT_MAX);
    let size = size.iter().fold(0, grow);
    Some(if negative { -size } else { size })
}

/// As Redis shows it: rounded to 17 digits after the point, without the zeros at their end.
impl fmt::Display for Fraction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        if let Ok(shift) = u64::try_from(self.exponent) {
            let mut number = Whole::of(self.mantissa);
            number.shift_left(shift);
            return write!(formatter, "{sign}{}", number.into_decimal());
        }
        // 64 bits and 57 bits have room in 128.
        let exact = u128::from(self.mantissa) * ONE;
        let shift = self.exponent.unsigned_abs();
        let units = exact.checked_shr(shift).unwrap_or(0);
        let rest = exact - units.checked_shl(shift).unwrap_or(0);
        let half = 1_u128.checked_shl(shift - 1).unwrap_or(u128::MAX);
        let units = units + u128::from(rest > half || (rest == half && units & 1 == 1));
        let (whole, part) = (units / ONE, units % ONE);
        match (units, part) {
            (0, _) => formatter.write_str("0"),
            (_, 0) => write!(formatter, "{sign}{whole}"),
            _ => {
                let part = format!("{part:0digits$}", digits = FRACTION_DIGITS as usize);
                write!(formatter, "{sign}{whole}.{}", part.trim_end_matches('0'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Adds as INCRBYFLOAT does, from nothing on: "text" after every sum, as it is stored in between.
    fn sum(texts: &[&str]) -> Option<String> {
        texts.iter().try_fold(Fraction::ZERO.to_string(), |sum, text| {
            let sum = Fraction::parse(sum.as_bytes()).expect("it was written by us");
            Some(sum.plus(Fraction::parse(text.as_bytes())?)?.to_string())
        })
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
            (&["1000.1"], "1000.09999999999999998"),
            (&["123456789.123456789"], "123456789.12345678899873747"),
            (&["99999999999999999999.5"], "100000000000000000000"),
        ] {
            assert_eq!(sum(texts).as_deref(), Some(expected), "{texts:?}");
        }
    }

    /// Asked of redis-server 7.0.15.
    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", " 1", "1 ", "abc", "nan", "-nan", "1_0", "1e", "1e+", ".", "-", "1e5000", "1e-5000", "1.2.3", "1e1.5",
            "\0",
        ] {
            assert_eq!(Fraction::parse(text.as_bytes()), None, "{text:?}");
        }
        for text in ["inf", "-inf", "+inf", "Infinity"] {
            let infinite = Fraction::parse(text.as_bytes()).expect("a number");
            assert_eq!(Fraction::ZERO.plus(infinite), None, "{text:?}");
        }
    }

    #[test]
    fn a_sum_larger_than_any_number_is_refused() {
        let largest = Fraction { negative: false, mantissa: u64::MAX, exponent: EXPONENT_MAX };
        let text = largest.to_string();
        assert!(text.starts_with("118973149535723176502126385303") && text.len() == 4933);
        assert_eq!(Fraction::parse(text.as_bytes()), Some(largest));
        assert_eq!(largest.plus(largest), None);
        assert_eq!(sum(&[&text, "1"]), Some(text));
    }

    #[test]
    fn endless_texts_are_refused_unread() {
        assert_eq!(Fraction::parse("1".repeat(TEXT_BYTES_MAX).as_bytes()), None);
        let most = format!("0.{}1", "0".repeat(TEXT_BYTES_MAX - 4));
        assert_eq!(Fraction::parse(most.as_bytes()), None, "nothing but zero is near it");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[-+0-9.eEinfa]{0,60}", other in "[-+]?[0-9]{1,22}(\\.[0-9]{0,20})?(e-?[0-9]{1,4})?") {
            let other = Fraction::parse(other.as_bytes());
            if let (Some(number), Some(other)) = (Fraction::parse(text.as_bytes()), other) {
                let _ = number.plus(other).map(|sum| sum.to_string());
            }
        }

        /// Below 2^64 all whole numbers are exact.
        #[test]
        fn whole_numbers_are_added_exactly(left: i64, right: i64) {
            let expected = (i128::from(left) + i128::from(right)).to_string();
            prop_assert_eq!(sum(&[&left.to_string(), &right.to_string()]), Some(expected));
        }

        /// A number of 64 bits is exact in 80, and its sum with another is never further away than one of 64 would be.
        #[test]
        fn sums_are_at_least_as_near_as_those_of_shorter_numbers(left in -1e12..1e12_f64, right in -1e12..1e12_f64) {
            let exact = |number: f64| Fraction::parse(number.to_string().as_bytes()).expect("a number");
            let sum: f64 = exact(left).plus(exact(right)).expect("it is small").to_string().parse().expect("a number");
            prop_assert!((sum - (left + right)).abs() <= (left.abs() + right.abs()) * f64::EPSILON);
        }

        #[test]
        fn adding_and_taking_away_come_to_the_same(one in -1e9..1e9_f64, other in -1e9..1e9_f64) {
            let exact = |number: f64| Fraction::parse(number.to_string().as_bytes()).expect("a number");
            let (sum, reversed) = (exact(one).plus(exact(other)), exact(other).plus(exact(one)));
            prop_assert_eq!(sum, reversed);
            prop_assert_eq!(exact(one).plus(exact(-one)), Some(Fraction::ZERO));
        }
    }
}
