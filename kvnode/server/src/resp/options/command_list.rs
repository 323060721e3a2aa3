//! `COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]`.

use super::{OptionError, is};
use crate::resp::request::Arguments;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter<'a> {
    All,
    Module(&'a [u8]),
    /// Without the `@` that COMMAND INFO puts before it.
    Category(&'a [u8]),
    Pattern(&'a [u8]),
}

/// `following` is what follows `COMMAND LIST`.
pub fn parse(following: Arguments<'_>) -> Result<Filter<'_>, OptionError<'_>> {
    if following.is_empty() {
        return Ok(Filter::All);
    }
    let (Some(option), Some(kind), Some(value), 3) =
        (following.get(0), following.get(1), following.get(2), following.len())
    else {
        return Err(OptionError::Syntax);
    };
    if !is(option, "FILTERBY") {
        return Err(OptionError::Syntax);
    }
    [("MODULE", Filter::Module(value)), ("ACLCAT", Filter::Category(value)), ("PATTERN", Filter::Pattern(value))]
        .into_iter()
        .find_map(|(name, filter)| is(kind, name).then_some(filter))
        .ok_or(OptionError::Syntax)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::request::sample::Sample;

    /// Asked of redis-server 7.0.15.
    #[test]
    fn a_list_is_filtered_in_one_way_or_not_at_all() {
        for (line, expected) in [
            ("LIST", Ok(Filter::All)),
            ("LIST filterby module x", Ok(Filter::Module(b"x"))),
            ("LIST FilterBy AclCat read", Ok(Filter::Category(b"read"))),
            ("LIST filterby pattern get*", Ok(Filter::Pattern(b"get*"))),
            ("LIST foo", Err(OptionError::Syntax)),
            ("LIST filterby", Err(OptionError::Syntax)),
            ("LIST filterby pattern", Err(OptionError::Syntax)),
            ("LIST filterby foo x", Err(OptionError::Syntax)),
            ("LIST filterby pattern a b", Err(OptionError::Syntax)),
        ] {
            assert_eq!(parse(Sample::of(line).arguments().from(1)), expected, "{line}");
        }
    }
}
