//! Sizes, times and truths as people write them. Each function says what is wrong in words that follow on the name of
//! the setting: "--port" + "must be …".

use std::ops::RangeInclusive;
use std::time::Duration;

/// The suffixes of Kubernetes quantities that make sense for memory.
const SIZE_UNITS: [(&str, u64); 8] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
];

/// A number without a unit would be taken for seconds by some and for milliseconds by others; only 0 needs none.
const SHORT_TIME_UNITS: [(&str, u64); 3] = [("ms", 1), ("s", 1000), ("m", 60_000)];

const TIME_UNITS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];

pub(super) fn bytes(text: &str, range: RangeInclusive<u64>) -> Result<u64, String> {
    with_unit(text, &SIZE_UNITS).filter(|bytes| range.contains(bytes)).ok_or_else(|| {
        let (least, most) = (size_text(*range.start()), size_text(*range.end()));
        format!("is '{text}'; it must be a number of bytes, or a size like 512Mi, from {least} to {most}")
    })
}

pub(super) fn duration(text: &str, range: RangeInclusive<Duration>) -> Result<Duration, String> {
    with_unit(text, &TIME_UNITS).map(Duration::from_secs).filter(|time| range.contains(time)).ok_or_else(|| {
        let (least, most) = (range.start().as_secs(), range.end().as_secs());
        format!("is '{text}'; it must be a time like 90s, 30m or 1h, from {least} to {most} seconds")
    })
}

/// For times that can be shorter than a second.
pub(super) fn short_time(text: &str, range: RangeInclusive<Duration>) -> Result<Duration, String> {
    let milliseconds = with_unit(text, &SHORT_TIME_UNITS)
        .filter(|&time| time == 0 || !text.ends_with(|last: char| last.is_ascii_digit()));
    milliseconds.map(Duration::from_millis).filter(|time| range.contains(time)).ok_or_else(|| {
        let (least, most) = (range.start().as_secs(), range.end().as_secs());
        format!("is '{text}'; it must be a time like 250ms or 2s, from {least} to {most} seconds")
    })
}

pub(super) fn number<T>(text: &str, range: RangeInclusive<T>) -> Result<T, String>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    text.parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("is '{text}'; it must be a whole number from {} to {}", range.start(), range.end()))
}

pub(super) fn truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("is '{text}'; it must be true or false")),
    }
}

fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (digits, factor) =
        units.iter().find_map(|&(unit, factor)| Some((text.strip_suffix(unit)?, factor))).unwrap_or((text, 1));
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse::<u64>().ok()?.checked_mul(factor) } else { None }
}

fn size_text(bytes: u64) -> String {
    let unit = SIZE_UNITS[..4].iter().rev().find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor));
    unit.map_or_else(|| bytes.to_string(), |(unit, factor)| format!("{}{unit}", bytes / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_bytes_or_carry_a_unit() {
        let size = |text| bytes(text, 0..=u64::MAX);
        assert_eq!(size("1024"), Ok(1024));
        assert_eq!(size("512Mi"), Ok(536_870_912));
        assert_eq!(size("2G"), Ok(2_000_000_000));
        for wrong in ["", "Mi", "-1", "1.5Gi", "12 Mi", "1e3", "99999999999Ti", "0x10", "+5"] {
            assert!(size(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn times_are_seconds_or_carry_a_unit() {
        let time = |text| duration(text, Duration::ZERO..=Duration::from_secs(86_400 * 365));
        assert_eq!(time("90"), Ok(Duration::from_secs(90)));
        assert_eq!(time("30m"), Ok(Duration::from_mins(30)));
        assert_eq!(time("1h"), Ok(Duration::from_hours(1)));
        assert!(time("1w").is_err());
        let short = |text| short_time(text, Duration::ZERO..=Duration::from_secs(60));
        assert_eq!(short("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!([short("2s"), short("1m")], [2, 60].map(|seconds| Ok(Duration::from_secs(seconds))));
        assert_eq!(short("0"), Ok(Duration::ZERO));
        for wrong in ["250", "2m", "-1s", "ms", "1h"] {
            assert!(short(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_value_out_of_range_is_told_the_range() {
        assert_eq!(
            number::<u16>("70000", 0..=u16::MAX),
            Err("is '70000'; it must be a whole number from 0 to 65535".to_owned())
        );
        assert_eq!(
            bytes("1", 1 << 20..=1 << 40),
            Err("is '1'; it must be a number of bytes, or a size like 512Mi, from 1Mi to 1Ti".to_owned())
        );
    }
}
