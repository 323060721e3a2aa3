//! The shell around the core's cluster: what the state machines say is done here, by real threads on a real network.
//!
//! ```text
//!  serving threads ──written──▶ Post (replica of a partition) ──▶ Peers ──▶ other nodes
//!        ▲                        ▲          │                      │
//!        └──── Confirmations ◀────┼──────────┘                      ▼
//!                                 └─────learned───── Group ◀──── duties: lease, leader, ticks
//! ```
//!
//! Locks are taken in this order: a partition of the store, its replica, the row of confirmations, a queue of a peer.

mod acting;
mod confirmations;
mod duties;
pub(crate) mod group;
mod leading;
mod lease;
mod leaving;
pub(crate) mod peers;
mod routes;
mod running;
pub(crate) mod wire;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use arc_swap::ArcSwap;
use kvnode_core::cluster::configuration::{Change, Proposer};
use kvnode_core::cluster::leader::{Leader, Policy};
use kvnode_core::cluster::member::{Incarnation, Member, NodeId, NodeName};
use kvnode_core::cluster::replica::{Replica, Settings as ReplicaSettings};
use kvnode_core::store::partition::Snapshot;
use kvnode_core::store::slot::{PARTITIONS, PartitionNumber};
use kvnode_core::time::Uptime;
use tokio::sync::{mpsc, watch};

use crate::clock::Clock;
use crate::disk::Identity;
use crate::settings::Settings;
use crate::settings::cluster::ClusterSettings;
use confirmations::Confirmations;
pub(crate) use confirmations::{Rest, Verdict};
use group::{Known, Proposal};
use lease::Lease;
use leaving::Leaving;
use peers::Peers;
pub(crate) use routes::Route;
pub(crate) use running::{Running, start};
use wire::{Hello, Introduction, Payload};

/// Committed records that are kept for copies that were away for a moment. There is one such log for each partition, so
/// all of them keep at most 64 MiB.
const KEPT_BYTES: usize = 256 << 10;

/// What members may want decided at the same time: each partition asks for one thing, and asks again if it was lost.
const PROPOSALS_MAX: usize = 4 * PARTITIONS;

#[derive(Debug)]
pub(crate) struct Cluster {
    me: Member,
    settings: ClusterSettings,
    clock: Clock,
    began: Uptime,
    posts: Vec<Post>,
    confirmations: Confirmations,
    lease: Lease,
    known: ArcSwap<Known>,
    peers: Arc<Peers>,
    /// Of the group, as far as it is known here.
    leader: Mutex<Option<NodeId>>,
    /// While this node leads.
    leading: Mutex<Option<Leader>>,
    proposals: mpsc::Sender<Proposal>,
    proposed: Mutex<Option<mpsc::Receiver<Proposal>>>,
    changed: watch::Sender<()>,
    /// Somebody found an answer open, and wants to be woken.
    awaited: AtomicBool,
    leaving: Leaving,
    /// This node takes no part any more.
    ended: watch::Sender<bool>,
}

/// One partition's replica. It is changed only by whoever holds the partition; anybody may look.
#[derive(Debug)]
struct Post {
    replica: Mutex<Replica>,
    /// How far the rows are that whoever joins is sent.
    snapshot: Mutex<Option<Snapshot>>,
}

impl Cluster {
    pub(crate) fn new(settings: &Settings, cluster: &ClusterSettings, identity: &Identity, clock: &Clock) -> Self {
        let me = Member { node: NodeId::new(identity.node.get()), incarnation: Incarnation::new(identity.incarnation) };
        let replica_settings = ReplicaSettings { min_in_sync: cluster.min_in_sync, kept_bytes: KEPT_BYTES };
        let post = |_| Post { replica: Mutex::new(Replica::new(me, replica_settings)), snapshot: Mutex::default() };
        let (proposals, proposed) = mpsc::channel(PROPOSALS_MAX);
        Self {
            me,
            began: clock.uptime(),
            posts: (0..PARTITIONS).map(post).collect(),
            confirmations: Confirmations::default(),
            lease: Lease::default(),
            known: ArcSwap::default(),
            peers: Arc::new(Peers::new(hello(settings, cluster, me), clock.clone())),
            leader: Mutex::default(),
            leading: Mutex::default(),
            proposals,
            proposed: Mutex::new(Some(proposed)),
            changed: watch::Sender::new(()),
            awaited: AtomicBool::new(false),
            leaving: Leaving::default(),
            ended: watch::Sender::new(false),
            settings: cluster.clone(),
            clock: clock.clone(),
        }
    }

