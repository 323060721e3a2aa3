//! `GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]`.

use super::expiry::{Expiry, Form};
use super::{OptionError, is};
use crate::resp::request::Arguments;

const COMMAND: &str = "getex";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GetexLifetime {
    Unchanged,
    Forever,
    Until(Expiry),
    /// The time is none. It is not judged before the key is known to exist.
    Wrong(OptionError<'static>),
}

/// `options` is what follows the key.
pub fn parse(options: Arguments<'_>) -> Result<GetexLifetime, OptionError<'_>> {
    let mut forever = false;
    let mut time: Option<(Form, &[u8])> = None;
    let mut words = options.iter();
    while let Some(word) = words.next() {
        if is(word, "PERSIST") && time.is_none() {
            forever = true;
        } else if let Some(form) = Form::of_option(word)
            && time.is_none_or(|(before, _)| before == form)
            && !forever
            && let Some(number) = words.next()
        {
            time = Some((form, number));
        } else {
            return Err(OptionError::Syntax);
        }
    }
    match time {
        Some((form, number)) => {
            Ok(form.of_entry(number, COMMAND).map_or_else(GetexLifetime::Wrong, GetexLifetime::Until))
        }
        None if forever => Ok(GetexLifetime::Forever),
        None => Ok(GetexLifetime::Unchanged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::request::sample::Sample;

    /// Asked of redis-server 7.0.15.
    #[test]
    fn a_lifetime_is_given_taken_away_or_left_alone() {
        let invalid = Ok(GetexLifetime::Wrong(OptionError::InvalidExpireTime("getex")));
        let cases = [
            ("GETEX k", Ok(GetexLifetime::Unchanged)),
            ("GETEX k persist", Ok(GetexLifetime::Forever)),
            ("GETEX k persist persist", Ok(GetexLifetime::Forever)),
            ("GETEX k px 5", Ok(GetexLifetime::Until(Expiry::In(5)))),
            ("GETEX k EXAT 5", Ok(GetexLifetime::Until(Expiry::At(5000)))),
            ("GETEX k ex 0", invalid),
            ("GETEX k px -5", invalid),
            ("GETEX k ex abc", Ok(GetexLifetime::Wrong(OptionError::NotAnInteger))),
            ("GETEX k ex", Err(OptionError::Syntax)),
            ("GETEX k ex 1 persist", Err(OptionError::Syntax)),
            ("GETEX k persist ex 1", Err(OptionError::Syntax)),
            ("GETEX k ex 1 px 1", Err(OptionError::Syntax)),
            ("GETEX k keepttl", Err(OptionError::Syntax)),
            ("GETEX k nx", Err(OptionError::Syntax)),
            ("GETEX k get", Err(OptionError::Syntax)),
        ];
        for (line, expected) in cases {
            assert_eq!(parse(Sample::of(line).arguments().from(2)), expected, "{line}");
        }
    }
}
