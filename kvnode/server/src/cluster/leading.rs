//! What this node does while it leads the configuration group: it confirms that it still does, grants leases, registers
//! whoever says hello, and has decided what the core's leader wishes for (R6, R23, R25).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kvnode_core::cluster::configuration::{Change, Node, NodeChange, NodeState, Proposer, Term};
use kvnode_core::cluster::leader::Leader;
use kvnode_core::cluster::lease::{Grant, Nonce};
use kvnode_core::cluster::member::{Member, NodeId, NodeName};
use openraft::{ChangeMembers, ServerState};
use tokio::time::{sleep, timeout};

use super::Cluster;
use super::group::{Group, Proposal};
use super::wire::Introduction;

/// Between two rounds that show whether a majority still follows. Grants are shorter by the age of the last.
const CONFIRM_EVERY: Duration = Duration::from_millis(150);

/// A round that takes longer says nothing any more: a lease is not granted on something so old.
const CONFIRM_TIME_MAX: Duration = Duration::from_millis(500);

/// Between two looks at who belongs to the group.
const MEMBERSHIP_EVERY: Duration = Duration::from_millis(300);

impl Cluster {
    /// Takes note of who leads.
    pub(super) fn note_leader(&self, group: &Group) {
        let metrics = group.raft().metrics();
        let metrics = metrics.borrow();
        *self.leader() = metrics.current_leader.map(NodeId::new);
        let term = Term(metrics.current_term);
        let mut leading = self.leading();
        if metrics.state != ServerState::Leader {
            if leading.take().is_some() {
                tracing::info!(term = term.0, "this node no longer leads the configuration group");
            }
        } else if leading.as_ref().map(Leader::term) != Some(term) {
            tracing::info!(term = term.0, "this node leads the configuration group");
            *leading = Some(Leader::elected(term, self.policy(), self.now()));
        }
    }

    /// One look at everything that a leader sees to.
    pub(super) fn lead(&self) {
        let known = self.known();
        let mut leading = self.leading();
        let Some(leader) = leading.as_mut() else { return };
        let proposer = Proposer::Leader(leader.term());
        if known.term == leader.term() {
            leader.grantor().applied_own_entry();
        }
        let changes = leader.ticked(&known.configuration, self.now(), self.clock.now());
        drop(leading);
        for change in changes {
            if let Change::Partition { partition, change, .. } = &change {
                tracing::info!(partition = partition.get(), ?change, "proposed");
            }
            self.submit(Proposal { proposer, change });
        }
    }

    /// Somebody asks whether it may serve.
    pub(super) fn grant(&self, nonce: Nonce, asking: Member) -> Option<Grant> {
        let known = self.known();
        let mut leading = self.leading();
        let leader = leading.as_mut()?;
        match leader.asked(nonce, asking, &known.configuration, known.index, self.now()) {
            Ok(grant) => Some(grant),
            Err(reason) => {
                tracing::debug!(%asking, %reason, "no lease is granted");
                None
            }
        }
    }

    /// Registers every life of a node that is connected and is not known yet.
    fn register(&self, term: Term) {
        let known = self.known();
        let connected = self.peers.connected();
        let others = self.peers.met().into_iter().map(|met| met.who).filter(|who| connected.contains(&who.member));
        for who in others.chain([self.peers.me().clone()]) {
            let nodes = known.configuration.nodes();
            if !nodes.is_registered(who.member) && !nodes.is_over(who.member) {
                tracing::info!(name = who.name.as_str(), member = %who.member, "a node is to be registered");
                let change = Change::Node(NodeChange::Register { node: registration(&who), instead_of: None });
                self.submit(Proposal { proposer: Proposer::Leader(term), change });
            }
        }
    }

