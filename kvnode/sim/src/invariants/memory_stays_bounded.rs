//! I11: the store stays below its memory limit, and tombstones within twice theirs.

use super::{Invariant, View};

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
        // Over the limit, a partition may still grow up to its even share, and all shares together are one limit.
        let bound = 2 * accounts.tombstone_limit;
        if accounts.tombstones > bound {
            return Err(format!("tombstones take {} bytes, at most {bound} are allowed", accounts.tombstones));
        }
        Ok(())
    }
}
