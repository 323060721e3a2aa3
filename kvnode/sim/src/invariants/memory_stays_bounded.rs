//! I11: the store stays below its memory limit, and tombstones within twice theirs. Memory comes in blocks, and what has
//! to happen asks for none: a tombstone may need a block that its entry does not give back, and so may an entry that is
//! replaced by a smaller one. Each such step may pass the limit by as much, and nothing else may.

use kvnode_core::store::attributes::Tags;
use kvnode_core::store::outcome::Reply;

use super::{Invariant, View};
use crate::subject::{Accounts, Answer};

/// What one burial can take without asking: a block, the record of its kind of block, and a heap of tombstones that
/// doubles. No partition of a life has more than 128 in one namespace.
pub(super) const BURIAL_BYTES_MAX: u64 = BLOCK_BYTES + 64 + 128 * 4;
const BLOCK_BYTES: u64 = 4096;

/// Between two slots next in size there are no more bytes than this, so a content that grew by more got a larger slot.
const SLOT_STEP_MAX: usize = 1024 - 816;

/// An expiry that goes makes an entry smaller, and a tombstone has one.
const EXPIRY_BYTES: usize = 14;

#[derive(Debug)]
pub(super) struct MemoryStaysBounded;

/// Entries that ended by themselves or for others.
pub(super) fn burials_between(before: &Accounts, after: &Accounts) -> u64 {
    after.expired - before.expired + after.evicted - before.evicted
}

impl Invariant for MemoryStaysBounded {
    fn name(&self) -> &'static str {
        "memory stays bounded"
    }

    fn check(&mut self, view: &View<'_>) -> Result<(), String> {
        let (before, after) = (view.accounts_before, view.accounts);
        let burials = burials_between(&before, &after) + u64::from(moves_unasked(view));
        // A delete is done even if the answer to be kept needs more than there is.
        let answers = after.answers.saturating_sub(before.answers);
        let allowed = after.limit.max(before.used + burials * BURIAL_BYTES_MAX + answers);
        if after.used > allowed {
            return Err(format!(
                "{} bytes were used and {} are, {} are allowed, and {burials} times a block",
                before.used, after.used, after.limit
            ));
        }
        // However many steps there were: a key has begun one block at most, tombstone or not.
        let bound = after.limit + view.model.keys_seen() as u64 * BURIAL_BYTES_MAX + after.answer_limit;
        if after.used > bound {
            return Err(format!("{} bytes are used, at most {bound} can ever be", after.used));
        }
        // Over the limit, a partition may still grow up to its even share, and all shares together are one limit.
        let bound = 2 * after.tombstone_limit;
        if after.tombstones > bound {
            return Err(format!("tombstones take {} bytes, at most {bound} are allowed", after.tombstones));
        }
        if after.answers > after.answer_limit {
            return Err(format!("answers take {} bytes, {} are allowed", after.answers, after.answer_limit));
        }
        Ok(())
    }
}

/// Whether the step's own entry may have gone to a place that was not asked for.
fn moves_unasked(view: &View<'_>) -> bool {
    match view.done() {
        Some(Answer::Key(Ok(Reply::Deleted { .. }))) => true,
        Some(Answer::Key(Ok(Reply::Stored { entry, .. }))) => {
            let before = view.before.map(|known| known.content.bytes.len() + tag_bytes(&known.tags));
            let after = entry.value.content().len() + tag_bytes(&entry.tags);
            // A tombstone has no content.
            let before = before.or(view.past_tombstone.then_some(0));
            before.is_some_and(|before| after <= before + SLOT_STEP_MAX + EXPIRY_BYTES)
        }
        _ => false,
    }
}

fn tag_bytes(tags: &Tags) -> usize {
    tags.iter().map(|(name, value)| name.len() + value.len() + 4).sum()
}
