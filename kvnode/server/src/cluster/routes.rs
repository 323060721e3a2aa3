//! Who answers for a key, as clients are told.

use kvnode_core::store::slot::PartitionNumber;

use super::Cluster;
use super::wire::Introduction;

/// Where a partition is answered for, by the newest that is known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Here,
    There(Introduction),
    /// It has no primary, or one that was never met.
    Nowhere,
}

impl Cluster {
    pub(crate) fn route(&self, partition: PartitionNumber) -> Route {
        let known = self.known.load();
        match known.configuration.partition(partition).primary() {
            Some(primary) if primary == self.me => Route::Here,
            Some(primary) => self.peers.introduction(primary.node).map_or(Route::Nowhere, Route::There),
            None => Route::Nowhere,
        }
    }
}
