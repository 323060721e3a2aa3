//! The lease of this node, which every thread looks at before it does something and again before it tells of it (R7, R9).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use kvnode_core::cluster::lease::{Grant, Holder, Nonce};
use kvnode_core::time::Uptime;

#[derive(Debug, Default)]
pub(super) struct Lease {
    holder: Mutex<Holder>,
    /// What of it the others look at, so that nobody waits.
    until: AtomicU64,
    needs: AtomicU64,
}

impl Lease {
    pub(super) fn ask(&self, now: Uptime) -> Nonce {
        self.holder().ask(now)
    }

    pub(super) fn granted(&self, grant: Grant) {
        let mut holder = self.holder();
        holder.granted(grant);
        // It is not used before as much is known as it needs, so that comes first.
        self.needs.store(holder.needs(), Ordering::SeqCst);
        self.until.store(holder.until().get(), Ordering::SeqCst);
    }

    /// Whether it holds at this moment, for somebody who has applied so much of the configuration.
    pub(super) fn holds(&self, now: Uptime, applied: u64) -> bool {
        now.get() < self.until.load(Ordering::SeqCst) && applied >= self.needs.load(Ordering::SeqCst)
    }

    fn holder(&self) -> MutexGuard<'_, Holder> {
        self.holder.lock().expect("a panic ends the process")
    }
}