    /// The first of all nodes begins the cluster, once it has met as many as there are to be and none of them has ever
    /// been part of one (R25).
    async fn begin(&self, group: &Group) {
        let me = self.peers.me();
        let mut all: Vec<Introduction> = self.peers.met().into_iter().map(|met| met.who).collect();
        all.push(me.clone());
        all.sort_by(|one, other| one.name.cmp(&other.name));
        let is_first = all.first().is_some_and(|first| first.member == me.member);
        if !is_first || all.len() < self.settings.size || !all.iter().all(|who| who.is_fresh) {
            return;
        }
        let names = all.iter().map(|who| (who.name.clone(), who.member.node.get())).collect();
        tracing::info!(nodes = all.len(), "all nodes are there, and this one begins the cluster");
        if let Err(error) = group.raft().initialize(voters(names)).await {
            tracing::warn!(%error, "the cluster cannot begin");
        }
    }
}

/// Shows again and again that a majority follows, for as long as this node leads.
pub(super) async fn confirm(cluster: Arc<Cluster>, group: Group) {
    loop {
        let term = cluster.leading().as_ref().map(Leader::term);
        let stands_down = cluster.leaving.stands_down();
        group.raft().runtime_config().heartbeat(!stands_down);
        if let Some(term) = term.filter(|_| !stands_down) {
            let begun = cluster.now();
            let confirmed = timeout(CONFIRM_TIME_MAX, group.raft().ensure_linearizable()).await;
            // The same node may lead again by now, in another term, and know nothing of what others have granted.
            if let Ok(Ok(Some(read))) = confirmed
                && Term(read.leader_id.term) == term
                && let Some(leader) = cluster.leading().as_mut().filter(|leader| leader.term() == term)
            {
                leader.grantor().confirmed_since(begun);
            }
        }
        sleep(CONFIRM_EVERY).await;
    }
}

/// Sees to who is registered and who votes.
pub(super) async fn keep_members(cluster: Arc<Cluster>, group: Group) {
    loop {
        sleep(MEMBERSHIP_EVERY).await;
        if !matches!(group.raft().is_initialized().await, Ok(true)) {
            cluster.begin(&group).await;
            continue;
        }
        let term = cluster.leading().as_ref().map(Leader::term);
        let Some(term) = term.filter(|_| !cluster.leaving.stands_down()) else { continue };
        cluster.register(term);
        let known = cluster.known();
        let registered = known.configuration.nodes().iter();
        let names: Vec<_> = registered.map(|node| (node.name.clone(), node.member.node.get())).collect();
        if let Some((name, newcomer)) = names.iter().find(|(_, node)| !known.members.contains(node)) {
            tracing::info!(name = name.as_str(), "a node is to listen to the group");
            if let Err(error) = group.raft().add_learner(*newcomer, (), false).await {
                tracing::debug!(%error, "it cannot listen yet");
            }
            continue;
        }
        let wished = voters(names);
        let now: BTreeSet<u128> = known.voters.iter().copied().collect();
        if !wished.is_empty() && wished != now {
            tracing::info!(voters = wished.len(), "others are to vote in the group");
            let change = ChangeMembers::ReplaceAllVoters(wished);
            if let Err(error) = group.raft().change_membership(change, true).await {
                tracing::debug!(%error, "they cannot vote yet");
            }
        }
    }
}

/// The lowest names: one of one node, both of two, three of three or four, and five of more (R23).
fn voters(mut names: Vec<(NodeName, u128)>) -> BTreeSet<u128> {
    names.sort();
    let count = match names.len() {
        3 | 4 => 3,
        few @ 0..3 => few,
        _ => 5,
    };
    names.into_iter().take(count).map(|(_, node)| node).collect()
}

fn registration(who: &Introduction) -> Node {
    Node {
        member: who.member,
        name: who.name.clone(),
        address: format!("{}:{}", who.host, who.peer_port).into(),
        zone: who.zone.as_deref().map(Into::into),
        weight: who.weight,
        state: NodeState::Active,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_names_vote() {
        let of = |count: u128| {
            let names = (0..count).rev().map(|number| (NodeName::new(format!("cart-{number}")), number)).collect();
            voters(names).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(of(0), [] as [u128; 0]);
        assert_eq!(of(1), [0]);
        assert_eq!(of(2), [0, 1]);
        assert_eq!(of(3), [0, 1, 2]);
        assert_eq!(of(4), [0, 1, 2]);
        assert_eq!(of(12), [0, 1, 2, 3, 4]);
    }
}
