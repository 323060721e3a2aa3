//! What all nodes of a cluster agree on: who takes part, and who holds which partition (R3). It is small, changes when
//! roles do and never when keys do, and is kept by a consensus group: every voter applies the same changes in the same
//! order and comes to the same state, so nothing here looks at a clock or draws lots.
//!
//! A change says on what it is based. One that came too late, from somebody who may not make it, or that would install
//! a process that is not registered, is refused and changes nothing.

mod nodes;
mod partition;
mod rejection;

use serde::{Deserialize, Serialize};

use super::member::{Member, NodeId};
use super::placement::Placement;
use super::safeguard::Safeguard;
use crate::store::slot::{PARTITIONS, PartitionNumber, one_for_each_partition};

pub use nodes::{Node, NodeChange, NodeState, Nodes};
pub use partition::{Epoch, PartitionChange, PartitionConfiguration, Role};
pub use rejection::Rejection;

/// Of a leader: no two leaders have one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Term(pub u64);

/// Who asks for a change. The shell has made sure that it is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proposer {
    /// The leader of this term. Its change is good in the same term only: a later leader may know better.
    Leader(Term),
    Member(Member),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    Node(NodeChange),
    /// Where the partition's data are to be. Nothing moves by it alone.
    Place(Placement),
    Partition {
        partition: PartitionNumber,
        /// Of the state that the proposer has seen.
        number: u64,
        change: PartitionChange,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    nodes: Nodes,
    #[serde(deserialize_with = "one_for_each_partition")]
    partitions: Vec<PartitionConfiguration>,
    placement: Placement,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            nodes: Nodes::default(),
            partitions: vec![PartitionConfiguration::default(); PARTITIONS],
            placement: Placement::empty(),
        }
    }
}

impl Configuration {
    pub fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    pub fn partition(&self, number: PartitionNumber) -> &PartitionConfiguration {
        &self.partitions[number.index()]
    }

    pub fn partitions(&self) -> impl Iterator<Item = (PartitionNumber, &PartitionConfiguration)> {
        (0..=u8::MAX).map(PartitionNumber::new).zip(&self.partitions)
    }

    pub fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Applies the change that stands in the group's log, where a leader of this term put it.
    pub fn apply(&mut self, proposer: Proposer, term: Term, change: &Change) -> Result<(), Rejection> {
        if let Proposer::Leader(of) = proposer
            && of != term
            && Safeguard::TermOfChange.holds()
        {
            return Err(Rejection::OtherTerm { of, now: term });
        }
        match change {
            Change::Node(change) => {
                only_leader(proposer)?;
                if let NodeChange::Remove(node) = change {
                    self.holds_nothing(*node)?;
                }
                self.nodes.apply(change)
            }
            Change::Place(placement) => {
                only_leader(proposer)?;
                self.placement = placement.clone();
                Ok(())
            }
            Change::Partition { partition, number, change } => {
                let changed = self.partitions[partition.index()].changed(*number, proposer, change, &self.nodes)?;
                self.partitions[partition.index()] = changed;
                Ok(())
            }
        }
    }

    /// A node is not forgotten while a partition relies on it.
    fn holds_nothing(&self, node: NodeId) -> Result<(), Rejection> {
        match self.partitions().find(|(_, partition)| partition.names(node)) {
            Some((partition, _)) => Err(Rejection::StillHolds { node, partition }),
            None => Ok(()),
        }
    }
}

fn only_leader(proposer: Proposer) -> Result<(), Rejection> {
    match proposer {
        Proposer::Leader(_) => Ok(()),
        Proposer::Member(_) => Err(Rejection::NotAllowed),
    }
}

#[cfg(test)]
mod tests;
