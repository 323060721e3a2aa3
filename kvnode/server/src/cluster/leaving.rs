//! How a node goes without anybody noticing: others take over what it answers for, then nobody waits for its copies any
//! more, and last the configuration group has another leader, if it was this one (R14).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kvnode_core::cluster::member::Member;
use kvnode_core::cluster::replica::{Effect, Replica};
use kvnode_core::store::slot::PartitionNumber;
use tokio::time::{sleep, timeout};

use super::Cluster;
use super::wire::Payload;

/// Most of it is over in a fraction of a second. A node that cannot go well in this time goes all the same: what is lost
/// then is what a crash would lose.
const LEAVE_TIME_MAX: Duration = Duration::from_secs(8);

/// Another leader is elected in less than one.
const STAND_DOWN_TIME_MAX: Duration = Duration::from_secs(3);

const LOOK_EVERY: Duration = Duration::from_millis(20);

#[derive(Debug, Default)]
pub(super) struct Leaving {
    has_begun: AtomicBool,
    stands_down: AtomicBool,
}

impl Leaving {
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    /// It says no more that it leads, so that others elect another; until then it goes on granting leases.
    pub(super) fn stands_down(&self) -> bool {
        self.stands_down.load(Ordering::Relaxed)
    }
}

/// What a node has yet that others rely on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Left {
    /// Partitions that it answers for and somebody else could.
    led: usize,
    /// Copies that others wait for.
    copies: usize,
}

impl Cluster {
    pub(super) fn say_here(&self) {
        let is_leaving = self.leaving.has_begun();
        if let Some(leader) = self.leading().as_mut() {
            leader.leaves(self.me, is_leaving);
        }
        for peer in self.peers.connected() {
            self.peers.say(peer, &Payload::Here { is_leaving });
        }
    }

    /// Gives away everything that others can take. This node can end well when it returns.
    pub(crate) async fn leave(&self) {
        self.leaving.has_begun.store(true, Ordering::Relaxed);
        self.say_here();
        let given = async {
            while self.left() != Left::default() {
                sleep(LOOK_EVERY).await;
            }
        };
        if timeout(LEAVE_TIME_MAX, given).await.is_err() {
            let Left { led, copies } = self.left();
            tracing::warn!(led, copies, "not everything was taken over in time; it is now given up");
        }
        if self.known.load().voters.len() > 1 {
            self.leaving.stands_down.store(true, Ordering::Relaxed);
            let stood_down = async {
                while *self.leader() == Some(self.me.node) {
                    sleep(LOOK_EVERY).await;
                }
            };
            if timeout(STAND_DOWN_TIME_MAX, stood_down).await.is_err() {
                tracing::warn!("the configuration group has no other leader yet");
            }
        }
    }

    fn left(&self) -> Left {
        let known = self.known.load();
        let mut left = Left::default();
        for (number, state) in known.configuration.partitions() {
            let is_mine = state.isr().contains(&self.me);
            let others = || state.isr().iter().any(|member| self.can_take_over(*member));
            left.copies += usize::from(is_mine && others());
            left.led += usize::from(self.leads_at_all(number) && others());
        }
        left
    }

    fn leads_at_all(&self, number: PartitionNumber) -> bool {
        self.replica(number).leads().is_some()
    }

    fn can_take_over(&self, member: Member) -> bool {
        member != self.me && self.peers.heard(member).is_some() && !self.peers.is_leaving(member)
    }

    /// What a primary does because somebody leaves, itself or another; none if that does not concern it.
    pub(super) fn pass_on(&self, replica: &mut Replica) -> Option<Vec<Effect>> {
        let in_sync = replica.known().isr().to_vec();
        if self.leaving.has_begun() {
            let to = in_sync.iter().copied().find(|member| self.can_take_over(*member))?;
            return Some(replica.hand_over(to, self.now()));
        }
        let leaving = in_sync.iter().copied().find(|member| self.peers.is_leaving(*member))?;
        // With fewer than that nothing could be written; then it is waited for until it is gone.
        let is_enough = in_sync.len() > self.settings.min_in_sync;
        is_enough.then(|| replica.put_out(leaving, self.now()))
    }
}
