//! Good tokens and hostile ones. The hostile are signed with the right key where that is what makes them dangerous.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use sha2::Sha256;

use super::*;

const KEY: &str = "an-example-key-of-more-than-32-bytes";
const OTHER_KEY: &str = "another-example-key-of-more-than-32-bytes";
const NOW: UnixMillis = UnixMillis::new(1_700_000_000_000);
const HS256: &str = r#"{"typ":"JWT","alg":"HS256"}"#;

fn keys(text: &str) -> TokenKeys {
    TokenKeys::parse(text).expect("good keys")
}

fn claims(kind: TokenKind) -> Claims {
    let username = "alice".parse().expect("a user name");
    let tenant_id = "7b0c1f6e-52b5-4c1e-9d6b-0c1d5a3f9e21".parse().expect("a UUID");
    Claims::new(Holder { tenant_id, username: &username, generation: 3 }, kind, &TokenLifetimes::default(), NOW)
}

fn verify(token: &str) -> Result<Claims, TokenError> {
    keys(KEY).verify(token, TokenKind::Access, NOW)
}

/// Written without the library: header and payload as they are given, signed with the key of these tests.
fn forged(header: &str, payload: &[u8]) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).expect("a key").chain_update(&message);
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// The claims of a good access token as JSON, with one text in it replaced.
fn altered(part: &str, instead: &str) -> String {
    let good = serde_json::to_string(&claims(TokenKind::Access)).expect("claims are JSON");
    assert!(good.contains(part), "{part} in {good}");
    forged(HS256, good.replacen(part, instead, 1).as_bytes())
}

/// C33. The token was made with Python: `hmac.new(KEY, header + '.' + payload, sha256)`, each part in base64url.
#[test]
fn a_token_is_what_any_other_library_makes_of_the_same_claims() {
    let known = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3YjBjMWY2ZS01MmI1LTRjMWUtOWQ2Yi0wYzFkNWEzZjllMjEiLCJ1\
                 c2VybmFtZSI6ImFsaWNlIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDE4MDAsInR5cGUiOiJhY2Nlc3MiLCJnZW4iOjN9.r4\
                 p5U_Io_yEVJ2gpo3JiXt-pb-vQPl2Pm7Dm2hCNlgs";
    assert_eq!(verify(known), Ok(claims(TokenKind::Access)));
    assert_eq!(keys(KEY).sign(&claims(TokenKind::Access)), known);
}

/// C2, C3
#[test]
fn an_access_token_lives_half_an_hour_and_a_refresh_token_a_week() {
    for (kind, seconds) in [(TokenKind::Access, 1800), (TokenKind::Refresh, 604_800)] {
        let claims = claims(kind);
        assert_eq!((claims.iat, claims.exp - claims.iat), (1_700_000_000, seconds));
        let (keys, token) = (keys(KEY), keys(KEY).sign(&claims));
        let last_moment = NOW.plus_millis(seconds * 1000 - 1);
        assert_eq!(keys.verify(&token, kind, last_moment), Ok(claims));
        assert_eq!(keys.verify(&token, kind, last_moment.plus_millis(1)), Err(TokenError::Expired));
    }
}

/// C31
#[test]
fn neither_kind_of_token_serves_as_the_other() {
    let keys = keys(KEY);
    let token = |kind| keys.sign(&claims(kind));
    assert_eq!(keys.verify(&token(TokenKind::Refresh), TokenKind::Access, NOW), Err(TokenError::NotAccess));
    assert_eq!(keys.verify(&token(TokenKind::Access), TokenKind::Refresh, NOW), Err(TokenError::NotRefresh));
}

/// C125
#[test]
fn tokens_of_previous_keys_verify_and_new_ones_are_signed_with_the_current_key() {
    let (old, rotated) = (keys(KEY), keys(&format!("{OTHER_KEY}\n{KEY}\n")));
    let claims = claims(TokenKind::Access);
    assert_eq!(rotated.verify(&old.sign(&claims), TokenKind::Access, NOW), Ok(claims.clone()));
    assert_eq!(rotated.sign(&claims), keys(OTHER_KEY).sign(&claims));
    assert_eq!(old.verify(&rotated.sign(&claims), TokenKind::Access, NOW), Err(TokenError::BadSignature));
}

