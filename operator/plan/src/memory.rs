//! How much memory a node gets. Kubernetes writes sizes in many ways (`1Gi`, `1024Mi`, `1073741824`); here they become
//! bytes, and one way of writing them, so that saying the same size differently does not replace a pod.

use std::fmt;

use kvtenant_api::rules;

/// A node's memory in whole bytes, between [`MemorySize::MIN`] and [`MemorySize::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemorySize {
    bytes: u64,
}

/// Why a text is no size for a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    #[error("{}", rules::MEMORY_IS_WHOLE.sentence)]
    NotAQuantity,
    #[error("{}", rules::MEMORY_AT_LEAST.sentence)]
    TooSmall,
    #[error("{}", rules::MEMORY_AT_MOST.sentence)]
    TooLarge,
}

/// Suffixes that multiply, with what they multiply by.
const FACTORS: [(&str, u128); 12] = [
    ("", 1),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000),
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
];

/// Suffixes that divide, with what they divide by.
const DIVISORS: [(&str, u128); 3] = [("n", 1_000_000_000), ("u", 1_000_000), ("m", 1_000)];

/// Decimal exponents beyond this are out of any bound anyway, and would overflow the arithmetic.
const EXPONENT_MAX: u32 = 18;

impl MemorySize {
    /// kvnode's own code, its tables and some data fit into this; with less it would be killed at its start.
    pub const MIN: Self = Self { bytes: 64 << 20 };
    /// More than any machine gives one pod today; a larger figure is a slip of the finger.
    pub const MAX: Self = Self { bytes: 1 << 40 };

    /// Reads a Kubernetes quantity.
    pub fn parse(text: &str) -> Result<Self, MemoryError> {
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let number_end = unsigned.find(|char: char| !(char.is_ascii_digit() || char == '.')).unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(number_end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.contains('.') || (whole.is_empty() && fraction.is_empty()) {
            return Err(MemoryError::NotAQuantity);
        }
        let (factor, divisor) = scale(suffix)?;
        if negative {
            return Err(MemoryError::TooSmall);
        }
        let digits = format!("{whole}{fraction}");
        let mantissa = digits.parse::<u128>().map_err(|_| MemoryError::TooLarge)?;
        let shift = u32::try_from(fraction.len()).ok().and_then(|places| 10_u128.checked_pow(places));
        let divisor = shift.and_then(|shift| shift.checked_mul(divisor)).ok_or(MemoryError::NotAQuantity)?;
        let scaled = mantissa.checked_mul(factor).ok_or(MemoryError::TooLarge)?;
        if scaled % divisor != 0 {
            return Err(MemoryError::NotAQuantity);
        }
        let bytes = u64::try_from(scaled / divisor).map_err(|_| MemoryError::TooLarge)?;
        let size = Self { bytes };
        if size < Self::MIN {
            return Err(MemoryError::TooSmall);
        }
        if size > Self::MAX { Err(MemoryError::TooLarge) } else { Ok(size) }
    }

    pub const fn bytes(self) -> u64 {
        self.bytes
    }
}

/// What a suffix multiplies and divides by.
fn scale(suffix: &str) -> Result<(u128, u128), MemoryError> {
    if let Some((_, factor)) = FACTORS.iter().find(|(known, _)| *known == suffix) {
        return Ok((*factor, 1));
    }
    if let Some((_, divisor)) = DIVISORS.iter().find(|(known, _)| *known == suffix) {
        return Ok((1, *divisor));
    }
    let exponent = suffix.strip_prefix(['e', 'E']).ok_or(MemoryError::NotAQuantity)?;
    let exponent = exponent.parse::<i32>().map_err(|_| MemoryError::NotAQuantity)?;
    match (exponent, exponent.unsigned_abs()) {
        (_, size) if size > EXPONENT_MAX => Err(MemoryError::NotAQuantity),
        (0.., size) => Ok((10_u128.pow(size), 1)),
        (_, size) => Ok((1, 10_u128.pow(size))),
    }
}

/// The shortest way of writing a number of bytes with a binary suffix: `1Gi`, never `1024Mi`.
pub(crate) fn binary(bytes: u64) -> String {
    let suffixes = [(1_u64 << 40, "Ti"), (1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")];
    match suffixes.iter().find(|(unit, _)| bytes.is_multiple_of(*unit)) {
        Some((unit, suffix)) => format!("{}{suffix}", bytes / unit),
        None => bytes.to_string(),
    }
}

impl fmt::Display for MemorySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&binary(self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<u64, MemoryError> {
        MemorySize::parse(text).map(MemorySize::bytes)
    }

    /// F9: the sizes people write.
    #[test]
    fn quantities_become_bytes() {
        for (text, bytes) in [
            ("64Mi", 64 << 20),
            ("512Mi", 512 << 20),
            ("1Gi", 1 << 30),
            ("1.5Gi", 3 << 29),
            ("0.5Gi", 1 << 29),
            ("1Ti", 1 << 40),
            ("+1Gi", 1 << 30),
            ("67108864", 64 << 20),
            ("67108864000m", 64 << 20),
            ("1G", 1_000_000_000),
            ("1e9", 1_000_000_000),
            ("1E9", 1_000_000_000),
            ("1000000000000e-3", 1_000_000_000),
            ("100000k", 100_000_000),
        ] {
            assert_eq!(parsed(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused_with_its_reason() {
        for bad in ["", "lots", "512MB", "1 Gi", "1.2.3Gi", ".", "Gi", "1e", "1e99", "67108864500m", "--1Gi", "1Gi "] {
            assert_eq!(parsed(bad), Err(MemoryError::NotAQuantity), "{bad}");
        }
        for small in ["0", "-1Gi", "63Mi", "67108863", "1"] {
            assert_eq!(parsed(small), Err(MemoryError::TooSmall), "{small}");
        }
        for large in ["1025Gi", "2Ti", "1Pi", "1E", "9".repeat(32).as_str(), "99999999999999999999Pi"] {
            assert_eq!(parsed(large), Err(MemoryError::TooLarge), "{large}");
        }
    }

    /// A pod is replaced when its text changes, so one size has one text.
    #[test]
    fn one_size_is_written_one_way() {
        for (text, canonical) in
            [("1024Mi", "1Gi"), ("1Gi", "1Gi"), ("1.5Gi", "1536Mi"), ("1G", "1000000000"), ("1048576Mi", "1Ti")]
        {
            assert_eq!(MemorySize::parse(text).map(|size| size.to_string()), Ok(canonical.to_owned()));
        }
    }
}
