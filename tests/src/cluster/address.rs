//! The addresses of a cluster. Nodes and pods share one flat range, so that all of them stand on one layer-2 network
//! and multicast reaches every pod; Services have a range of their own. Each cluster has its own pair of ranges.

use std::net::Ipv4Addr;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

/// So many fit into one flat range with 240 pods each, and more do not fit into one machine.
pub(super) const NODES_MAX: usize = 9;

/// Clusters side by side on one machine.
pub(super) const RANGES_MAX: u8 = 32;

/// The ranges of one cluster, by its number on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range(pub(super) u8);

impl Range {
    /// The first one that no other cluster has.
    pub(super) fn free(taken: &[Self]) -> Result<Self> {
        match (0..RANGES_MAX).map(Self).find(|range| !taken.contains(range)) {
            Some(range) => Ok(range),
            None => bail!("{RANGES_MAX} clusters are up: take one down first (`testbed status` lists them)"),
        }
    }

    /// Nodes and pods, a /16.
    pub fn flat(self) -> String {
        format!("{}/16", Ipv4Addr::new(10, 64 + self.0, 0, 0))
    }

    pub fn control_plane(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 64 + self.0, 0, 1)
    }

    /// Nodes are numbered from 1.
    pub fn node(self, number: usize) -> Ipv4Addr {
        Ipv4Addr::new(10, 64 + self.0, 0, 10 + byte(number))
    }

    /// First and last address of a node's pods.
    pub fn pods(self, number: usize) -> (Ipv4Addr, Ipv4Addr) {
        let address = |last| Ipv4Addr::new(10, 64 + self.0, byte(number), last);
        (address(10), address(250))
    }

    /// Services, a /16.
    pub fn services(self) -> (Ipv4Addr, u8) {
        (Ipv4Addr::new(10, 128 + self.0, 0, 0), 16)
    }

    /// The Service of the cluster's DNS.
    pub fn dns(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 128 + self.0, 0, 10)
    }
}

fn byte(number: usize) -> u8 {
    debug_assert!((1..=NODES_MAX).contains(&number), "a node is numbered 1 to {NODES_MAX}");
    u8::try_from(number).expect("a node's number is small")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_side_by_side_have_ranges_of_their_own() {
        let first = Range::free(&[]).unwrap();
        let second = Range::free(&[first]).unwrap();
        assert_ne!(first.flat(), second.flat());
        assert_ne!(first.services(), second.services());
        let all: Vec<Range> = (0..RANGES_MAX).map(Range).collect();
        assert!(Range::free(&all).is_err());
    }

    #[test]
    fn pods_and_nodes_lie_in_the_flat_range_and_apart() {
        let range = Range(3);
        assert_eq!(range.flat(), "10.67.0.0/16");
        assert_eq!(range.node(2).octets()[..3], [10, 67, 0]);
        assert_eq!(range.pods(2).0.octets(), [10, 67, 2, 10]);
    }
}
