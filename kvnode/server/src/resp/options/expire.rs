//! `EXPIRE key time [NX | XX | GT | LT]` and its three sisters, which differ in what the number means.

use super::expiry::{Expiry, Form};
use super::{OptionError, is, number};
use crate::resp::request::Arguments;

/// An entry without an end counts as one that ends later than any other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExpireCondition {
    pub present: Present,
    pub new: New,
}

/// What must be true of the end the entry has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Present {
    #[default]
    Any,
    /// NX
    Missing,
    /// XX
    Set,
}

/// What must be true of the end it is to get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum New {
    #[default]
    Any,
    /// GT
    Later,
    /// LT
    Earlier,
}

/// `following` is what follows the key: the number, then options. Options are judged before the number.
pub fn parse<'a>(
    form: Form,
    following: Arguments<'a>,
    command: &'static str,
) -> Result<(Expiry, ExpireCondition), OptionError<'a>> {
    let time = following.get(0).ok_or(OptionError::Syntax)?;
    let condition = condition(following.from(1))?;
    let expiry = form.expiry(number::integer(time)?, command)?;
    Ok((expiry, condition))
}

fn condition(options: Arguments<'_>) -> Result<ExpireCondition, OptionError<'_>> {
    let (mut missing, mut set, mut later, mut earlier) = (false, false, false, false);
    for word in options.iter() {
        let said = [("NX", &mut missing), ("XX", &mut set), ("GT", &mut later), ("LT", &mut earlier)]
            .into_iter()
            .find(|(name, _)| is(word, name));
        match said {
            Some((_, said)) => *said = true,
            None => return Err(OptionError::UnsupportedExpireOption(word)),
        }
    }
    if missing && (set || later || earlier) {
        return Err(OptionError::ExpireNxWithOthers);
    }
    let present = match (missing, set) {
        (true, _) => Present::Missing,
        (_, true) => Present::Set,
        _ => Present::Any,
    };
    let new = match (later, earlier) {
        (true, true) => return Err(OptionError::ExpireGtWithLt),
        (true, _) => New::Later,
        (_, true) => New::Earlier,
        _ => New::Any,
    };
    Ok(ExpireCondition { present, new })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::request::sample::Sample;

    fn check(form: Form, line: &str, command: &'static str, expected: Result<(Expiry, ExpireCondition), OptionError>) {
        let sample = Sample::of(line);
        assert_eq!(parse(form, sample.arguments().from(2), command), expected, "{line}");
    }

    #[test]
    fn conditions_that_agree_are_combined() {
        for (options, present, new) in [
            ("", Present::Any, New::Any),
            (" nx", Present::Missing, New::Any),
            (" XX", Present::Set, New::Any),
            (" gt gt", Present::Any, New::Later),
            (" xx Lt", Present::Set, New::Earlier),
        ] {
            let expected = Ok((Expiry::In(10_000), ExpireCondition { present, new }));
            check(Form::Seconds, &format!("EXPIRE k 10{options}"), "expire", expected);
        }
    }

    /// Asked of redis-server 7.0.15.
    #[test]
    fn conditions_that_contradict_each_other_are_refused_before_the_time_is_judged() {
        for (line, expected) in [
            ("10 nx xx", OptionError::ExpireNxWithOthers),
            ("10 nx gt", OptionError::ExpireNxWithOthers),
            ("10 nx lt", OptionError::ExpireNxWithOthers),
            ("10 gt lt", OptionError::ExpireGtWithLt),
            ("10 foo", OptionError::UnsupportedExpireOption(b"foo")),
            ("10 nx foo", OptionError::UnsupportedExpireOption(b"foo")),
            ("abc foo", OptionError::UnsupportedExpireOption(b"foo")),
            ("abc", OptionError::NotAnInteger),
        ] {
            check(Form::Seconds, &format!("EXPIRE k {line}"), "expire", Err(expected));
        }
    }

    /// Asked of redis-server 7.0.15.
    #[test]
    fn the_past_is_a_time_but_what_leaves_the_calendar_is_none() {
        let always = ExpireCondition::default();
        for (form, command, number, expected) in [
            (Form::Seconds, "expire", i64::MAX, None),
            (Form::Seconds, "expire", i64::MIN, None),
            (Form::Seconds, "expire", i64::MAX / 1000, None),
            (Form::Seconds, "expire", -1, Some(Expiry::In(-1000))),
            (Form::Milliseconds, "pexpire", i64::MAX, None),
            (Form::Milliseconds, "pexpire", i64::MIN, Some(Expiry::In(i64::MIN))),
            (Form::AtSeconds, "expireat", i64::MAX, None),
            (Form::AtSeconds, "expireat", i64::MIN, None),
            (Form::AtSeconds, "expireat", i64::MAX / 1000, Some(Expiry::At(i64::MAX / 1000 * 1000))),
            (Form::AtMilliseconds, "pexpireat", i64::MAX, Some(Expiry::At(i64::MAX))),
            (Form::AtMilliseconds, "pexpireat", i64::MIN, Some(Expiry::At(i64::MIN))),
        ] {
            let expected = expected.map(|expiry| (expiry, always)).ok_or(OptionError::InvalidExpireTime(command));
            check(form, &format!("{command} k {number}"), command, expected);
        }
    }
}
