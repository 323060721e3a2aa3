//! Which nodes hold a partition (R1). The answer is made from the one before: nodes have bounded shares by their weights,
//! and only what a share demands is moved, chosen by a hash of node and partition, so that a node that comes or goes moves
//! its own share and nothing else. Copies of a partition are spread over zones as far as the shares allow it.
//!
//! Whoever decides stores the result; nobody else needs to come to the same.

mod level;
mod primaries;
mod shares;
mod zones;

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;
use serde::{Deserialize, Serialize};

use super::member::NodeId;
use crate::store::slot::{PARTITIONS, one_for_each_partition};

/// A node that may hold copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub node: NodeId,
    /// Of twice the weight, twice the share. Zero: it holds nothing.
    pub weight: u32,
    pub zone: Option<Box<str>>,
}

/// For each partition the nodes that are to hold it, the one that is to be primary first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement(#[serde(deserialize_with = "one_for_each_partition")] Vec<Vec<NodeId>>);

impl Placement {
    /// Nobody holds anything.
    pub fn empty() -> Self {
        Self(vec![Vec::new(); PARTITIONS])
    }

    pub fn of(&self, partition: usize) -> &[NodeId] {
        &self.0[partition]
    }

    pub fn iter(&self) -> impl Iterator<Item = &[NodeId]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// The same for these nodes, each of them once, with so many copies of each partition, or as many as there are
    /// nodes.
    #[must_use]
    pub fn onto(&self, candidates: &[Candidate], copies: usize) -> Self {
        let mut candidates: Vec<Candidate> =
            candidates.iter().filter(|candidate| candidate.weight > 0).cloned().collect();
        // In whatever order they are named.
        candidates.sort_by_key(|candidate| candidate.node);
        let copies = copies.min(candidates.len());
        let mut plan = Plan::keeping(self, &candidates, copies);
        plan.fill();
        plan.level();
        plan.spread();
        plan.elect();
        plan.into_placement()
    }
}

/// A placement in the making. Nodes are their places in the list of candidates.
struct Plan<'c> {
    candidates: &'c [Candidate],
    /// Of each partition.
    copies: usize,
    holders: Vec<Vec<Holder>>,
    /// How many copies each node may have.
    shares: Vec<usize>,
    loads: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holder {
    node: usize,
    /// It has the data already.
    present: bool,
}

impl<'c> Plan<'c> {
    fn keeping(before: &Placement, candidates: &'c [Candidate], copies: usize) -> Self {
        let holders: Vec<Vec<Holder>> = before
            .iter()
            .map(|nodes| {
                let kept = nodes.iter().filter_map(|node| candidates.binary_search_by_key(node, |one| one.node).ok());
                kept.map(|node| Holder { node, present: true }).take(copies).collect()
            })
            .collect();
        let mut loads = vec![0; candidates.len()];
        for holder in holders.iter().flatten() {
            loads[holder.node] += 1;
        }
        let weights: Vec<u32> = candidates.iter().map(|candidate| candidate.weight).collect();
        let shares = shares::shares(&weights, copies * PARTITIONS, &loads);
        Self { candidates, copies, holders, shares, loads }
    }

    /// Gives every partition as many holders as it is to have: nodes with room, or any where all of those have it.
    fn fill(&mut self) {
        for partition in 0..PARTITIONS {
            while self.holders[partition].len() < self.copies {
                let lacking = (0..self.candidates.len()).filter(|&node| !self.holds(partition, node));
                let node =
                    lacking.max_by_key(|&node| self.wish(partition, node)).expect("there are more nodes than holders");
                self.give(partition, node);
            }
        }
    }

    /// How good it would be if this node got this partition.
    fn wish(&self, partition: usize, node: usize) -> (bool, bool, u64) {
        (self.has_room(node), !self.is_crowded(partition, node), self.suits(partition, node))
    }

    fn has_room(&self, node: usize) -> bool {
        self.loads[node] < self.shares[node]
    }

    fn give(&mut self, partition: usize, node: usize) {
        self.holders[partition].push(Holder { node, present: false });
        self.loads[node] += 1;
    }

    fn holds(&self, partition: usize, node: usize) -> bool {
        self.holders[partition].iter().any(|holder| holder.node == node)
    }

    /// Whether another holder is in this node's zone. Nodes of no zone are nobody's neighbours.
    fn is_crowded(&self, partition: usize, node: usize) -> bool {
        let zone = &self.candidates[node].zone;
        let mut others = self.holders[partition].iter().filter(|holder| holder.node != node);
        zone.is_some() && others.any(|holder| self.candidates[holder.node].zone == *zone)
    }

    /// Rendezvous: for each partition another order of the nodes, which does not change with the others.
    fn suits(&self, partition: usize, node: usize) -> u64 {
        let mut hasher = FixedState::with_seed(partition as u64).build_hasher();
        hasher.write_u128(self.candidates[node].node.get());
        hasher.finish()
    }

    fn into_placement(self) -> Placement {
        let named = |holders: Vec<Holder>| holders.iter().map(|holder| self.candidates[holder.node].node).collect();
        Placement(self.holders.into_iter().map(named).collect())
    }
}

#[cfg(test)]
mod tests;
