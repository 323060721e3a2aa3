//! What moves so that every node has its share.

use std::collections::VecDeque;

use super::Plan;
use crate::store::slot::PARTITIONS;

/// A copy that goes to another node.
#[derive(Clone, Copy, Debug)]
struct Step {
    partition: usize,
    from: usize,
    to: usize,
}

impl Plan<'_> {
    /// Brings every node to its share, from hand to hand if need be: with few nodes, whoever has room may hold all that
    /// whoever has too much does.
    pub(super) fn level(&mut self) {
        for node in 0..self.candidates.len() {
            while self.loads[node] > self.shares[node] {
                let steps = self.steps_from(node);
                for Step { partition, from, to } in steps {
                    self.holders[partition].retain(|holder| holder.node != from);
                    self.loads[from] -= 1;
                    self.give(partition, to);
                }
            }
        }
    }

    /// The shortest way for a copy's worth of load to a node with room. There is one: what whoever has room holds of all
    /// others' is less than its share.
    fn steps_from(&self, from: usize) -> Vec<Step> {
        let mut reached: Vec<Option<Step>> = vec![None; self.candidates.len()];
        let mut open = VecDeque::from([from]);
        while let Some(node) = open.pop_front() {
            let fresh = (0..self.candidates.len()).filter(|&to| to != from && reached[to].is_none());
            // Of those with room the one that gets the most suitable partition.
            let steps: Vec<Step> = fresh.filter_map(|to| self.best_step(node, to)).collect();
            let with_room = steps.iter().filter(|step| self.has_room(step.to));
            if let Some(&last) = with_room.max_by_key(|step| self.suits(step.partition, step.to)) {
                let mut steps = vec![last];
                while steps[0].from != from {
                    steps.insert(0, reached[steps[0].from].expect("the search came this way"));
                }
                return steps;
            }
            for step in steps {
                reached[step.to] = Some(step);
                open.push_back(step.to);
            }
        }
        unreachable!("shares add up to all copies, and none is above the number of partitions")
    }

    /// What a node could give another: rather what it has not fetched yet, then what has a neighbour in its zone, then
    /// what suits the other.
    fn best_step(&self, from: usize, to: usize) -> Option<Step> {
        let held = |partition: &usize| self.holders[*partition].iter().find(|holder| holder.node == from).copied();
        let movable = (0..PARTITIONS).filter(|&partition| !self.holds(partition, to));
        let movable = movable.filter_map(|partition| Some((partition, held(&partition)?)));
        let best = movable.max_by_key(|&(partition, holder)| {
            let leaves_a_neighbour = self.is_crowded(partition, from) && !self.is_crowded(partition, to);
            (!holder.present, leaves_a_neighbour, self.suits(partition, to))
        });
        best.map(|(partition, _)| Step { partition, from, to })
    }
}
