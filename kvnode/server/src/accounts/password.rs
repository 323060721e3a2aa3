//! Passwords: what a chosen one must have, and the slow hash that is all the node ever keeps of it. A hash takes tens
//! of milliseconds and 19 MiB, so it is computed in the [hashing pool](super::hashing), never on a serving thread.

use std::fmt;

use argon2::password_hash::{PasswordHash as Phc, SaltString};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use thiserror::Error;
use zeroize::Zeroizing;

use super::entropy;

pub const PASSWORD_CHARS_MIN: usize = 8;

/// Room for a sentence of forty words. All of it is hashed, so nobody may send a megabyte to keep a thread busy.
pub const PASSWORD_BYTES_MAX: usize = 256;

/// 19 MiB, two passes, one lane: OWASP's choice for argon2id where memory is scarce. It makes a guess cost a graphics
/// card its memory, and still lets the smallest node compute two at once.
pub const HASH_MEMORY_KIB: u32 = 19 * 1024;
const HASH_PASSES: u32 = 2;
const HASH_LANES: u32 = 1;
const HASH_BYTES: usize = 32;

/// RFC 9106, 3.1: enough that no two accounts ever share a salt.
const SALT_BYTES: usize = 16;

/// A hash of ours is 97 characters long; a longer text is damaged, and is not looked into.
const HASH_TEXT_BYTES_MAX: usize = 128;

/// Which rule a chosen password breaks. None of them says anything about the password beyond that.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PasswordFlaw {
    #[error("The password is too short; it must have at least {PASSWORD_CHARS_MIN} characters.")]
    TooShort,
    #[error("The password is too long; it may have at most {PASSWORD_BYTES_MAX} bytes of UTF-8.")]
    TooLong,
    #[error("The password has no upper-case letter; it must have at least one.")]
    NoUpperCase,
    #[error("The password has no lower-case letter; it must have at least one.")]
    NoLowerCase,
    #[error("The password has no digit; it must have at least one from 0 to 9.")]
    NoDigit,
}

/// A password as its owner sent it, wiped from memory when it is dropped.
pub struct Password(Zeroizing<String>);

impl Password {
    /// For a new account or a new password: all broken rules at once, so that nobody learns them one by one.
    pub fn chosen(text: String) -> Result<Self, Vec<PasswordFlaw>> {
        let text = Zeroizing::new(text);
        let has = |kind: fn(char) -> bool| text.chars().any(kind);
        let rules = [
            (text.chars().count() >= PASSWORD_CHARS_MIN, PasswordFlaw::TooShort),
            (text.len() <= PASSWORD_BYTES_MAX, PasswordFlaw::TooLong),
            (has(char::is_uppercase), PasswordFlaw::NoUpperCase),
            (has(char::is_lowercase), PasswordFlaw::NoLowerCase),
            (has(|character| character.is_ascii_digit()), PasswordFlaw::NoDigit),
        ];
        let flaws: Vec<_> = rules.into_iter().filter(|(kept, _)| !kept).map(|(_, flaw)| flaw).collect();
        if flaws.is_empty() { Ok(Self(text)) } else { Err(flaws) }
    }

    /// For a login: the rules may have been others when the account was made, so only the length is looked at.
    pub fn presented(text: String) -> Result<Self, PasswordFlaw> {
        let text = Zeroizing::new(text);
        if text.len() > PASSWORD_BYTES_MAX {
            return Err(PasswordFlaw::TooLong);
        }
        Ok(Self(text))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(…)")
    }
}

/// What is stored of a password: argon2id's text form, which holds the parameters and the salt.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Box<str>);

#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("The stored hash of a password is damaged or asks for more work than this node gives; set a new password.")]
pub struct UnusableHash;

impl PasswordHash {
    /// Slow by intent.
    pub(super) fn of(password: &Password) -> Self {
        let salt = SaltString::encode_b64(&*entropy::bytes::<SALT_BYTES>()).expect("a salt of a length argon2 knows");
        let hash = argon2id().hash_password(password.0.as_bytes(), &salt);
        Self(hash.expect("parameters and lengths are within argon2's limits").to_string().into())
    }

    /// From the store. Whoever could write a record there must not be able to have a node fill its memory or compute
    /// for minutes, so a hash that asks for more than one of ours is refused.
    pub fn parse(text: &str) -> Result<Self, UnusableHash> {
        if text.len() > HASH_TEXT_BYTES_MAX {
            return Err(UnusableHash);
        }
        let hash = Phc::new(text).map_err(|_| UnusableHash)?;
        let params = Params::try_from(&hash).map_err(|_| UnusableHash)?;
        let affordable = params.m_cost() <= HASH_MEMORY_KIB
            && params.t_cost() <= HASH_PASSES
            && params.p_cost() <= HASH_LANES
            && hash.salt.is_some()
            && hash.hash.is_some_and(|output| output.len() == HASH_BYTES);
        let ours = hash.algorithm == argon2::ARGON2ID_IDENT && hash.version == Some(Version::V0x13.into());
        if affordable && ours { Ok(Self(text.into())) } else { Err(UnusableHash) }
    }

