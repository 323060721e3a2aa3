//! `HELLO [version [AUTH user password] [SETNAME name]]` and `AUTH [user] password`: how a connection begins.

use super::{OptionError, client, is, number};
use crate::resp::reply::Protocol;
use crate::resp::request::Arguments;

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Credentials<'a> {
    pub username: Option<&'a [u8]>,
    pub password: &'a [u8],
}

/// Whoever logs a request must not log its password.
impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let username = self.username.map(String::from_utf8_lossy);
        formatter.debug_struct("Credentials").field("username", &username).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hello<'a> {
    /// The one to speak from now on, also in the answer; without it the present one stays.
    pub protocol: Option<Protocol>,
    pub credentials: Option<Credentials<'a>>,
    /// For the connection; empty takes its name away.
    pub name: Option<&'a [u8]>,
}

/// `following` is what follows the command's name.
pub fn parse(following: Arguments<'_>) -> Result<Hello<'_>, OptionError<'_>> {
    let mut hello = Hello::default();
    let Some(version) = following.get(0) else { return Ok(hello) };
    hello.protocol = match number::parse(version).ok_or(OptionError::HelloVersionNotAnInteger)? {
        2 => Some(Protocol::Resp2),
        3 => Some(Protocol::Resp3),
        _ => return Err(OptionError::HelloVersionUnsupported),
    };
    let mut words = following.from(1).iter();
    while let Some(word) = words.next() {
        if is(word, "AUTH") && words.len() >= 2 {
            let username = words.next();
            hello.credentials = words.next().map(|password| Credentials { username, password });
        } else if is(word, "SETNAME") && words.len() >= 1 {
            hello.name = words.next().map(client::name).transpose()?;
        } else {
            return Err(OptionError::HelloOption(word));
        }
    }
    Ok(hello)
}

/// `following` is what follows AUTH.
pub fn credentials(following: Arguments<'_>) -> Result<Credentials<'_>, OptionError<'_>> {
    match (following.len(), following.get(0), following.get(1)) {
        (1, Some(password), None) => Ok(Credentials { username: None, password }),
        (2, username, Some(password)) => Ok(Credentials { username, password }),
        _ => Err(OptionError::Syntax),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::request::sample::Sample;

    #[test]
    fn a_connection_begins_with_all_it_wants_or_with_nothing() {
        let sample = Sample::of("HELLO 3 auth ann secret SetName web");
        let credentials = Some(Credentials { username: Some(b"ann"), password: b"secret" });
        let expected = Hello { protocol: Some(Protocol::Resp3), credentials, name: Some(b"web") };
        assert_eq!(parse(sample.arguments().from(1)), Ok(expected));
        assert_eq!(parse(Sample::of("HELLO").arguments().from(1)), Ok(Hello::default()));
    }

    /// Asked of redis-server 7.0.15.
    #[test]
    fn wrong_beginnings_are_refused_in_the_order_they_stand() {
        for (line, expected) in [
            ("4", "NOPROTO unsupported protocol version"),
            ("1", "NOPROTO unsupported protocol version"),
            ("-1", "NOPROTO unsupported protocol version"),
            ("5 foo", "NOPROTO unsupported protocol version"),
            ("abc foo", "ERR Protocol version is not an integer or out of range"),
            ("02", "ERR Protocol version is not an integer or out of range"),
            ("9223372036854775808", "ERR Protocol version is not an integer or out of range"),
            ("2 foo", "ERR Syntax error in HELLO option 'foo'"),
            ("2 auth", "ERR Syntax error in HELLO option 'auth'"),
            ("2 auth a", "ERR Syntax error in HELLO option 'auth'"),
            ("2 auth default x setname", "ERR Syntax error in HELLO option 'setname'"),
            ("2 setname a\tb", "ERR Client names cannot contain spaces, newlines or special characters."),
        ] {
            let sample = Sample::of(&format!("HELLO {line}"));
            let error = parse(sample.arguments().from(1)).expect_err(line);
            assert_eq!(error.message(), expected.as_bytes(), "{line}");
        }
    }

    #[test]
    fn a_password_may_come_alone() {
        let alone = Sample::of("AUTH secret");
        let expected = Credentials { username: None, password: b"secret" };
        assert_eq!(credentials(alone.arguments().from(1)), Ok(expected));
        assert_eq!(credentials(Sample::of("AUTH a b c").arguments().from(1)), Err(OptionError::Syntax));
    }

    #[test]
    fn a_password_is_not_shown() {
        let shown = format!("{:?}", Credentials { username: Some(b"ann"), password: b"secret" });
        assert!(shown.contains("ann") && !shown.contains("secret"), "{shown}");
    }
}
