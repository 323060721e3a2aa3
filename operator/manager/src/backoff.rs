//! How long to wait after failures, per tenant: one that cannot be helped must not take the time of the others.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::random;
use crate::watch::TenantKey;

/// After the first failure; most are a conflict or a blink of the network.
const FIRST: Duration = Duration::from_millis(500);
/// No failure is left alone for longer: what was repaired by hand should show within minutes.
const LONGEST: Duration = Duration::from_secs(300);

/// Failures in a row of each tenant that has some.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: Mutex<HashMap<TenantKey, u32>>,
}

impl Backoff {
    /// Counts one more failure and says how many there were in a row.
    pub(crate) fn failed(&self, tenant: &TenantKey) -> u32 {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(tenant.clone()).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// Forgets a tenant that succeeded, or is gone.
    pub(crate) fn forget(&self, tenant: &TenantKey) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(tenant);
    }

    /// How long to wait now.
    pub(crate) fn delay(&self, tenant: &TenantKey) -> Duration {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner).get(tenant).copied();
        random::jittered(ceiling(failures.unwrap_or(1)))
    }
}

/// The longest wait after so many failures in a row.
fn ceiling(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1);
    2_u32.checked_pow(doublings).and_then(|factor| FIRST.checked_mul(factor)).map_or(LONGEST, |wait| wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits: Vec<u128> =
            [1, 2, 3, 10, 11, 40, u32::MAX].iter().map(|count| ceiling(*count).as_millis()).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 256_000, 300_000, 300_000, 300_000]);
    }

    /// G15: the failures of one tenant are not the failures of another, and success wipes the slate.
    #[test]
    fn each_tenant_has_its_own_count() {
        let backoff = Backoff::default();
        let [one, other] = ["one", "other"].map(|name| TenantKey::new("shop", name));
        assert_eq!([backoff.failed(&one), backoff.failed(&one), backoff.failed(&other)], [1, 2, 1]);
        backoff.forget(&one);
        assert_eq!([backoff.failed(&one), backoff.failed(&other)], [1, 2]);
    }
}
