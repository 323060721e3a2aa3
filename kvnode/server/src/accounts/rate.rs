//! How many requests an account or an address may make: a bucket for each, which every request empties by one and time
//! fills again. The number of buckets is bounded, so that whoever comes from many addresses cannot fill the memory.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use kvnode_core::time::UnixMillis;
use thiserror::Error;
use uuid::Uuid;

/// One for each connection the node takes; a million bytes or so.
const BUCKETS_MAX: usize = 10_000;

/// When room is made, it is made for this part of the buckets: finding the fullest looks at all of them, so it must not
/// be done for each newcomer.
const PART_EVICTED: usize = 8;

/// Buckets count in thousandths of a request, because a millisecond at one request a second brings one of them.
const PER_REQUEST: u64 = 1000;

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Client(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Account(Uuid),
    Address(IpAddr),
}

impl Client {
    pub const fn account(tenant_id: Uuid) -> Self {
        Self(Kind::Account(tenant_id))
    }

    /// In IPv6 a single customer has a /64 network at least, so its addresses are one client.
    pub fn address(address: IpAddr) -> Self {
        Self(Kind::Address(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        }))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In the long run.
    pub per_second: NonZeroU32,
    /// At once, after a pause.
    pub burst: NonZeroU32,
}

impl Rate {
    fn full(self) -> u64 {
        u64::from(self.burst.get()) * PER_REQUEST
    }

    fn refilled(self, bucket: Bucket, now: UnixMillis) -> u64 {
        let elapsed_ms = now.get().saturating_sub(bucket.at.get());
        let gained = elapsed_ms.saturating_mul(u64::from(self.per_second.get()));
        bucket.level.saturating_add(gained).min(self.full())
    }
}

#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("Too many requests; try again in {retry_after_seconds} s.")]
pub struct TooManyRequests {
    pub retry_after_seconds: u64,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    level: u64,
    at: UnixMillis,
}

#[derive(Debug)]
pub struct RateLimiter {
    rate: Rate,
    buckets: HashMap<Client, Bucket>,
    buckets_max: usize,
}

impl RateLimiter {
    pub fn new(rate: Rate) -> Self {
        Self::with_bound(rate, BUCKETS_MAX)
    }

    fn with_bound(rate: Rate, buckets_max: usize) -> Self {
        Self { rate, buckets: HashMap::new(), buckets_max }
    }

    /// From here on. Buckets that hold more than the new burst lose the rest when they are next looked at.
    pub fn set_rate(&mut self, rate: Rate) {
        self.rate = rate;
    }

    /// Counts a request, unless it is one too many. A refused one costs its sender nothing more.
    pub fn admit(&mut self, client: Client, now: UnixMillis) -> Result<(), TooManyRequests> {
        let bucket = self.buckets.get(&client).copied();
        if bucket.is_none() && self.buckets.len() >= self.buckets_max {
            self.make_room(now);
        }
        let level = bucket.map_or(self.rate.full(), |bucket| self.rate.refilled(bucket, now));
        let left = level.checked_sub(PER_REQUEST);
        // The moment is written down in any case: were it kept when the clock was set back, nothing would be refilled
        // until the clock is there again.
        self.buckets.insert(client, Bucket { level: left.unwrap_or(level), at: now });
        left.map(drop).ok_or_else(|| TooManyRequests { retry_after_seconds: self.wait_seconds(PER_REQUEST - level) })
    }

    /// Rounded up: who comes at the moment that was named is let in.
    fn wait_seconds(&self, missing: u64) -> u64 {
        missing.div_ceil(u64::from(self.rate.per_second.get())).div_ceil(1000)
    }

