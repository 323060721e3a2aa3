//! Moments as text. Two of them stand in every entry that is shown, so they are written digit by digit; the library that
//! knows calendars takes five times as long, and is asked in the tests.

use kvnode_core::time::UnixMillis;

/// `9999-12-31T23:59:59.999Z`: later years have five digits, which the format does not allow.
const LAST: u64 = 253_402_300_799_999;

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// After so many days the calendar repeats.
const DAYS_OF_400_YEARS: u64 = 146_097;

/// From the 1st of March of the year 0 to the start of Unix time. Years that begin in March have their leap day at the end.
const DAYS_BEFORE: u64 = 719_468;

/// RFC 3339, in UTC, always with milliseconds, so that texts sort as times do.
pub fn rfc3339(moment: UnixMillis) -> String {
    let milliseconds = moment.get().min(LAST);
    let (seconds, fraction) = (milliseconds / 1000, milliseconds % 1000);
    let (days, second) = (seconds / DAY_SECONDS, seconds % DAY_SECONDS);
    let (year, month, day) = date(days);

    let mut text = *b"0000-00-00T00:00:00.000Z";
    let fields = [
        (0..4, year),
        (5..7, month),
        (8..10, day),
        (11..13, second / 3600),
        (14..16, second / 60 % 60),
        (17..19, second % 60),
        (20..23, fraction),
    ];
    for (place, number) in fields {
        write_digits(&mut text[place], number);
    }
    str::from_utf8(&text).expect("digits are ASCII").to_owned()
}

/// The year, the month and the day of it that lie so many days after the start of Unix time.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + DAYS_BEFORE;
    let (cycle, of_cycle) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    // Every 4th year has a day more, every 100th does not, the 400th does.
    let year_of_cycle = (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    // From March on, five months have 153 days, again and again.
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let is_next_year = month_from_march >= 10;
    let month = if is_next_year { month_from_march - 9 } else { month_from_march + 3 };
    (400 * cycle + year_of_cycle + u64::from(is_next_year), month, day)
}

fn write_digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("one digit");
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C44
    #[test]
    fn times_are_written_in_utc_with_a_z_and_three_digits() {
        assert_eq!(rfc3339(UnixMillis::new(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(UnixMillis::new(1_700_000_000_120)), "2023-11-14T22:13:20.120Z");
        assert_eq!(rfc3339(UnixMillis::new(LAST)), "9999-12-31T23:59:59.999Z");
        assert_eq!(rfc3339(UnixMillis::new(u64::MAX)), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn every_day_of_800_years_is_the_calendars() {
        for day in 0..2 * DAYS_OF_400_YEARS {
            let millisecond = day * DAY_SECONDS * 1000 + day * 997 % (DAY_SECONDS * 1000);
            let told = jiff::Timestamp::from_millisecond(i64::try_from(millisecond).expect("small")).expect("in range");
            assert_eq!(rfc3339(UnixMillis::new(millisecond)), format!("{told:.3}"));
        }
    }
}
