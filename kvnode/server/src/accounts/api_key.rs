//! API keys: `kvt_<id>_<secret>`, made by the node, shown once, kept as a hash. The id finds the key, the secret proves
//! it, the scope says what it may do; the beginning lets scanners of repositories recognise one that was published.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::entropy;

const PREFIX: &str = "kvt_";

/// No secret; only no two keys of a tenant may share it.
const ID_BYTES: usize = 8;

/// As hard to guess as the hash is to invert.
const SECRET_BYTES: usize = 32;

/// Every key has this length: both parts are hexadecimal, so that a double click takes all of it and no shell or header
/// changes any of it.
pub const API_KEY_CHARS: usize = PREFIX.len() + 2 * ID_BYTES + 1 + 2 * SECRET_BYTES;

/// What a request does to the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Read,
    Write,
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Readonly,
    ReadWrite,
    ReadWriteDelete,
}

impl Operation {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
}

impl Scope {
    /// As it is written in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Readonly => "readonly",
            Self::ReadWrite => "read_write",
            Self::ReadWriteDelete => "read_write_delete",
        }
    }

    pub const fn allows(self, operation: Operation) -> bool {
        match operation {
            Operation::Read => true,
            Operation::Write => matches!(self, Self::ReadWrite | Self::ReadWriteDelete),
            Operation::Delete => matches!(self, Self::ReadWriteDelete),
        }
    }
}

/// 16 hexadecimal digits, in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ApiKeyId([u8; 2 * ID_BYTES]);

impl ApiKeyId {
    /// None: no key has this id.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes().try_into().ok()?;
        is_hexadecimal(text, ID_BYTES).then_some(Self(digits))
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are ASCII")
    }
}

impl fmt::Debug for ApiKeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(formatter)
    }
}

/// What is stored of a key. The secret has 256 bits from chance, so nobody tries them all and a slow hash as for
/// passwords would only slow down every request.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyHash([u8; 32]);

impl ApiKeyHash {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    /// In the same time whatever differs.
    pub fn is_of(&self, presented: &PresentedApiKey<'_>) -> bool {
        self.0.ct_eq(&Self::of(presented.text).0).into()
    }
}

impl fmt::Debug for ApiKeyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKeyHash(…)")
    }
}

/// A key that was just made: the one moment at which its text exists.
pub struct NewApiKey {
    id: ApiKeyId,
    text: Zeroizing<String>,
}

impl NewApiKey {
    pub fn generate() -> Self {
        let mut text = Zeroizing::new(String::with_capacity(API_KEY_CHARS));
        text.push_str(PREFIX);
        push_hexadecimal(&mut text, &*entropy::bytes::<ID_BYTES>());
        let id = ApiKeyId::parse(&text[PREFIX.len()..]).expect("digits were pushed");
        text.push('_');
        push_hexadecimal(&mut text, &*entropy::bytes::<SECRET_BYTES>());
        Self { id, text }
    }

    pub fn id(&self) -> ApiKeyId {
        self.id
    }

    /// For the answer that shows it, and for nothing else.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn hash(&self) -> ApiKeyHash {
        ApiKeyHash::of(&self.text)
    }
}

impl fmt::Debug for NewApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NewApiKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a caller sent, when it has the form of a key; whether it is one, its hash decides.
pub struct PresentedApiKey<'t> {
    id: ApiKeyId,
    text: &'t str,
}

impl<'t> PresentedApiKey<'t> {
    /// None: this is no key of ours, but perhaps a token.
    pub fn parse(text: &'t str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let id = ApiKeyId::parse(id)?;
        is_hexadecimal(secret, SECRET_BYTES).then_some(Self { id, text })
    }

    pub fn id(&self) -> ApiKeyId {
        self.id
    }
}

impl fmt::Debug for PresentedApiKey<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PresentedApiKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// One spelling for each value: what differs from a key in case only is another text, and has another hash.
fn is_hexadecimal(text: &str, bytes: usize) -> bool {
    text.len() == 2 * bytes && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn push_hexadecimal(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes all that is written");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn presented(text: &str) -> PresentedApiKey<'_> {
        PresentedApiKey::parse(text).expect("the form of a key")
    }

    #[test]
    fn a_key_is_found_by_its_id_and_proved_by_its_secret() {
        let key = NewApiKey::generate();
        assert_eq!(key.text().len(), API_KEY_CHARS);
        assert!(key.text().starts_with(&format!("kvt_{}_", key.id().as_str())));
        let caller = presented(key.text());
        assert_eq!(caller.id(), key.id());
        assert!(key.hash().is_of(&caller));
        let stored = ApiKeyHash::from_bytes(*key.hash().as_bytes());
        assert!(stored.is_of(&caller));
    }

    #[test]
    fn a_key_with_any_other_digit_is_refused() {
        let key = NewApiKey::generate();
        let hash = key.hash();
        for position in PREFIX.len()..API_KEY_CHARS {
            let mut text = key.text().as_bytes().to_vec();
            text[position] = if text[position] == b'0' { b'1' } else { b'0' };
            let text = String::from_utf8(text).expect("ASCII");
            let accepted = PresentedApiKey::parse(&text).is_some_and(|caller| hash.is_of(&caller));
            assert!(!accepted, "position {position}");
        }
        assert!(!hash.is_of(&presented(NewApiKey::generate().text())));
    }

    #[test]
    fn keys_and_their_ids_never_come_twice() {
        let keys: Vec<_> = (0..1000).map(|_| NewApiKey::generate()).collect();
        assert_eq!(keys.iter().map(NewApiKey::id).collect::<HashSet<_>>().len(), 1000);
        let secrets = keys.iter().map(|key| &key.text()[API_KEY_CHARS - 2 * SECRET_BYTES..]);
        assert_eq!(secrets.collect::<HashSet<_>>().len(), 1000);
    }

    #[test]
    fn what_has_not_the_form_of_a_key_is_none() {
        let key = NewApiKey::generate();
        let good = key.text();
        let upper = good.to_uppercase();
        let upper_secret = format!("{}A{}", &good[..30], &good[31..]);
        let longer = format!("{good}0");
        let doubled = good.replace("kvt_", "kvt_kvt_");
        for wrong in ["", "kvt_", "kvt__", "kvt_é_é", &good[1..], &good[..84], &upper, &upper_secret, &longer, &doubled]
        {
            assert!(PresentedApiKey::parse(wrong).is_none(), "{wrong}");
        }
        assert!(ApiKeyId::parse(key.id().as_str()).is_some());
        for wrong in ["", "0123", "0123456789abcdeg", "0123456789ABCDEF", "0123456789abcdef0"] {
            assert!(ApiKeyId::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn each_scope_allows_what_its_name_says() {
        use Operation::{Delete, Read, Write};
        for (scope, name, allowed) in [
            (Scope::Readonly, "\"readonly\"", &[Read][..]),
            (Scope::ReadWrite, "\"read_write\"", &[Read, Write]),
            (Scope::ReadWriteDelete, "\"read_write_delete\"", &[Read, Write, Delete]),
        ] {
            assert_eq!(serde_json::to_string(&scope).expect("a text"), name);
            assert_eq!(serde_json::from_str::<Scope>(name).expect("a scope"), scope);
            for operation in [Read, Write, Delete] {
                assert_eq!(scope.allows(operation), allowed.contains(&operation), "{scope:?} {operation:?}");
            }
        }
    }
}
