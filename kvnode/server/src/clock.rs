//! The one place where the node asks what time it is. Everything else gets a [`Clock`] or a moment, so that a test can
//! let an hour pass without waiting for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kvnode_core::time::UnixMillis;

/// The machine's clock, and how far ahead of it this clock was put.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_ms: Arc<AtomicU64>,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the crate's clock module")]
    pub fn now(&self) -> UnixMillis {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let milliseconds = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
        UnixMillis::new(milliseconds).plus_millis(self.ahead_ms.load(Ordering::Relaxed))
    }

    /// For measuring how long something takes; never shown to anyone.
    #[expect(clippy::disallowed_methods, reason = "this is the crate's clock module")]
    pub fn instant(&self) -> Instant {
        Instant::now()
    }

    /// Lets time pass for everyone who holds a copy of this clock.
    pub fn put_ahead(&self, by: Duration) {
        let milliseconds = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.ahead_ms.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

/// RFC 3339, in UTC, always with milliseconds, so that texts sort as times do.
pub fn rfc3339(moment: UnixMillis) -> String {
    let milliseconds = i64::try_from(moment.get()).unwrap_or(i64::MAX);
    let timestamp = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or(jiff::Timestamp::MAX);
    format!("{timestamp:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C44
    #[test]
    fn times_are_written_in_utc_with_a_z_and_three_digits() {
        assert_eq!(rfc3339(UnixMillis::new(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(UnixMillis::new(1_700_000_000_120)), "2023-11-14T22:13:20.120Z");
        assert!(rfc3339(UnixMillis::new(u64::MAX)).starts_with("9999-"));
    }
}
