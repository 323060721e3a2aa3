//! No type of this module shows a secret, however it is formatted: whatever is logged one day, no secret is in it.

use std::fmt::Debug;
use std::sync::Arc;

use kvnode_core::time::UnixMillis;
use uuid::Uuid;

use super::api_key::{NewApiKey, PresentedApiKey};
use super::hashing::HashingPool;
use super::password::{Password, PasswordHash};
use super::token::{Claims, Holder, TokenKind, TokenLifetimes};
use super::token_cache::TokenCache;
use super::token_keys::TokenKeys;

/// Neither as text, nor as the numbers a byte string is printed as, nor in hexadecimal; and no part of it either.
fn assert_hidden(secret: &[u8], value: &dyn Debug) {
    /// So many bytes of a secret do not appear by chance.
    const PART_BYTES: usize = 6;
    let shown = [format!("{value:?}"), format!("{value:#?}").replace([' ', '\n'], "").replace(',', ", ")];
    for part in secret.windows(PART_BYTES) {
        let numbers = part.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        let hexadecimal = format!("{part:02x?}").replace(", ", "").trim_matches(['[', ']']).to_owned();
        for form in [String::from_utf8_lossy(part).into_owned(), numbers, hexadecimal] {
            assert!(shown.iter().all(|shown| !shown.contains(&form)), "{form} in {shown:?}");
        }
    }
}

/// C39
#[test]
fn a_password_and_its_hash_are_never_shown() {
    let text = "Correct4HorseBattery";
    let password = Password::chosen(text.to_owned()).expect("a good password");
    assert_hidden(text.as_bytes(), &password);
    let hash = PasswordHash::of(&password);
    assert_hidden(text.as_bytes(), &hash);
    assert_hidden(hash.as_str().as_bytes(), &hash);
    for refused in ["correct4horsebattery", "CORRECT4HORSEBATTERY", "CorrectHorseBattery", "C4rrect"] {
        let flaws = Password::chosen(refused.to_owned()).expect_err("a bad password");
        assert_hidden(refused.as_bytes(), &flaws);
        for flaw in flaws {
            assert_hidden(refused.as_bytes(), &flaw.to_string());
        }
    }
    let pool = HashingPool::start(1).expect("threads");
    assert_hidden(b"$argon2id$v=19", &pool);
}

#[test]
fn signing_keys_are_never_shown() {
    let text = "hV3uZq8LwX0rTn5YbKd7Ec2JmPs9GaFo\nQy6NfB1tWj4RxHv8CkMz0DpUg3LiSe7A";
    let keys = TokenKeys::parse(text).expect("good keys");
    for key in text.lines() {
        assert_hidden(key.as_bytes(), &keys);
        assert_hidden(key.as_bytes(), &(&keys.current, &keys.accepted));
    }
    let short = "Xw9KqT4mZr7LbVn2";
    let error = TokenKeys::parse(short).expect_err("too short");
    assert_hidden(short.as_bytes(), &error);
    assert_hidden(short.as_bytes(), &error.to_string());
}

#[test]
fn tokens_are_never_shown() {
    let keys = TokenKeys::parse("hV3uZq8LwX0rTn5YbKd7Ec2JmPs9GaFo").expect("a good key");
    let username = "alice".parse().expect("a user name");
    let holder = Holder { tenant_id: Uuid::from_u128(7), username: &username, generation: 1 };
    let claims = Claims::new(holder, TokenKind::Access, &TokenLifetimes::default(), UnixMillis::new(0));
    let token = keys.sign(&claims);
    let mut cache = TokenCache::new(Arc::default());
    let stamp = cache.stamp();
    cache.insert(&token, &claims, stamp);
    assert_hidden(token.as_bytes(), &cache);
    assert_hidden(token.as_bytes(), &claims);
    let altered = format!("{token}x");
    let error = keys.verify(&altered, TokenKind::Access, UnixMillis::new(0)).expect_err("altered");
    assert_hidden(altered.as_bytes(), &error);
    assert_hidden(altered.as_bytes(), &error.to_string());
}

#[test]
fn api_keys_show_their_id_and_nothing_of_their_secret() {
    let key = NewApiKey::generate();
    let secret = key.text().rsplit('_').next().expect("three parts").as_bytes();
    let presented = PresentedApiKey::parse(key.text()).expect("a key");
    assert_hidden(secret, &key);
    assert_hidden(secret, &presented);
    assert_hidden(key.hash().as_bytes(), &key.hash());
    assert!(format!("{presented:?}").contains(key.id().as_str()));
}