    pub(crate) fn known(&self) -> Arc<Known> {
        self.known.load_full()
    }

    fn policy(&self) -> Policy {
        Policy {
            copies: self.settings.copies,
            begins_with: self.settings.size,
            recreates: self.settings.recreates_what_is_lost,
        }
    }

    fn now(&self) -> Uptime {
        self.clock.uptime()
    }

    /// Whether this node may be sure that nobody else answers for what it answers for.
    fn has_lease(&self) -> bool {
        self.lease.holds(self.now(), self.known.load().index)
    }

    fn replica(&self, partition: PartitionNumber) -> MutexGuard<'_, Replica> {
        self.posts[partition.index()].replica.lock().expect("a panic ends the process")
    }

    /// Whether this partition may be asked something here, or changed. To be called by whoever holds the partition, and
    /// good for as long as it does (R7, R8).
    pub(crate) fn serves(&self, partition: PartitionNumber, changes: bool) -> bool {
        let replica = self.replica(partition);
        let may = if changes { replica.takes_writes() } else { replica.serves() };
        may.is_ok() && self.has_lease()
    }

    /// Whether this node is to do what only a primary does (R18).
    pub(crate) fn leads(&self, partition: PartitionNumber) -> bool {
        self.serves(partition, true)
    }

    /// On what an answer rests that was made just now.
    pub(crate) fn newest(&self, losses: u64) -> Rest {
        self.confirmations.newest(losses)
    }

    /// How often a partition was taken from this node.
    pub(crate) fn losses(&self) -> u64 {
        self.confirmations.losses()
    }

    /// Whether it may be told at this moment: it is held by everybody who has to, and nobody else may answer instead.
    pub(crate) fn verdict(&self, rest: Rest) -> Verdict {
        let look = || match self.confirmations.of(rest) {
            Verdict::Confirmed if !self.has_lease() => Verdict::Open,
            verdict => verdict,
        };
        match look() {
            Verdict::Open => {
                self.awaited.store(true, Ordering::SeqCst);
                // It may have been confirmed before the wish was seen.
                look()
            }
            decided => decided,
        }
    }

    /// Says when something that was open may be no longer, if somebody found it open.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// The node ends, and says nothing more to anybody.
    pub(crate) fn end(&self) {
        self.ended.send_replace(true);
    }

    async fn has_ended(&self) {
        let mut ended = self.ended.subscribe();
        // The sender is this cluster's own.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    fn tell(&self) {
        if self.awaited.swap(false, Ordering::SeqCst) {
            self.changed.send_replace(());
        }
    }

    fn leader(&self) -> MutexGuard<'_, Option<NodeId>> {
        self.leader.lock().expect("a panic ends the process")
    }

    fn leading(&self) -> MutexGuard<'_, Option<Leader>> {
        self.leading.lock().expect("a panic ends the process")
    }

    /// The life of this node that counts.
    fn member_of(&self, node: NodeId) -> Option<Member> {
        if node == self.me.node {
            return Some(self.me);
        }
        self.known.load().configuration.nodes().get(node).map(|node| node.member)
    }

    /// Asks the leader to have this decided. It may be lost; whoever proposed it will do so again.
    fn propose(&self, change: Change) {
        let Some(leader) = *self.leader() else { return };
        if leader == self.me.node {
            self.submit(Proposal { proposer: Proposer::Member(self.me), change });
        } else if let Some(leader) = self.member_of(leader) {
            self.peers.say(leader, &Payload::Propose(change));
        }
    }

    /// Hands a proposal to the group, which takes it if this node leads it.
    fn submit(&self, proposal: Proposal) {
        // Every entry of the log is a sign of a leader, and others are to see none.
        if self.leaving.stands_down() {
            return;
        }
        if self.proposals.try_send(proposal).is_err() {
            tracing::debug!("more is proposed than the group takes; it will be proposed again");
        }
    }
}

fn hello(settings: &Settings, cluster: &ClusterSettings, me: Member) -> Hello {
    let host = settings.advertise.as_ref().map_or_else(|| settings.bind.to_string(), ToString::to_string);
    let who = Introduction {
        member: me,
        name: NodeName::new(settings.name.as_str()),
        host,
        peer_port: cluster.peer_port,
        http_port: settings.port,
        resp_cluster_port: settings.resp_cluster_port,
        zone: cluster.zone.clone(),
        weight: cluster.weight,
        is_fresh: me.incarnation == Incarnation::new(1),
    };
    Hello { cluster: cluster.id.clone(), tenant: settings.tenant.to_string(), token: cluster.token.clone(), who }
}

#[cfg(test)]
mod tests;
