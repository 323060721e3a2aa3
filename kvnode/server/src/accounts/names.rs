//! User names and email addresses: which texts are one, and when two of them are the same. Both find an account at
//! login, so a user name must never look like an email address.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use thiserror::Error;

/// Shorter names are all taken at once; longer ones do not fit a line of a log or a table.
pub const USERNAME_CHARS: RangeInclusive<usize> = 3..=50;

/// RFC 5321, 4.5.3.1: what a mail server has to accept.
pub const EMAIL_BYTES_MAX: usize = 254;
const EMAIL_LOCAL_BYTES_MAX: usize = 64;

/// RFC 1035, 2.3.4.
const DOMAIN_LABEL_BYTES_MAX: usize = 63;

/// Kept as it was written; compared without regard to case, so that nobody can register as `Alice` beside `alice`.
/// Only ASCII, because letters of other scripts that look the same would allow just that.
#[derive(Clone, Debug)]
pub struct Username(Box<str>);

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum UsernameError {
    #[error(
        "The user name has {chars} characters; it must have {} to {}.",
        USERNAME_CHARS.start(),
        USERNAME_CHARS.end()
    )]
    Length { chars: usize },
    #[error("The user name begins with {character:?}; it must begin with a letter from a to z or a digit.")]
    Beginning { character: char },
    #[error(
        "The user name has {character:?} as its character {position}; only letters from a to z (in either case), \
         digits, '.', '_' and '-' are allowed."
    )]
    Character { character: char, position: usize },
}

impl Username {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which an account is found.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for Username {
    type Err = UsernameError;

    fn from_str(text: &str) -> Result<Self, UsernameError> {
        let chars = text.chars().count();
        if !USERNAME_CHARS.contains(&chars) {
            return Err(UsernameError::Length { chars });
        }
        let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
        if let Some((index, character)) = text.chars().enumerate().find(|&(_, character)| !allowed(character)) {
            return Err(UsernameError::Character { character, position: index + 1 });
        }
        match text.chars().next() {
            Some(character) if !character.is_ascii_alphanumeric() => Err(UsernameError::Beginning { character }),
            _ => Ok(Self(text.into())),
        }
    }
}

impl PartialEq for Username {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Username {}

impl fmt::Display for Username {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Has the shape of an address; whether mail arrives there, only mail can tell. Compared without regard to case:
/// servers that tell `Bob@` from `bob@` are rarer than people who do not.
#[derive(Clone, Debug)]
pub struct Email(Box<str>);

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EmailError {
    #[error("The email address has {bytes} characters; at most {EMAIL_BYTES_MAX} are allowed.")]
    Length { bytes: usize },
    #[error(
        "The email address has {character:?} in it; only printable ASCII characters without spaces are allowed (a \
         domain of another script is written in its xn-- form)."
    )]
    Character { character: char },
    #[error("The email address must have exactly one '@', for example alice@example.com.")]
    At,
    #[error(
        "The part of the email address before the '@' has {bytes} characters; it must have 1 to {EMAIL_LOCAL_BYTES_MAX}."
    )]
    Local { bytes: usize },
    #[error(
        "The part of the email address after the '@' must be a domain: two or more names joined by '.', each of \
         letters, digits and inner '-', at most {DOMAIN_LABEL_BYTES_MAX} characters long, for example example.com."
    )]
    Domain,
}

impl Email {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which an account is found.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        if let Some(character) = text.chars().find(|character| !character.is_ascii_graphic()) {
            return Err(EmailError::Character { character });
        }
        if text.len() > EMAIL_BYTES_MAX {
            return Err(EmailError::Length { bytes: text.len() });
        }
        let (local, domain) = text.split_once('@').filter(|(_, domain)| !domain.contains('@')).ok_or(EmailError::At)?;
        if local.is_empty() || local.len() > EMAIL_LOCAL_BYTES_MAX {
            return Err(EmailError::Local { bytes: local.len() });
        }
        if !domain.contains('.') || !domain.split('.').all(is_domain_label) {
            return Err(EmailError::Domain);
        }
        Ok(Self(text.into()))
    }
}

