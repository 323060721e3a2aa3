//! What the node does without being asked: removing what has expired, and measuring how many requests it answers. Each
//! works in small turns, so that a request never waits for a task longer than for another request.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::settings::Environment;
use crate::shared::Shared;

const SWEEP_EVERY: Duration = Duration::from_mins(5);
const SWEEP_EVERY_IN_DEVELOPMENT: Duration = Duration::from_secs(1);

/// Removals under one lock: well below a millisecond of work.
const SWEEP_TURN: usize = 500;

/// The rate is an average over this many seconds: long enough to be calm, short enough for an autoscaler.
const RATE_SECONDS: usize = 10;

/// In this time a node that is driven to its limits fills a good part of the queue of ten thousand.
const AUDIT_EVERY: Duration = Duration::from_millis(20);

/// A minute or so: it frees memory, and nobody waits for that.
const AUDIT_TURNS_BETWEEN_FORGETTING: u32 = 3000;

/// Lets clients of the Redis protocol know how far the disk is: their threads do not wait for it, they are woken.
pub(crate) async fn tell_of_disk(shared: Arc<Shared>) {
    let mut changes = match (shared.store.cluster(), shared.store.log()) {
        (Some(cluster), _) => cluster.changes(),
        (None, Some(log)) => log.changes(),
        (None, None) => return std::future::pending().await,
    };
    while changes.changed().await.is_ok() {
        shared.redis.wake_all();
    }
}

/// Removes expired keys and forgets old tombstones. Expired keys are invisible before that; this frees their memory.
pub(crate) async fn sweep(shared: Arc<Shared>) {
    let every = match shared.settings.environment {
        Environment::Production => SWEEP_EVERY,
        Environment::Development => SWEEP_EVERY_IN_DEVELOPMENT,
    };
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mut expired = 0;
        for index in 0..shared.store.partitions() {
            loop {
                let swept = shared.store.sweep(index, shared.clock.now(), SWEEP_TURN);
                expired += swept.expired;
                tokio::task::yield_now().await;
                if !swept.more {
                    break;
                }
            }
        }
        shared.metrics.task("ttl_cleanup", "success");
        tracing::debug!(tenant_id = shared.settings.tenant.as_str(), expired, operation = "ttl_cleanup", "sweep");
    }
}

/// Keeps `kv_requests_per_second` up to date.
pub(crate) async fn measure_rate(shared: Arc<Shared>) {
    let mut ticks = interval(Duration::from_secs(1));
    // After a pause the missed seconds must not be counted as one.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut totals: VecDeque<u64> = VecDeque::with_capacity(RATE_SECONDS + 1);
    loop {
        ticks.tick().await;
        totals.push_back(shared.metrics.requests_answered());
        shared.metrics.set_requests_per_second(rate(&totals));
        if totals.len() > RATE_SECONDS {
            totals.pop_front();
        }
        shared.metrics.task("request_rate", "success");
    }
}

/// Brings the audit trail up to date.
pub(crate) async fn write_audit(shared: Arc<Shared>) {
    let mut ticks = interval(AUDIT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for turn in 0_u32.. {
        ticks.tick().await;
        let written = shared.access.audit.write();
        if written.events > 0 {
            shared.metrics.task("audit", "success");
        }
        if written.lost > 0 {
            shared.metrics.task("audit", "error");
            let tenant_id = shared.settings.tenant.as_str();
            tracing::warn!(tenant_id, lost = written.lost, operation = "audit", "the queue was full; events are lost");
        }
        if turn.is_multiple_of(AUDIT_TURNS_BETWEEN_FORGETTING) {
            shared.access.audit.forget_old(shared.clock.now());
        }
    }
}

/// Totals are one second apart, oldest first.
fn rate(totals: &VecDeque<u64>) -> f64 {
    let (Some(first), Some(last)) = (totals.front(), totals.back()) else { return 0.0 };
    let seconds = u32::try_from(totals.len() - 1).unwrap_or(u32::MAX);
    if seconds == 0 {
        return 0.0;
    }
    let requests = u32::try_from(last - first).unwrap_or(u32::MAX);
    f64::from(requests) / f64::from(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_the_growth_by_second() {
        let rate_of = |totals: &[u64]| rate(&totals.iter().copied().collect());
        let close = |left: f64, right: f64| (left - right).abs() < 1e-9;
        assert!(close(rate_of(&[]), 0.0));
        assert!(close(rate_of(&[5]), 0.0));
        assert!(close(rate_of(&[5, 15]), 10.0));
        assert!(close(rate_of(&[0, 1, 1, 1, 2]), 0.5));
    }
}
