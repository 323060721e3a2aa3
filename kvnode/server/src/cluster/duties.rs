//! What a member of a cluster does without being asked: it asks for its lease, says that it is there, and lets its
//! replicas look whether something is due.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kvnode_core::cluster::configuration::{Proposer, Role};
use kvnode_core::cluster::member::Member;
use kvnode_core::cluster::replica::{Effect, Replica};
use kvnode_core::store::slot::PartitionNumber;
use tokio::time::{MissedTickBehavior, interval};

use super::Cluster;
use super::group::{Group, Proposal};
use super::wire::{Introduction, Payload};
use crate::shared::Shared;

/// Below any time after which something is due.
const TICK: Duration = Duration::from_millis(50);

/// A lease is asked for so often that several requests in a row may be lost.
const TICKS_BETWEEN_ASKING: u32 = 2;

/// Of whom nothing was heard for so long is put out of what waits for it (R11).
const SILENT_AFTER: Duration = Duration::from_millis(800);

/// Looks after everything for ever.
pub(super) async fn look_after(shared: Arc<Shared>, cluster: Arc<Cluster>, group: Group) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for tick in 0_u32.. {
        ticks.tick().await;
        cluster.note_leader(&group);
        if tick.is_multiple_of(TICKS_BETWEEN_ASKING) {
            cluster.ask_for_lease();
        }
        cluster.look_at_replicas(&shared);
        cluster.lead();
        // Whether something may be told can depend on the time alone.
        cluster.tell();
    }
}

impl Cluster {
    fn ask_for_lease(&self) {
        self.say_here();
        let Some(leader) = *self.leader() else { return };
        let nonce = self.lease.ask(self.now());
        if leader == self.me.node {
            if let Some(grant) = self.grant(nonce, self.me) {
                self.lease.granted(grant);
            }
        } else if let Some(leader) = self.member_of(leader) {
            self.peers.say(leader, &Payload::AskLease(nonce));
        }
    }

    fn look_at_replicas(&self, shared: &Shared) {
        let silent = self.silent();
        let is_silent = |member: Member| silent.is_silent(self, member);
        let led: Vec<PartitionNumber> =
            (0..=u8::MAX).map(PartitionNumber::new).filter(|number| self.replica(*number).leads().is_some()).collect();
        for number in led {
            let now = self.now();
            shared.store.act(number, |replica| {
                let mut effects = replica.ticked(now, &is_silent);
                effects.extend(self.pass_on(replica).unwrap_or_else(|| self.follow_placement(replica, number)));
                effects
            });
        }
    }

    /// A primary that is to be another hands over; copies that are to be nowhere go when there are enough others.
    fn follow_placement(&self, replica: &mut Replica, number: PartitionNumber) -> Vec<Effect> {
        let known = self.known.load();
        let nodes = known.configuration.placement().of(number.index());
        let wished: Vec<Member> = nodes.iter().filter_map(|node| self.member_of(*node)).collect();
        let Some(&first) = wished.first() else { return Vec::new() };
        let state = replica.known();
        let is_in_sync = |member: &Member| state.isr().contains(member);
        let surplus = state.isr().iter().skip(1).copied().find(|member| !wished.contains(member));
        if first != self.me && state.role_of(first) == Some(Role::InSync) && !self.peers.is_leaving(first) {
            replica.hand_over(first, self.now())
        } else if let Some(member) = surplus.filter(|_| wished.iter().all(is_in_sync)) {
            replica.put_out(member, self.now())
        } else {
            Vec::new()
        }
    }

    fn silent(&self) -> Silent {
        let now = self.now();
        let known = self.known.load();
        let registered: BTreeSet<Member> = known.configuration.nodes().iter().map(|node| node.member).collect();
        let heard = |member: &Member| now.since(self.peers.heard(*member).unwrap_or(self.began)) <= SILENT_AFTER;
        Silent { heard: registered.into_iter().filter(heard).collect() }
    }

    /// Something was said to this node. It is called by the thread that listens, and waits for nothing but a partition.
    pub(super) fn hear(&self, shared: &Shared, from: &Introduction, payload: Payload) -> Option<Payload> {
        let from = from.member;
        match payload {
            Payload::Replica(number, message) => {
                let now = self.now();
                shared.store.act(number, |replica| replica.received(from, message, now));
            }
            Payload::AskLease(nonce) => return self.grant(nonce, from).map(Payload::Granted),
            Payload::Granted(grant) => {
                self.lease.granted(grant);
                self.tell();
            }
            Payload::Propose(change) => {
                let proposer = Proposer::Member(from);
                self.submit(Proposal { proposer, change });
            }
            Payload::GroupReply { number, reply } => self.peers.replied(number, reply),
            Payload::Here { is_leaving } => {
                self.peers.note_leaving(from, is_leaving);
                if let Some(leader) = self.leading().as_mut() {
                    leader.leaves(from, is_leaving);
                }
            }
            // The group has a way of its own, and greetings mean nothing here.
            Payload::GroupAsk { .. } | Payload::Hello(_) | Payload::Welcome(_) | Payload::Refused(_) => {}
        }
        None
    }
}

/// Who was heard of lately, among those who are registered.
struct Silent {
    heard: BTreeSet<Member>,
}

impl Silent {
    fn is_silent(&self, cluster: &Cluster, member: Member) -> bool {
        member != cluster.me && !self.heard.contains(&member)
    }
}
