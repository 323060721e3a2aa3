//! R8, I17: a copy made of a snapshot and of records is the node itself: each key with its version, expiry, tags and
//! times, each tombstone, each floor, and each kept answer exactly where its write is.

use super::{Invariant, View};

#[derive(Debug)]
pub(super) struct RecordsRebuildTheState;

impl Invariant for RecordsRebuildTheState {
    fn name(&self) -> &'static str {
        "records rebuild the state"
    }

    fn check(&mut self, view: &View<'_>) -> Result<(), String> {
        view.copied.clone()
    }
}
