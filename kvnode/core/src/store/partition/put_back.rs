//! Putting back what a dump holds. To do it twice is the same as to do it once, and what was written since the dump was
//! taken stays.

use super::execute::{At, Done};
use super::{Partition, seconds};
use crate::store::Eviction;
use crate::store::dumped::Dumped;
use crate::store::entry::{Draft, Due, EntryRef, LAST_MOMENT};
use crate::store::ledger::Ledger;
use crate::store::outcome::Refusal;

impl Partition {
    /// A key that is absent gets its entry back whatever its tombstone says, because deletes by mistake are what dumps are
    /// for; only the version is above the tombstone's, or a client would meet with one that it knows for another content.
    pub(super) fn put_back(&mut self, at: At<'_>, dumped: &Dumped<'_>, ledger: &Ledger) -> Result<Done, Refusal> {
        let namespace = at.address.namespace;
        let present = at.found.map(|handle| self.existing(namespace).view(handle));
        let due = dumped.expiry.map(|expiry| Due { at: expiry.at.min(LAST_MOMENT), ttl: expiry.ttl_seconds.get() });
        let over = due.is_some_and(|due| due.at <= self.clock);
        if over || present.is_some_and(|present| is_as_new(present, dumped)) {
            return Ok(at.found.map_or(Done::Absent, Done::Found));
        }
        let created = present.is_none();
        let draft = Draft {
            key: at.address.key.as_str(),
            kind: dumped.value.kind(),
            content: dumped.value.content(),
            tags: dumped.tags.packed(),
            version: dumped.version(),
            created: seconds(dumped.created_at),
            updated: seconds(dumped.updated_at),
            due,
            used: (self.eviction == Eviction::AllKeysLru).then(|| seconds(self.clock)),
            tombstone: false,
        };
        let handle = self.put(at, draft, 0, ledger)?;
        self.record_entry(namespace, handle, None);
        Ok(Done::Stored { handle, created, previous: None })
    }
}

/// Versions tell which of two is newer, as long as they are of one history. Where a key began anew after a loss, its
/// versions are low again, and the time of the last write tells.
fn is_as_new(present: EntryRef<'_>, dumped: &Dumped<'_>) -> bool {
    present.version() >= dumped.version() || present.updated() > seconds(dumped.updated_at)
}
