//! Who is registered: one life of each node.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Rejection;
use crate::cluster::member::{Member, NodeId, NodeName};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub member: Member,
    pub name: NodeName,
    /// Where others reach it: host and port, as it says itself.
    pub address: Box<str>,
    pub zone: Option<Box<str>>,
    /// Of twice the weight, twice the share of the data.
    pub weight: u32,
    pub state: NodeState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeState {
    Active,
    /// Its data are moved to others, then it goes for good.
    Leaving,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeChange {
    /// A process has begun. It takes the place of an earlier life of its node.
    Register {
        node: Node,
        /// The node that had this name before, if another has: the leader has made sure that it is over.
        instead_of: Option<NodeId>,
    },
    Leave(NodeId),
    /// It stays after all.
    Stay(NodeId),
    /// Its id is never accepted again: whatever comes with it is a process that nobody waits for.
    Remove(NodeId),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nodes {
    registered: BTreeMap<NodeId, Node>,
    /// Sixteen bytes for each node that ever left.
    retired: BTreeSet<NodeId>,
}

#[cfg(test)]
impl Node {
    /// Of which nothing matters but who it is.
    pub(crate) fn plain(member: Member) -> Self {
        Self {
            member,
            name: NodeName::new(format!("n-{}", member.node.get())),
            address: "10.0.0.1:7000".into(),
            zone: None,
            weight: 1,
            state: NodeState::Active,
        }
    }
}

impl Nodes {
    pub fn get(&self, node: NodeId) -> Option<&Node> {
        self.registered.get(&node)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Node> {
        self.registered.values()
    }

    /// Whether this life of the node is the one that counts.
    pub fn is_registered(&self, member: Member) -> bool {
        self.get(member.node).is_some_and(|node| node.member == member)
    }

    /// Whether it is known that this life is over: a later one is registered, or the node is gone for good.
    pub fn is_over(&self, member: Member) -> bool {
        self.retired.contains(&member.node) || self.get(member.node).is_some_and(|node| node.member > member)
    }

    /// The group's size: those that are to stay, dead or alive.
    pub fn count(&self) -> usize {
        self.iter().filter(|node| node.state == NodeState::Active).count()
    }

    pub(super) fn apply(&mut self, change: &NodeChange) -> Result<(), Rejection> {
        match change {
            NodeChange::Register { node, instead_of } => self.register(node, *instead_of),
            NodeChange::Leave(node) => self.known(*node).map(|node| node.state = NodeState::Leaving),
            NodeChange::Stay(node) => self.known(*node).map(|node| node.state = NodeState::Active),
            NodeChange::Remove(node) => {
                if self.known(*node)?.state != NodeState::Leaving {
                    return Err(Rejection::NotLeaving(*node));
                }
                self.retire(*node);
                Ok(())
            }
        }
    }

    fn register(&mut self, node: &Node, instead_of: Option<NodeId>) -> Result<(), Rejection> {
        let id = node.member.node;
        if self.retired.contains(&id) {
            return Err(Rejection::Retired(id));
        }
        if let Some(known) = self.get(id)
            && known.member >= node.member
            // The same process may have got another address.
            && (known.member != node.member || known.name != node.name)
        {
            return Err(Rejection::NotNewer { known: known.member, offered: node.member });
        }
        let same_name = self.iter().find(|other| other.name == node.name && other.member.node != id);
        match same_name.map(|other| other.member.node) {
            Some(other) if instead_of != Some(other) => {
                return Err(Rejection::NameTaken { name: node.name.clone(), node: other });
            }
            // Partitions may still name it; they learn by this that it is over.
            Some(other) => self.retire(other),
            None => {}
        }
        self.registered.insert(id, node.clone());
        Ok(())
    }

    fn retire(&mut self, node: NodeId) {
        self.registered.remove(&node);
        self.retired.insert(node);
    }

    fn known(&mut self, node: NodeId) -> Result<&mut Node, Rejection> {
        self.registered.get_mut(&node).ok_or(Rejection::UnknownNode(node))
    }
}