    /// A hash of no password at all, to be verified against when there is no account: the answer is always no, and
    /// it takes as long as for an account.
    pub(super) fn decoy() -> Self {
        let params = argon2id().params().clone();
        let salt = SaltString::encode_b64(&*entropy::bytes::<SALT_BYTES>()).expect("a salt of a length argon2 knows");
        let output = argon2::password_hash::Output::new(&*entropy::bytes::<HASH_BYTES>()).expect("a known length");
        let hash = Phc {
            algorithm: argon2::ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: (&params).try_into().expect("parameters of ours can be written down"),
            salt: Some(salt.as_salt()),
            hash: Some(output),
        };
        Self(hash.to_string().into())
    }

    /// What the store keeps. Not secret like the password, but not for logs or answers either.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Slow by intent; compares in a time that does not depend on what differs.
    pub(super) fn is_of(&self, password: &Password) -> bool {
        let hash = Phc::new(&self.0).expect("checked when it was read or made");
        argon2id().verify_password(password.0.as_bytes(), &hash).is_ok()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash(…)")
    }
}

fn argon2id() -> Argon2<'static> {
    let params = Params::new(HASH_MEMORY_KIB, HASH_PASSES, HASH_LANES, Some(HASH_BYTES));
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.expect("constants within argon2's limits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaws(text: &str) -> Vec<PasswordFlaw> {
        Password::chosen(text.to_owned()).err().unwrap_or_default()
    }

    fn password(text: &str) -> Password {
        Password::presented(text.to_owned()).expect("short enough")
    }

    /// C35, C36, C37, C38
    #[test]
    fn a_password_that_breaks_one_rule_is_told_which() {
        use PasswordFlaw::{NoDigit, NoLowerCase, NoUpperCase, TooLong, TooShort};
        let long = format!("Aa1{}", "x".repeat(PASSWORD_BYTES_MAX - 2));
        for (text, expected) in [
            ("Test1234", vec![]),
            ("Geheim9ß", vec![]),
            ("Пароль42", vec![]),
            (&long[..PASSWORD_BYTES_MAX], vec![]),
            ("Test123", vec![TooShort]),
            ("Tést123", vec![TooShort]),
            ("test1234", vec![NoUpperCase]),
            ("TEST1234", vec![NoLowerCase]),
            ("Testtest", vec![NoDigit]),
            ("Testtest½", vec![NoDigit]),
            (&long, vec![TooLong]),
            ("", vec![TooShort, NoUpperCase, NoLowerCase, NoDigit]),
            ("测试测试测试测试", vec![NoUpperCase, NoLowerCase, NoDigit]),
        ] {
            assert_eq!(flaws(text), expected, "{text}");
        }
    }

    #[test]
    fn a_login_is_judged_by_length_only() {
        assert!(Password::presented("old".to_owned()).is_ok());
        let long = "x".repeat(PASSWORD_BYTES_MAX + 1);
        assert_eq!(Password::presented(long).expect_err("too long"), PasswordFlaw::TooLong);
    }

    /// C39
    #[test]
    fn a_password_is_kept_as_a_salted_argon2id_hash_that_only_it_verifies() {
        let hash = PasswordHash::of(&password("Correct4Horse"));
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert!(!hash.as_str().contains("Correct4Horse"));
        assert!(hash.is_of(&password("Correct4Horse")));
        assert!(!hash.is_of(&password("correct4Horse")));
        assert_ne!(PasswordHash::of(&password("Correct4Horse")), hash, "each hash has a salt of its own");
        assert_eq!(PasswordHash::parse(hash.as_str()), Ok(hash));
    }

    #[test]
    fn the_decoy_costs_what_a_real_hash_costs_and_is_of_no_password() {
        let (decoy, real) = (PasswordHash::decoy(), PasswordHash::of(&password("Correct4Horse")));
        let cost =
            |hash: &PasswordHash| Params::try_from(&Phc::new(hash.as_str()).expect("well-formed")).expect("ours");
        assert_eq!(cost(&decoy), cost(&real));
        assert_eq!(decoy.as_str().len(), real.as_str().len());
        assert!(!decoy.is_of(&password("Correct4Horse")));
        assert_eq!(PasswordHash::parse(decoy.as_str()), Ok(decoy));
    }

    #[test]
    fn a_stored_hash_that_is_damaged_or_asks_for_too_much_is_refused() {
        let good = PasswordHash::decoy().as_str().to_owned();
        for (part, instead) in [
            ("m=19456", "m=19457"),
            ("m=19456", "m=4294967295"),
            ("t=2", "t=3"),
            ("p=1", "p=2"),
            ("argon2id", "argon2i"),
            ("argon2id", "argon2d"),
            ("v=19", "v=16"),
            ("$v=19", ""),
            ("$argon2id", "$scrypt"),
            ("$argon2id", "argon2id"),
        ] {
            let damaged = good.replacen(part, instead, 1);
            assert_ne!(damaged, good, "{part}");
            assert_eq!(PasswordHash::parse(&damaged), Err(UnusableHash), "{damaged}");
        }
        let without_output = &good[..good.rfind('$').expect("parts")];
        let without_salt = &without_output[..without_output.rfind('$').expect("parts")];
        for damaged in ["", "$", without_output, without_salt, &good[..good.len() - 3], &"$argon2id".repeat(50)] {
            assert_eq!(PasswordHash::parse(damaged), Err(UnusableHash), "{damaged}");
        }
    }
}
