//! The one place where the node asks what time it is. Everything else gets a [`Clock`] or a moment, so that a test can
//! let an hour pass without waiting for it.

mod rfc3339;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kvnode_core::time::{UnixMillis, Uptime};
use nix::time::{ClockId, clock_gettime};

pub use rfc3339::rfc3339;

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

    /// For leases: it goes on while the machine sleeps, and nobody can set it.
    pub fn uptime(&self) -> Uptime {
        let since_boot = clock_gettime(ClockId::CLOCK_BOOTTIME).expect("every Linux has this clock");
        let milliseconds = u64::try_from(Duration::from(since_boot).as_millis()).unwrap_or(u64::MAX);
        Uptime::new(milliseconds.saturating_add(self.ahead_ms.load(Ordering::Relaxed)))
    }

    /// Lets time pass for everyone who holds a copy of this clock.
    pub fn put_ahead(&self, by: Duration) {
        let milliseconds = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.ahead_ms.fetch_add(milliseconds, Ordering::Relaxed);
    }
}
