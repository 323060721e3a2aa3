//! What a partition says about a namespace as a whole: only the namespace's own entries are looked at.

use super::Partition;
use crate::store::cursor::Cursor;
use crate::store::entry::EntryRef;
use crate::store::key::Namespace;
use crate::time::UnixMillis;

impl Partition {
    /// Live keys, without those that have expired and await the sweep.
    pub fn count(&mut self, namespace: Namespace, now: UnixMillis) -> u64 {
        self.advance(now);
        self.keyspace(namespace).map_or(0, |keyspace| keyspace.live_at(self.clock.get()))
    }

    /// Live keys that will expire.
    pub fn count_expiring(&mut self, namespace: Namespace, now: UnixMillis) -> u64 {
        self.advance(now);
        self.keyspace(namespace).map_or(0, |keyspace| keyspace.expiring_at(self.clock.get()))
    }

    /// Live keys of all users' namespaces.
    pub fn count_users(&mut self, now: UnixMillis) -> u64 {
        self.advance(now);
        let others = self.others.iter().filter(|(namespace, _)| **namespace != Namespace::System);
        let others = others.map(|(_, keyspace)| keyspace.as_ref());
        others.chain([&self.shared]).map(|keyspace| keyspace.live_at(self.clock.get())).sum()
    }

    /// Every live entry of a namespace once, in no order.
    pub fn entries(&mut self, namespace: Namespace, now: UnixMillis) -> impl Iterator<Item = EntryRef<'_>> {
        self.advance(now);
        let clock = self.clock.get();
        self.keyspace(namespace).into_iter().flat_map(move |keyspace| keyspace.iter_at(clock))
    }

    /// The place of an entry of this partition in the order of lists.
    pub fn cursor_of(&self, entry: EntryRef<'_>) -> Cursor {
        Cursor::within(self.number, entry.key_bytes())
    }
}
