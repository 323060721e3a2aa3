//! No account ever has more keys or bytes than its quota. This adds up what was stored, and does not ask the core.

use kvnode_core::store::key::Namespace;
use kvnode_core::store::outcome::Reply;
use kvnode_core::store::usage::Quota;

use super::{Invariant, View};
use crate::subject::Answer;
use crate::trace::namespace_words;

#[derive(Debug)]
pub(super) struct QuotasAreKept {
    quota: Quota,
}

impl QuotasAreKept {
    pub(super) fn new(quota: Quota) -> Self {
        Self { quota }
    }
}

impl Invariant for QuotasAreKept {
    fn name(&self) -> &'static str {
        "quotas are kept"
    }

    fn check(&mut self, view: &View<'_>) -> Result<(), String> {
        let Some(Answer::Key(Ok(Reply::Stored { entry, .. }))) = view.done() else { return Ok(()) };
        let namespace @ Namespace::Account(_) = entry.address.namespace else { return Ok(()) };
        let used = view.model.used(namespace);
        if used.keys > self.quota.keys_max || used.bytes > self.quota.bytes_max {
            let namespace = namespace_words(namespace);
            return Err(format!("{namespace} has {used:?} of {:?} after a write", self.quota));
        }
        Ok(())
    }
}
