//! I11: the store stays below its memory limit, and tombstones within their share and one more for each partition.

use kvnode_core::store::slot::PARTITIONS;

use super::{Invariant, View};

/// More than the largest tombstone takes: a key of 256 bytes and some 150 bytes around it.
const TOMBSTONE_BYTES_MAX: u64 = 512;

#[derive(Debug)]
pub(super) struct MemoryStaysBounded;

impl Invariant for MemoryStaysBounded {
    fn name(&self) -> &'static str {
        "memory stays bounded"
    }

    fn check(&mut self, view: &View<'_>) -> Result<(), String> {
        let accounts = view.accounts;
        if accounts.used > accounts.limit {
            return Err(format!("{} bytes are used, {} are allowed", accounts.used, accounts.limit));
        }
        // Over the limit, a partition still keeps its even share, so all together have at most twice the limit.
        let bound = 2 * accounts.tombstone_limit + PARTITIONS as u64 * TOMBSTONE_BYTES_MAX;
        if accounts.tombstones > bound {
            return Err(format!("tombstones take {} bytes, at most {bound} are allowed", accounts.tombstones));
        }
        Ok(())
    }
}
