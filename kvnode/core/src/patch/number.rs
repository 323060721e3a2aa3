//! Whether two numbers of JSON text are numerically equal, decided exactly and on the digits alone: no float that
//! rounds, and no time or memory that grows with an exponent.

/// An exponent of so many digits, and the sum of it and a length, fit into integers of the machine.
const SHORT_EXPONENT_DIGITS: usize = 18;

pub(super) fn same_number(one: &str, other: &str) -> bool {
    one == other || Decimal::read(one) == Decimal::read(other)
}

/// `0.DIGITS × 10^exponent`, without zeros around the digits and with the exponent written as integers are, so that
/// equal numbers have equal parts. Zero has no digits, and then neither sign nor exponent.
#[derive(Debug, Default, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: String,
}

impl Decimal {
    fn read(text: &str) -> Self {
        let (negative, unsigned) = sign(text);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        let significant = all.trim_start_matches('0');
        let digits = significant.trim_end_matches('0');
        if digits.is_empty() {
            return Self::default();
        }
        let leading_zeros = all.len() - significant.len();
        let exponent = sum(exponent, count(whole.len()) - count(leading_zeros));
        Self { negative, digits: digits.to_owned(), exponent }
    }
}

/// An integer of any size and a small one, added and written in the one way that integers are written.
fn sum(integer: &str, summand: i64) -> String {
    let (negative, digits) = sign(integer);
    let digits = digits.trim_start_matches('0');
    if digits.len() <= SHORT_EXPONENT_DIGITS {
        let magnitude: i64 = digits.parse().unwrap_or_default();
        return (summand + if negative { -magnitude } else { magnitude }).to_string();
    }
    // On paper, from the right. No length comes near 19 digits, so the sum keeps its sign and carries at most a 1.
    let mut digits = digits.as_bytes().to_vec();
    let mut carry = if negative { -summand } else { summand };
    for digit in digits.iter_mut().rev() {
        let sum = i64::from(*digit) - i64::from(b'0') + carry;
        *digit = b'0' + u8::try_from(sum.rem_euclid(10)).unwrap_or_default();
        carry = sum.div_euclid(10);
        if carry == 0 {
            break;
        }
    }
    let sign = if negative { "-" } else { "" };
    let carried = if carry > 0 { "1" } else { "" };
    let digits = String::from_utf8_lossy(&digits);
    format!("{sign}{carried}{}", if carried.is_empty() { digits.trim_start_matches('0') } else { &digits })
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_same_however_they_are_written() {
        for (one, other) in [
            ("1", "1.0"),
            ("1", "10e-1"),
            ("1", "0.001E+3"),
            ("-1.50", "-15e-1"),
            ("0", "-0"),
            ("0", "0.000e999999999"),
            ("0", "-0e-99999999999999999999999"),
            ("1e5", "1e+0005"),
            ("100", "1e2"),
            ("0.01", "1e-2"),
            ("123456789012345678901234567890", "1.2345678901234567890123456789e29"),
            ("1e999999999", "10e999999998"),
            ("1e999999999999999999", "0.1e1000000000000000000"),
            ("10e-1000000000000000000", "1e-999999999999999999"),
            ("10e99999999999999999999", "1e100000000000000000000"),
            ("1e-100000000000000000000", "10e-100000000000000000001"),
        ] {
            assert!(same_number(one, other), "{one} is {other}");
            assert!(same_number(other, one), "{other} is {one}");
        }
    }

    #[test]
    fn numbers_that_a_float_would_confuse_differ() {
        for (one, other) in [
            ("1", "-1"),
            ("1", "10"),
            ("0.1", "0.01"),
            ("9007199254740993", "9007199254740992"),
            ("123456789012345678901234567890", "123456789012345678901234567891"),
            ("1e400", "1e401"),
            ("1e-400", "0"),
            ("0.1", "0.1000000000000000055511151231257827"),
            ("1e999999999999999999", "1e1000000000000000000"),
            ("1e99999999999999999999", "1e-99999999999999999999"),
            ("1e99999999999999999999", "10e99999999999999999999"),
        ] {
            assert!(!same_number(one, other), "{one} is not {other}");
            assert!(!same_number(other, one), "{other} is not {one}");
        }
    }

    #[test]
    fn an_exponent_of_a_million_digits_is_compared_as_a_number_too() {
        let nines = "9".repeat(1_000_000);
        let one_and_zeros = format!("1{}", "0".repeat(1_000_000));
        assert!(same_number(&format!("10e{nines}"), &format!("1e{one_and_zeros}")));
        assert!(!same_number(&format!("1e{nines}"), &format!("1e{one_and_zeros}")));
    }
}
