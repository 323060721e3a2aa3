//! Copies of one partition in different zones, where that costs nothing.

use super::{Holder, Plan};
use crate::store::slot::PARTITIONS;

/// A holder of a partition, by its place.
type Place = (usize, usize);

impl Plan<'_> {
    /// Exchanges new copies of two partitions where that leaves fewer of them beside another in their zone. What is
    /// present stays: a zone's failure is rare, and moving data is not free.
    pub(super) fn spread(&mut self) {
        for partition in 0..PARTITIONS {
            for index in 0..self.holders[partition].len() {
                let place = (partition, index);
                if !self.node_at(place).present && self.is_crowded(partition, self.node_at(place).node) {
                    self.exchange(place);
                }
            }
        }
    }

    fn exchange(&mut self, place: Place) {
        let others = (0..PARTITIONS).flat_map(|other| (0..self.copies).map(move |index| (other, index)));
        let better = others.filter(|&other| other.0 != place.0).find(|&other| self.is_better(place, other));
        if let Some(other) = better {
            let (one, another) = (self.node_at(place), self.node_at(other));
            self.holders[place.0][place.1] = another;
            self.holders[other.0][other.1] = one;
        }
    }

    /// Whether both could hold the other's partition, and neither would have a neighbour there.
    fn is_better(&self, one: Place, other: Place) -> bool {
        let (here, there) = (self.node_at(one), self.node_at(other));
        !there.present
            && !self.holds(one.0, there.node)
            && !self.holds(other.0, here.node)
            && !self.would_be_crowded(one, there.node)
            && !self.would_be_crowded(other, here.node)
    }

    fn would_be_crowded(&self, (partition, index): Place, node: usize) -> bool {
        let zone = &self.candidates[node].zone;
        let mut others = self.holders[partition].iter().enumerate().filter(|(other, _)| *other != index);
        zone.is_some() && others.any(|(_, holder)| self.candidates[holder.node].zone == *zone)
    }

    fn node_at(&self, (partition, index): Place) -> Holder {
        self.holders[partition][index]
    }
}