#[test]
fn the_longest_token_is_far_below_the_bound() {
    let username = "x".repeat(50).parse().expect("the longest user name");
    let holder = Holder { tenant_id: Uuid::max(), username: &username, generation: u64::MAX };
    let claims = Claims::new(holder, TokenKind::Refresh, &TokenLifetimes::default(), UnixMillis::new(u64::MAX));
    let token = keys(KEY).sign(&claims);
    assert!(token.len() < 400, "{} bytes", token.len());
}

#[test]
fn other_algorithms_are_refused_even_when_the_signature_is_right() {
    let payload = serde_json::to_vec(&claims(TokenKind::Access)).expect("claims are JSON");
    for algorithm in ["none", "None", "NONE", "", "hs256", "HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA"] {
        let header = format!(r#"{{"typ":"JWT","alg":"{algorithm}"}}"#);
        let token = forged(&header, &payload);
        assert_eq!(verify(&token), Err(TokenError::Malformed), "{algorithm}");
        let unsigned = &token[..=token.rfind('.').expect("two dots")];
        assert_eq!(verify(unsigned), Err(TokenError::Malformed), "{algorithm}");
    }
    for header in ["", "{}", "null", r#"{"typ":"JWT"}"#, r#"{"alg":null}"#, r#"{"alg":["HS256"]}"#] {
        assert_eq!(verify(&forged(header, &payload)), Err(TokenError::Malformed), "{header}");
    }
}

#[test]
fn a_key_named_by_the_token_itself_is_not_used() {
    let payload = serde_json::to_vec(&claims(TokenKind::Access)).expect("claims are JSON");
    let own_key = URL_SAFE_NO_PAD.encode(OTHER_KEY);
    let header =
        format!(r#"{{"alg":"HS256","jwk":{{"kty":"oct","k":"{own_key}"}},"kid":"0","jku":"http://localhost/"}}"#);
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let mac = Hmac::<Sha256>::new_from_slice(OTHER_KEY.as_bytes()).expect("a key").chain_update(&message);
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
    assert_eq!(verify(&token), Err(TokenError::BadSignature));
}

#[test]
fn what_has_not_the_shape_of_a_token_is_malformed() {
    let good = keys(KEY).sign(&claims(TokenKind::Access));
    let parts: Vec<&str> = good.split('.').collect();
    let padded = format!("{good}=");
    let huge = format!("{good}{}", "A".repeat(TOKEN_BYTES_MAX));
    let enormous = "A".repeat(10_000_000);
    let two_parts = format!("{}.{}", parts[0], parts[1]);
    let four_parts = format!("{good}.{}", parts[2]);
    let no_header = format!(".{}.{}", parts[1], parts[2]);
    let spaced = format!(" {good}");
    let broken_line = format!("{good}\n");
    for token in [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "kvt_0_0",
        "naïve.tökén.ключ",
        "\0.\0.\0",
        &padded,
        &huge,
        &enormous,
        &two_parts,
        &four_parts,
        &no_header,
        &spaced,
        &broken_line,
    ] {
        assert_eq!(verify(token), Err(TokenError::Malformed), "{}", &token[..token.len().min(80)]);
    }
}

#[test]
fn a_token_with_more_or_less_in_it_than_was_signed_is_refused() {
    let good = keys(KEY).sign(&claims(TokenKind::Access));
    for end in 0..good.len() {
        assert!(verify(&good[..end]).is_err(), "cut to {end} bytes");
    }
    let parts: Vec<&str> = good.split('.').collect();
    let refresh = keys(KEY).sign(&claims(TokenKind::Refresh));
    let swapped = format!("{}.{}.{}", parts[0], refresh.split('.').nth(1).expect("three parts"), parts[2]);
    assert_eq!(verify(&swapped), Err(TokenError::BadSignature));
    assert_eq!(verify(&format!("{}.{}.", parts[0], parts[1])), Err(TokenError::BadSignature));
    assert_eq!(verify(&format!("{}..{}", parts[0], parts[2])), Err(TokenError::BadSignature));
}

#[test]
fn signed_claims_of_the_wrong_form_are_malformed() {
    for (part, instead) in [
        ("\"exp\":1700001800", "\"exp\":\"1700001800\""),
        ("\"exp\":1700001800", "\"exp\":1700001800.5"),
        ("\"exp\":1700001800", "\"exp\":1.7e9"),
        ("\"exp\":1700001800", "\"exp\":-1"),
        ("\"exp\":1700001800", "\"exp\":18446744073709551616"),
        ("\"exp\":1700001800", "\"exp\":null"),
        ("\"exp\":1700001800", "\"exp\":1700001800,\"exp\":9999999999"),
        ("\"exp\":1700001800,", ""),
        ("\"type\":\"access\"", "\"type\":\"admin\""),
        ("\"type\":\"access\",", ""),
        ("\"sub\":\"7b0c1f6e", "\"sub\":\"not-a-uuid"),
        ("\"sub\":\"7b0c1f6e-52b5-4c1e-9d6b-0c1d5a3f9e21\"", "\"sub\":null"),
        ("\"username\":\"alice\",", ""),
        (",\"gen\":3", ""),
        ("\"gen\":3", "\"gen\":-3"),
    ] {
        assert_eq!(verify(&altered(part, instead)), Err(TokenError::Malformed), "{instead}");
    }
    for payload in [&b""[..], b"not JSON", b"null", b"[]", b"{}", b"\"text\"", b"{\"sub\":", b"\xff\xfe"] {
        assert_eq!(verify(&forged(HS256, payload)), Err(TokenError::Malformed), "{payload:?}");
    }
    assert_eq!(verify(&altered("\"exp\":1700001800", "\"exp\":0")), Err(TokenError::Expired));
    let farthest = format!("\"exp\":{}", u64::MAX);
    assert_eq!(verify(&altered("\"exp\":1700001800", &farthest)).map(|claims| claims.exp), Ok(u64::MAX));
}

#[test]
fn claims_a_later_version_adds_do_not_matter() {
    let token = altered("\"gen\":3", "\"gen\":3,\"jti\":\"7\",\"scope\":{\"deep\":[1]}");
    assert_eq!(verify(&token), Ok(claims(TokenKind::Access)));
}

/// C137
#[test]
fn a_refusal_names_its_reason_in_the_sentence_and_in_the_challenge() {
    for (error, reason) in [
        (TokenError::Expired, "The token has expired"),
        (TokenError::BadSignature, "The token's signature is wrong"),
        (TokenError::NotAccess, "The token has the wrong type"),
        (TokenError::NotRefresh, "The token has the wrong type"),
        (TokenError::Malformed, "The token is malformed"),
    ] {
        assert!(error.to_string().starts_with(reason), "{error}");
        let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{reason}\"");
        assert_eq!(error.challenge(), challenge);
        assert!(http::HeaderValue::from_static(error.challenge()).to_str().is_ok());
    }
}

proptest! {
    #[test]
    fn no_text_that_was_not_signed_is_believed(token in "\\PC{0,200}|[A-Za-z0-9_-]{0,60}(\\.[A-Za-z0-9_-]{0,60}){0,4}") {
        prop_assert!(verify(&token).is_err());
    }

    #[test]
    fn a_token_in_which_any_character_was_changed_is_refused(position in any::<prop::sample::Index>(), other in any::<char>()) {
        let good = keys(KEY).sign(&claims(TokenKind::Access));
        let mut characters: Vec<char> = good.chars().collect();
        let position = position.index(characters.len());
        prop_assume!(characters[position] != other);
        characters[position] = other;
        prop_assert!(verify(&characters.into_iter().collect::<String>()).is_err());
    }
}
