//! How often an account, and an address, may ask. The address is that of the connection: a header such as
//! `X-Forwarded-For` is a client's own word, with which anyone could be anyone.

use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use kvnode_core::time::UnixMillis;

use super::{Caller, Who};
use crate::accounts::rate::{Client, Rate, RateLimiter, TooManyRequests};
use crate::settings::access::AccessSettings;

#[derive(Debug, Default)]
pub(super) struct Rates {
    of_accounts: Mutex<Option<RateLimiter>>,
    of_addresses: Mutex<Option<RateLimiter>>,
    set: AtomicBool,
}

impl Rates {
    pub(super) fn take_over(&self, settings: &AccessSettings) {
        let set = settings.account_rate.is_some() || settings.address_rate.is_some();
        self.set.store(set, Ordering::Relaxed);
    }

    /// Whether anybody is held to any rate.
    #[inline]
    pub(super) fn are_set(&self) -> bool {
        self.set.load(Ordering::Relaxed)
    }

    pub(super) fn admit_address(
        &self,
        rate: Option<Rate>,
        address: IpAddr,
        now: UnixMillis,
    ) -> Result<(), TooManyRequests> {
        rate.map_or(Ok(()), |rate| admit(&self.of_addresses, rate, Client::address(address), now))
    }

    /// Callers without an account have no rate but their address's.
    pub(super) fn admit_account(
        &self,
        rate: Option<Rate>,
        caller: Caller,
        now: UnixMillis,
    ) -> Result<(), TooManyRequests> {
        match (rate, caller.who) {
            (Some(rate), Who::Account(tenant_id)) => admit(&self.of_accounts, rate, Client::account(tenant_id), now),
            _ => Ok(()),
        }
    }
}

/// The rate may be another than for the request before: it is a setting that can change.
fn admit(
    limiter: &Mutex<Option<RateLimiter>>,
    rate: Rate,
    client: Client,
    now: UnixMillis,
) -> Result<(), TooManyRequests> {
    let mut limiter = limiter.lock().expect("nothing that could panic runs under this lock");
    let limiter = limiter.get_or_insert_with(|| RateLimiter::new(rate));
    limiter.set_rate(rate);
    limiter.admit(client, now)
}