fn is_domain_label(label: &str) -> bool {
    (1..=DOMAIN_LABEL_BYTES_MAX).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Email {}

#[cfg(test)]
mod tests {
    use super::*;

    fn username(text: &str) -> Result<Username, UsernameError> {
        text.parse()
    }

    fn email(text: &str) -> Result<Email, EmailError> {
        text.parse()
    }

    /// C26
    #[test]
    fn a_user_name_has_3_to_50_letters_digits_dots_underscores_and_hyphens() {
        for good in ["bob", "alice", "7up", "a.b_c-D", &"x".repeat(50)] {
            assert_eq!(username(good).expect("a user name").as_str(), good);
        }
        for (wrong, chars) in [("", 0), ("ab", 2), ("éé", 2), (&"x".repeat(51), 51)] {
            assert_eq!(username(wrong), Err(UsernameError::Length { chars }), "{wrong}");
        }
        for (wrong, character, position) in
            [("a b", ' ', 2), ("bob\n", '\n', 4), ("аlice", 'а', 1), ("a/b", '/', 2), ("bo\"b", '"', 3)]
        {
            assert_eq!(username(wrong), Err(UsernameError::Character { character, position }), "{wrong}");
        }
        assert_eq!(username(".bob"), Err(UsernameError::Beginning { character: '.' }));
    }

    /// C40
    #[test]
    fn no_text_is_both_a_user_name_and_an_email_address() {
        for address in ["a@b.cd", "alice@example.com"] {
            assert!(email(address).is_ok());
            assert!(matches!(username(address), Err(UsernameError::Character { character: '@', .. })), "{address}");
        }
    }

    /// C40
    #[test]
    fn names_that_differ_in_case_only_are_the_same_and_keep_their_spelling() {
        let (written, other) = (username("Alice").expect("good"), username("aLICE").expect("good"));
        assert_eq!(written, other);
        assert_eq!(written.folded(), other.folded());
        assert_eq!(written.to_string(), "Alice");
        assert_ne!(written, username("alicf").expect("good"));
        let (written, other) = (email("Bob@Example.com").expect("good"), email("bob@example.COM").expect("good"));
        assert_eq!(written, other);
        assert_eq!(written.folded(), "bob@example.com");
        assert_eq!(written.as_str(), "Bob@Example.com");
    }

    /// C26
    #[test]
    fn an_email_address_has_a_name_an_at_and_a_domain() {
        for good in ["a@b.cd", "first.last+tag@mail.example.co.uk", "o'neil@xn--mller-kva.example", "1@1.2"] {
            assert!(email(good).is_ok(), "{good}");
        }
        assert!(email(&format!("{}@example.com", "l".repeat(64))).is_ok());
        let long_domain = format!("a@{}com", "label.".repeat(50));
        for (wrong, error) in [
            ("", EmailError::At),
            ("alice", EmailError::At),
            ("a@b@c.de", EmailError::At),
            ("@example.com", EmailError::Local { bytes: 0 }),
            (&format!("{}@example.com", "l".repeat(65)), EmailError::Local { bytes: 65 }),
            (&long_domain, EmailError::Length { bytes: 305 }),
            ("a@", EmailError::Domain),
            ("a@localhost", EmailError::Domain),
            ("a@b..cd", EmailError::Domain),
            ("a@.b.cd", EmailError::Domain),
            ("a@b.cd.", EmailError::Domain),
            ("a@-b.cd", EmailError::Domain),
            ("a@b-.cd", EmailError::Domain),
            ("a@b_c.de", EmailError::Domain),
            (&format!("a@{}.com", "l".repeat(64)), EmailError::Domain),
            ("a b@c.de", EmailError::Character { character: ' ' }),
            ("a@c.de\n", EmailError::Character { character: '\n' }),
            ("é@c.de", EmailError::Character { character: 'é' }),
        ] {
            assert_eq!(email(wrong), Err(error), "{wrong}");
        }
    }

    #[test]
    fn a_refusal_names_the_limit_and_escapes_what_could_break_a_log_line() {
        assert_eq!(
            username("ab").expect_err("short").to_string(),
            "The user name has 2 characters; it must have 3 to 50."
        );
        assert!(username("bob\n").expect_err("a line break").to_string().contains(r"'\n'"));
        assert!(email("a@c.de\r").expect_err("a line break").to_string().contains(r"'\r'"));
    }
}
