//! Which holder of a partition is to be its primary: the one that is, unless its node has more primaries than its share.

use std::collections::VecDeque;

use super::{Plan, shares};
use crate::store::slot::PARTITIONS;

impl Plan<'_> {
    /// Primaryships go from nodes that have too many to nodes that have too few, from hand to hand where no partition
    /// has both of them: each step is a hand-over, and moves no data.
    pub(super) fn elect(&mut self) {
        if self.copies == 0 {
            return;
        }
        let mut primaries = vec![0; self.candidates.len()];
        for holders in &self.holders {
            primaries[holders[0].node] += 1;
        }
        let weights: Vec<u32> = self.candidates.iter().map(|candidate| candidate.weight).collect();
        let shares = shares::shares(&weights, PARTITIONS, &primaries);
        for node in 0..self.candidates.len() {
            while primaries[node] > shares[node]
                && let Some(chain) = self.chain(node, |other| primaries[other] < shares[other])
            {
                let last = chain.last().map_or(node, |&(partition, index)| self.holders[partition][index].node);
                for (partition, index) in chain {
                    self.holders[partition].swap(0, index);
                }
                primaries[node] -= 1;
                primaries[last] += 1;
            }
        }
    }

    /// The shortest chain of hand-overs from a node to one that lacks a primaryship: partitions, and which of their
    /// holders takes over.
    fn chain(&self, from: usize, lacks: impl Fn(usize) -> bool) -> Option<Vec<(usize, usize)>> {
        // By which hand-over a node is reached.
        let mut reached: Vec<Option<(usize, usize)>> = vec![None; self.candidates.len()];
        let mut open = VecDeque::from([from]);
        while let Some(node) = open.pop_front() {
            for (partition, holders) in self.holders.iter().enumerate().filter(|(_, holders)| holders[0].node == node) {
                for (index, holder) in holders.iter().enumerate().skip(1) {
                    if holder.node == from || reached[holder.node].is_some() {
                        continue;
                    }
                    reached[holder.node] = Some((partition, index));
                    if lacks(holder.node) {
                        return Some(self.way_back(from, holder.node, &reached));
                    }
                    open.push_back(holder.node);
                }
            }
        }
        None
    }

    fn way_back(&self, from: usize, to: usize, reached: &[Option<(usize, usize)>]) -> Vec<(usize, usize)> {
        let mut chain = Vec::new();
        let mut node = to;
        while node != from {
            let (partition, index) = reached[node].expect("the search came this way");
            chain.push((partition, index));
            node = self.holders[partition][0].node;
        }
        chain.reverse();
        chain
    }
}
