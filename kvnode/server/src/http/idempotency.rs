//! `Idempotency-Key`: a client that does not know whether its write was done sends it again with the same key, and gets
//! the answer of the first time. Here the request becomes the two numbers by which the store knows it again.

use http::{HeaderMap, HeaderName, header};
use kvnode_core::store::answers::Idempotency;
use sha2::{Digest, Sha256};

use super::call::Asked;
use super::problem::Problem;
use crate::access::Caller;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Room for every kind of id that people use; it is hashed, not kept.
const KEY_BYTES_MAX: usize = 255;

/// Headers that have a say in what a write does.
const HEADERS: [HeaderName; 3] = [header::CONTENT_TYPE, header::IF_MATCH, header::IF_NONE_MATCH];

/// A write that may have been sent before: its key and its head. Hashes are of parts with their lengths, so that no two
/// requests have the same parts put together.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    key: Sha256,
    request: Sha256,
}

impl Attempt {
    /// None for a request without a key.
    pub(super) fn of(asked: &Asked<'_>, headers: &HeaderMap, caller: &Caller) -> Result<Option<Self>, Problem> {
        let mut lines = headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(line) = lines.next() else { return Ok(None) };
        let bytes = line.as_bytes();
        let visible = !bytes.is_empty() && bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
        if !visible || bytes.len() > KEY_BYTES_MAX || lines.next().is_some() {
            let sentence =
                format!("The header {IDEMPOTENCY_KEY} must be given once, with 1 to {KEY_BYTES_MAX} ASCII characters.");
            return Err(Problem::malformed("BadIdempotencyKey", sentence));
        }
        let mut key = Sha256::new();
        add(&mut key, caller.identity().as_bytes());
        add(&mut key, bytes);
        let mut request = Sha256::new();
        add(&mut request, asked.method.as_str().as_bytes());
        add(&mut request, asked.path.as_bytes());
        add(&mut request, asked.query.unwrap_or_default().as_bytes());
        for name in HEADERS {
            for value in headers.get_all(&name) {
                add(&mut request, value.as_bytes());
            }
            add(&mut request, b"");
        }
        Ok(Some(Self { key, request }))
    }

    /// For the command that the request makes.
    pub(super) fn with(&self, body: &[u8]) -> Idempotency {
        let mut request = self.request.clone();
        add(&mut request, body);
        Idempotency { key: first_half(self.key.clone()), request: first_half(request) }
    }

    /// For that of an item of a batch, by its place and text.
    pub(super) fn with_item(&self, place: usize, text: &[u8]) -> Idempotency {
        let mut key = self.key.clone();
        add(&mut key, &place.to_le_bytes());
        let mut request = self.request.clone();
        add(&mut request, text);
        Idempotency { key: first_half(key), request: first_half(request) }
    }
}

fn add(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_le_bytes());
    hash.update(part);
}

fn first_half(hash: Sha256) -> u128 {
    let digest: [u8; 32] = hash.finalize().into();
    u128::from_le_bytes(*digest.first_chunk().expect("sixteen of thirty-two bytes"))
}
