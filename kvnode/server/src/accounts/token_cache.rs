//! Access tokens that were verified a moment ago, so that the next request with one of them costs a look-up instead of a
//! signature. Each serving thread has one of its own; it can only ever forget too early, never believe too long.

use std::fmt;
use std::hash::Hasher;
use std::sync::Arc;

use foldhash::SharedSeed;
use foldhash::quality::FoldHasher;
use kvnode_core::time::UnixMillis;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::revocations::{Revocations, Stamp};
use super::token::{Claims, TOKEN_BYTES_MAX, TokenKind};
use crate::random;

/// 4096 tokens for each thread: more than clients it can serve, and with tokens of 300 bytes under two mebibytes.
const SETS: usize = 1024;

/// Places where one token can be. With four of them, 97 of 100 tokens find a place in a cache that is half in use.
const WAYS: usize = 4;

/// Who presented a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearer {
    pub tenant_id: Uuid,
}

struct Entry {
    hash: u64,
    token: Zeroizing<Box<str>>,
    tenant_id: Uuid,
    expires: UnixMillis,
    since: Stamp,
}

/// A token is known by its whole text, not by a hash of it: two texts with the same hash would be one and the same
/// account. The hash, under a seed nobody knows, only says where to look.
pub struct TokenCache {
    sets: Box<[[Option<Entry>; WAYS]]>,
    seed: SharedSeed,
    revocations: Arc<Revocations>,
}

impl TokenCache {
    pub fn new(revocations: Arc<Revocations>) -> Self {
        let sets = (0..SETS).map(|_| [const { None }; WAYS]).collect();
        Self { sets, seed: SharedSeed::from_u64(random::hash_seed()), revocations }
    }

    /// To be taken before a token is verified, and given to [`insert`](Self::insert) after.
    pub fn stamp(&self) -> Stamp {
        self.revocations.stamp()
    }

    pub fn get(&self, token: &str, now: UnixMillis) -> Option<Bearer> {
        let hash = self.hash(token);
        // The texts are compared only where all 64 bits of the hash agree, which a guessed token's do not: so the time
        // this takes tells nothing about the tokens in here.
        let mut entries = self.sets[Self::set_of(hash)].iter().flatten();
        let entry = entries.find(|entry| entry.hash == hash && **entry.token == *token)?;
        let valid = now < entry.expires && self.revocations.hold(entry.since, entry.tenant_id);
        valid.then_some(Bearer { tenant_id: entry.tenant_id })
    }

    /// Remembers a token that was verified, whose account exists and has the token's generation. A refresh token is not
    /// taken: found in here it would pass for an access token.
    pub fn insert(&mut self, token: &str, claims: &Claims, since: Stamp) {
        if claims.kind != TokenKind::Access || token.len() > TOKEN_BYTES_MAX {
            return;
        }
        let hash = self.hash(token);
        let entry = Entry {
            hash,
            token: Zeroizing::new(token.into()),
            tenant_id: claims.tenant_id,
            expires: claims.expires(),
            since,
        };
        let place = place(&mut self.sets[Self::set_of(hash)], &entry);
        *place = Some(entry);
    }

    fn hash(&self, token: &str) -> u64 {
        let mut hasher = FoldHasher::with_seed(0, &self.seed);
        hasher.write(token.as_bytes());
        hasher.finish()
    }

    fn set_of(hash: u64) -> usize {
        usize::try_from(hash % SETS as u64).expect("less than the number of sets")
    }
}

