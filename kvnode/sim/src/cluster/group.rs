//! The configuration group as what consensus gives to those who use it, and nothing more: entries in one order, decided
//! by a majority, in terms of which each has one leader. Who was leader does not know that it no longer is, until
//! somebody tells it.

use std::collections::BTreeSet;

use kvnode_core::cluster::configuration::{Change, Proposer, Term};
use kvnode_core::cluster::member::NodeId;

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) term: Term,
    pub(super) proposer: Proposer,
    /// None: the first of a new leader, which changes nothing.
    pub(super) change: Option<Change>,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) voters: BTreeSet<NodeId>,
    pub(super) term: Term,
    pub(super) leader: Option<NodeId>,
    pub(super) decided: Vec<Entry>,
    /// Since when the leader has not been able to lead.
    pub(super) headless_since: Option<u64>,
}

impl Group {
    pub(super) fn new(voters: BTreeSet<NodeId>) -> Self {
        Self { voters, term: Term(0), leader: None, decided: Vec::new(), headless_since: Some(0) }
    }

    pub(super) fn is_majority(&self, nodes: usize) -> bool {
        2 * nodes > self.voters.len()
    }

    /// A new term. Who voted has seen to it that no earlier leader is confirmed any more.
    pub(super) fn elect(&mut self, leader: NodeId) -> Term {
        self.term = Term(self.term.0 + 1);
        self.leader = Some(leader);
        self.headless_since = None;
        self.term
    }
}