    /// A full bucket says no more than none at all, so those go first; then the fullest, whose clients gain the least
    /// by being forgotten. The empty ones, which hold somebody back, go last.
    fn make_room(&mut self, now: UnixMillis) {
        let rate = self.rate;
        self.buckets.retain(|_, bucket| rate.refilled(*bucket, now) < rate.full());
        let kept_max = self.buckets_max - self.buckets_max.div_ceil(PART_EVICTED);
        let surplus = self.buckets.len().saturating_sub(kept_max);
        if surplus == 0 {
            return;
        }
        let mut by_level: Vec<_> =
            self.buckets.iter().map(|(client, bucket)| (rate.refilled(*bucket, now), *client)).collect();
        by_level.select_nth_unstable_by_key(surplus - 1, |(level, _)| std::cmp::Reverse(*level));
        for (_, client) in &by_level[..surplus] {
            self.buckets.remove(client);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: UnixMillis = UnixMillis::new(1_700_000_000_000);

    fn rate(per_second: u32, burst: u32) -> Rate {
        let positive = |number| NonZeroU32::new(number).expect("positive");
        Rate { per_second: positive(per_second), burst: positive(burst) }
    }

    fn address(text: &str) -> Client {
        Client::address(text.parse().expect("an address"))
    }

    fn numbered(number: u32) -> Client {
        Client::address(IpAddr::V4(number.into()))
    }

    fn refused(retry_after_seconds: u64) -> Result<(), TooManyRequests> {
        Err(TooManyRequests { retry_after_seconds })
    }

    #[test]
    fn a_client_may_send_a_burst_and_then_so_many_a_second() {
        let mut limiter = RateLimiter::new(rate(2, 3));
        let client = address("10.0.0.1");
        for _ in 0..3 {
            assert_eq!(limiter.admit(client, START), Ok(()));
        }
        assert_eq!(limiter.admit(client, START), refused(1));
        assert_eq!(limiter.admit(client, START.plus_millis(499)), refused(1));
        assert_eq!(limiter.admit(client, START.plus_millis(500)), Ok(()));
        assert_eq!(limiter.admit(client, START.plus_millis(500)), refused(1));
        let later = START.plus_seconds(3600);
        let admitted = (0..10).filter(|_| limiter.admit(client, later).is_ok()).count();
        assert_eq!(admitted, 3, "a pause saves up one burst, not more");
    }

    #[test]
    fn clients_are_counted_apart() {
        let mut limiter = RateLimiter::new(rate(1, 1));
        let account = Client::account(Uuid::from_u128(1));
        for client in [account, Client::account(Uuid::from_u128(2)), address("10.0.0.1"), address("10.0.0.2")] {
            assert_eq!(limiter.admit(client, START), Ok(()), "{client:?}");
        }
        assert_eq!(limiter.admit(account, START), refused(1));
    }

    #[test]
    fn one_client_is_one_client_under_all_its_addresses() {
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:ffff"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
        assert_ne!(address("10.0.0.1"), address("10.0.0.2"));
    }

    #[test]
    fn who_comes_after_the_named_time_is_let_in() {
        for per_second in [1, 2, 3, 7, 999, 1000, 5000] {
            let mut limiter = RateLimiter::new(rate(per_second, 1));
            let client = address("10.0.0.1");
            assert_eq!(limiter.admit(client, START), Ok(()));
            let refusal = limiter.admit(client, START).expect_err("the bucket is empty");
            assert!(refusal.retry_after_seconds >= 1);
            assert_eq!(limiter.admit(client, START.plus_seconds(refusal.retry_after_seconds)), Ok(()), "{per_second}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out_and_gives_nothing_away() {
        let mut limiter = RateLimiter::new(rate(1, 1));
        let client = address("10.0.0.1");
        let before = UnixMillis::new(START.get() - 3_600_000);
        assert_eq!(limiter.admit(client, START), Ok(()));
        assert_eq!(limiter.admit(client, before), refused(1));
        assert_eq!(limiter.admit(client, before.plus_seconds(1)), Ok(()));
    }

    #[test]
    fn the_number_of_buckets_is_bounded_and_who_was_refused_is_not_forgotten() {
        let mut limiter = RateLimiter::with_bound(rate(1, 4), 64);
        let greedy = address("192.168.0.1");
        while limiter.admit(greedy, START).is_ok() {}
        for stranger in 0..10_000 {
            assert_eq!(limiter.admit(numbered(stranger), START), Ok(()));
            assert!(limiter.buckets.len() <= 64);
        }
        assert_eq!(limiter.admit(greedy, START), refused(1));
    }

    #[test]
    fn full_buckets_go_before_any_other() {
        let mut limiter = RateLimiter::with_bound(rate(1, 2), 8);
        for idle in 0..4 {
            assert_eq!(limiter.admit(numbered(idle), START), Ok(()));
        }
        let later = START.plus_seconds(60);
        for busy in 4..8 {
            assert_eq!(limiter.admit(numbered(busy), later), Ok(()));
        }
        assert_eq!(limiter.admit(numbered(8), later), Ok(()));
        let mut kept: Vec<_> = limiter.buckets.keys().copied().collect();
        kept.sort_by_key(|client| format!("{client:?}"));
        assert_eq!(kept, (4..9).map(numbered).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn nobody_gets_more_than_a_burst_and_the_rate(
            per_second in 1_u32..2000,
            burst in 1_u32..50,
            pauses_ms in prop::collection::vec(0_u64..400, 1..300),
        ) {
            let mut limiter = RateLimiter::new(rate(per_second, burst));
            let (client, mut now, mut admitted) = (address("10.0.0.1"), START, 0_u64);
            for pause_ms in pauses_ms {
                now = now.plus_millis(pause_ms);
                admitted += u64::from(limiter.admit(client, now).is_ok());
            }
            let elapsed_ms = now.get() - START.get();
            prop_assert!(admitted <= u64::from(burst) + elapsed_ms * u64::from(per_second) / 1000);
        }
    }
}