/// Where the same token is already, else where none is, else in place of the one that would be gone soonest.
fn place<'s>(set: &'s mut [Option<Entry>; WAYS], entry: &Entry) -> &'s mut Option<Entry> {
    let worth = |held: &Option<Entry>| match held {
        Some(held) if held.hash == entry.hash && held.token == entry.token => (0, UnixMillis::default()),
        None => (1, UnixMillis::default()),
        Some(held) => (2, held.expires),
    };
    set.iter_mut().min_by_key(|held| worth(held)).expect("a set has several places")
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TokenCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::entropy;
    use super::*;

    const NOW: UnixMillis = UnixMillis::new(1_700_000_000_000);

    fn claims(tenant_id: Uuid, kind: TokenKind, exp: u64) -> Claims {
        Claims { tenant_id, username: "alice".into(), iat: exp, exp, kind, generation: 0 }
    }

    fn live() -> Claims {
        claims(entropy::tenant_id(), TokenKind::Access, NOW.get() / 1000 + 1800)
    }

    /// A tenant id of the class that its first byte names.
    fn of_class(class: u8) -> Uuid {
        let mut bytes = *entropy::tenant_id().as_bytes();
        bytes[0] = class;
        Uuid::from_bytes(bytes)
    }

    fn remember(cache: &mut TokenCache, token: &str, claims: &Claims) {
        let stamp = cache.stamp();
        cache.insert(token, claims, stamp);
    }

    #[test]
    fn a_token_is_remembered_by_its_whole_text_until_it_expires() {
        let mut cache = TokenCache::new(Arc::default());
        let claims = live();
        assert_eq!(cache.get("head.body.sign", NOW), None);
        remember(&mut cache, "head.body.sign", &claims);
        let bearer = Some(Bearer { tenant_id: claims.tenant_id });
        assert_eq!(cache.get("head.body.sign", NOW), bearer);
        for other in ["head.body.sigm", "head.body.sig", "head.body.sign ", "", "HEAD.body.sign"] {
            assert_eq!(cache.get(other, NOW), None, "{other:?}");
        }
        let end = claims.expires();
        assert_eq!(cache.get("head.body.sign", UnixMillis::new(end.get() - 1)), bearer);
        assert_eq!(cache.get("head.body.sign", end), None);
    }

    #[test]
    fn a_hash_alone_does_not_make_a_token() {
        let mut cache = TokenCache::new(Arc::default());
        remember(&mut cache, "head.body.sign", &live());
        let (hash, forged) = (cache.hash("head.body.sign"), cache.hash("head.body.forged"));
        let mut entry = cache.sets[TokenCache::set_of(hash)].iter_mut().find_map(Option::take).expect("remembered");
        entry.hash = forged;
        cache.sets[TokenCache::set_of(forged)][0] = Some(entry);
        assert_eq!(cache.get("head.body.forged", NOW), None);
    }

    #[test]
    fn a_refresh_token_and_one_that_is_too_long_are_not_remembered() {
        let mut cache = TokenCache::new(Arc::default());
        let refresh = claims(entropy::tenant_id(), TokenKind::Refresh, NOW.get() / 1000 + 1800);
        remember(&mut cache, "refresh", &refresh);
        assert_eq!(cache.get("refresh", NOW), None);
        let long = "x".repeat(TOKEN_BYTES_MAX + 1);
        remember(&mut cache, &long, &live());
        assert_eq!(cache.get(&long, NOW), None);
    }

    #[test]
    fn forgetting_an_account_ends_its_tokens_in_every_cache_and_spares_the_others() {
        let revocations = Arc::new(Revocations::default());
        let mut caches = [TokenCache::new(Arc::clone(&revocations)), TokenCache::new(Arc::clone(&revocations))];
        let exp = NOW.get() / 1000 + 1800;
        let gone = claims(of_class(1), TokenKind::Access, exp);
        let stays = claims(of_class(2), TokenKind::Access, exp);
        for cache in &mut caches {
            remember(cache, "gone", &gone);
            remember(cache, "stays", &stays);
        }
        revocations.forget(gone.tenant_id);
        for cache in &mut caches {
            assert_eq!(cache.get("gone", NOW), None);
            assert_eq!(cache.get("stays", NOW), Some(Bearer { tenant_id: stays.tenant_id }));
            remember(cache, "gone", &gone);
            assert!(cache.get("gone", NOW).is_some(), "what is verified anew is believed anew");
        }
    }

    /// C125
    #[test]
    fn new_keys_end_every_token() {
        let revocations = Arc::new(Revocations::default());
        let mut cache = TokenCache::new(Arc::clone(&revocations));
        for token in 0..100 {
            remember(&mut cache, &token.to_string(), &live());
        }
        revocations.forget_all();
        assert!((0..100).all(|token| cache.get(&token.to_string(), NOW).is_none()));
    }

    #[test]
    fn a_token_whose_account_was_deleted_while_it_was_verified_is_not_believed() {
        let revocations = Arc::new(Revocations::default());
        let mut cache = TokenCache::new(Arc::clone(&revocations));
        let claims = live();
        let before_the_verification = cache.stamp();
        revocations.forget(claims.tenant_id);
        cache.insert("token", &claims, before_the_verification);
        assert_eq!(cache.get("token", NOW), None);
    }

    #[test]
    fn a_full_cache_gives_up_what_expires_soonest() {
        let mut cache = TokenCache::new(Arc::default());
        let set = TokenCache::set_of(cache.hash("0"));
        let neighbours: Vec<String> = (0..)
            .map(|n: u32| n.to_string())
            .filter(|t| TokenCache::set_of(cache.hash(t)) == set)
            .take(WAYS + 1)
            .collect();
        for (token, exp) in neighbours.iter().zip([50, 40, 60, 70, 80]) {
            remember(&mut cache, token, &claims(entropy::tenant_id(), TokenKind::Access, NOW.get() / 1000 + exp));
        }
        let remembered = |token: &String| cache.get(token, NOW).is_some();
        assert_eq!(neighbours.iter().map(remembered).collect::<Vec<_>>(), [true, false, true, true, true]);
    }

    #[test]
    fn a_token_has_one_place_however_often_it_comes() {
        let mut cache = TokenCache::new(Arc::default());
        let (first, again) = (live(), live());
        remember(&mut cache, "token", &first);
        remember(&mut cache, "token", &again);
        assert_eq!(cache.get("token", NOW), Some(Bearer { tenant_id: again.tenant_id }));
        assert_eq!(cache.sets.iter().flatten().flatten().count(), 1);
    }
}
