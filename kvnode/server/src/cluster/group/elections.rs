//! When a voter wants to lead. openraft draws one time for each process to wait before an election, and looks at it every
//! 150 ms only: two voters that have drawn alike would go on voting for themselves at the same moments for ever. So its
//! own elections are off, and a new time is drawn before each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kvnode_core::time::Uptime;
use openraft::ServerState;
use tokio::time::sleep;

use super::Types;
use crate::clock::Clock;
use crate::random;

/// Of signs of a leader. Together with the lease, a leader and a primary that die at the same moment are replaced within
/// 3 s; below that, a pause of the machine would be taken for a death.
const PATIENCE_MIN: Duration = Duration::from_millis(450);
const PATIENCE_MAX: Duration = Duration::from_millis(800);

/// How exact that is: many times finer than what lies between two draws.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// When a leader has been heard, or somebody was given a vote who may become one.
#[derive(Clone, Debug)]
pub(super) struct Signs {
    clock: Clock,
    last: Arc<AtomicU64>,
}

impl Signs {
    pub(super) fn new(clock: Clock) -> Self {
        let signs = Self { clock, last: Arc::default() };
        signs.note();
        signs
    }

    pub(super) fn note(&self) {
        self.last.store(self.clock.uptime().get(), Ordering::Relaxed);
    }

    fn silence(&self) -> Duration {
        self.clock.uptime().since(Uptime::new(self.last.load(Ordering::Relaxed)))
    }
}

/// Calls an election whenever there is no sign of a leader, until the group ends.
pub(super) async fn call(raft: openraft::Raft<Types>, me: u128, signs: Signs) {
    let metrics = raft.metrics();
    loop {
        let patience = random::between(PATIENCE_MIN, PATIENCE_MAX);
        while signs.silence() < patience {
            sleep(LOOK_EVERY).await;
            let metrics = metrics.borrow();
            let is_voter = metrics.membership_config.voter_ids().any(|voter| voter == me);
            if metrics.state == ServerState::Leader || !is_voter {
                signs.note();
            }
        }
        signs.note();
        if raft.trigger().elect().await.is_err() {
            return;
        }
    }
}
