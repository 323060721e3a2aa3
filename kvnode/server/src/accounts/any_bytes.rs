//! What comes as a secret: a token or an API key, mostly of somebody's invention. The checks' signing key is public, so
//! that the corpus may hold tokens that are good, and mutations of them come close.

use std::sync::LazyLock;

use kvnode_core::time::UnixMillis;

use super::api_key::{API_KEY_CHARS, ApiKeyId, PresentedApiKey};
use super::token::{TOKEN_BYTES_MAX, TokenKind};
use super::token_keys::TokenKeys;

static KEYS: LazyLock<[TokenKeys; 2]> = LazyLock::new(|| {
    ["this-key-is-known-to-all-0123456789", "and-this-one-has-never-signed-any-token"]
        .map(|key| TokenKeys::parse(key).expect("it is long enough"))
});

/// Before any token of the corpus ends.
const NOW: UnixMillis = UnixMillis::new(1_700_000_000_000);

pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let [keys, others] = &*KEYS;
    let kinds = [TokenKind::Access, TokenKind::Refresh];
    let believed: Vec<_> = kinds.iter().filter_map(|&kind| keys.verify(text, kind, NOW).ok()).collect();
    assert!(believed.len() <= 1, "a token is of one kind");
    for claims in believed {
        assert!(text.len() <= TOKEN_BYTES_MAX);
        assert!(claims.expires() > NOW);
        assert!(keys.verify(text, claims.kind, claims.expires()).is_err(), "it ends");
        let signed = keys.sign(&claims);
        assert_eq!(keys.verify(&signed, claims.kind, NOW), Ok(claims));
    }
    assert!(kinds.iter().all(|&kind| others.verify(text, kind, NOW).is_err()), "no other key has signed it");
    if let Some(key) = PresentedApiKey::parse(text) {
        assert_eq!(text.len(), API_KEY_CHARS);
        assert_eq!(ApiKeyId::parse(key.id().as_str()), Some(key.id()));
    }
}
