//! A partition from records: what they say is done, whatever the conditions, limits and quotas are, because it was done
//! before. Nothing of it is recorded again.

use super::{Partition, forget, seconds};
use crate::store::Eviction;
use crate::store::answers::Answer;
use crate::store::attributes::Version;
use crate::store::entry::{Draft, EntryRef};
use crate::store::key::Namespace;
use crate::store::keyspace::{Keyspace, hash_of};
use crate::store::ledger::Ledger;
use crate::store::record::{Event, Record, RecordError};
use crate::store::slot::PartitionNumber;
use crate::time::UnixMillis;

impl Partition {
    /// Records must come in the order in which they were made. Memory is counted, and may be more than its limit: then
    /// nothing can be written until something is deleted or evicted.
    pub fn restore(&mut self, record: &Record<'_>, ledger: &Ledger) -> Result<(), RecordError> {
        let key = match record.event {
            Event::Holds(entry) | Event::Answered(Some(entry)) => Some(entry.key()),
            Event::Forgotten { key, .. } => Some(key),
            Event::Flushed { .. } | Event::Floor(_) | Event::Answered(None) => None,
        };
        if key.is_some_and(|key| PartitionNumber::of(key.as_bytes()) != self.number) {
            return Err(RecordError::OtherPartition);
        }
        self.advance(record.clock);
        let namespace = record.namespace;
        let entry = match record.event {
            Event::Holds(entry) => {
                self.restore_entry(namespace, entry, ledger);
                Some(entry)
            }
            Event::Answered(entry) => entry,
            Event::Forgotten { key, floor } => {
                self.restore_forgotten(namespace, key, ledger);
                self.raise_floor(namespace, floor, ledger);
                None
            }
            Event::Flushed { floor } => {
                self.restore_flushed(namespace, ledger);
                self.raise_floor(namespace, floor, ledger);
                None
            }
            Event::Floor(floor) => {
                self.raise_floor(namespace, floor, ledger);
                None
            }
        };
        if let Some(answer) = record.answer {
            self.restore_answer(answer, record.clock, entry, ledger);
        }
        Ok(())
    }

    /// Holds nothing afterwards, and knows of nothing that it held: what comes next is another's.
    pub fn empty(&mut self, ledger: &Ledger) {
        let namespaces: Vec<Namespace> = self.others.keys().copied().chain([Namespace::Shared]).collect();
        for namespace in namespaces {
            self.restore_flushed(namespace, ledger);
        }
        ledger.settle(self.others.len() as u64 * Self::OTHER_BYTES, 0);
        self.others.clear();
        self.shared.floor = Version::ABSENT;
        let answers = std::mem::take(&mut self.answers);
        ledger.settle_answers(answers.held(), self.answers.held());
        self.clock = UnixMillis::default();
    }

    fn restore_entry(&mut self, namespace: Namespace, entry: EntryRef<'_>, ledger: &Ledger) {
        let hash = hash_of(&self.seed, entry.key_bytes());
        let keeps_use = self.eviction == Eviction::AllKeysLru && !entry.is_tombstone();
        let used = keeps_use.then(|| entry.used().unwrap_or(seconds(self.clock)));
        let keyspace = self.born(namespace, ledger);
        let (held, tombstones) = (keyspace.held(), keyspace.tombstone_bytes());
        let found = keyspace.find(hash, entry.key_bytes());
        let before = keyspace.used_by(found);
        let handle = keyspace.put(hash, found, &Draft { used, ..Draft::copy_of(entry) });
        if let Some(usage) = &keyspace.usage {
            usage.replace(before, keyspace.used_by(Some(handle)));
        }
        ledger.settle(held, keyspace.held());
        ledger.settle_tombstones(tombstones, keyspace.tombstone_bytes());
    }

    /// What a snapshot has not shown any more may be recorded as forgotten all the same.
    fn restore_forgotten(&mut self, namespace: Namespace, key: &str, ledger: &Ledger) {
        let hash = hash_of(&self.seed, key.as_bytes());
        let Some(keyspace) = self.keyspace_mut(namespace) else { return };
        let found = keyspace.find(hash, key.as_bytes());
        if let Some(tombstone) = found.filter(|&handle| keyspace.view(handle).is_tombstone()) {
            forget(keyspace, tombstone, ledger);
        }
    }

    fn restore_flushed(&mut self, namespace: Namespace, ledger: &Ledger) {
        let Some(keyspace) = self.keyspace_mut(namespace) else { return };
        let (held, tombstones) = (keyspace.held(), keyspace.tombstone_bytes());
        keyspace.clear();
        ledger.settle(held, keyspace.held());
        ledger.settle_tombstones(tombstones, 0);
    }

    fn restore_answer(&mut self, answer: Answer, given_at: UnixMillis, entry: Option<EntryRef<'_>>, ledger: &Ledger) {
        let held = self.answers.held();
        self.answers.keep(answer, given_at, entry.filter(|_| answer.kind.has_entry()));
        ledger.settle_answers(held, self.answers.held());
    }

    fn raise_floor(&mut self, namespace: Namespace, floor: Version, ledger: &Ledger) {
        if floor > Version::ABSENT {
            let keyspace = self.born(namespace, ledger);
            keyspace.floor = keyspace.floor.max(floor);
        }
    }

    fn born(&mut self, namespace: Namespace, ledger: &Ledger) -> &mut Keyspace {
        if self.keyspace(namespace).is_none() {
            let unborn = self.unborn(namespace, ledger);
            self.others.insert(namespace, Box::new(unborn));
            ledger.settle(0, Self::OTHER_BYTES);
        }
        self.existing_mut(namespace)
    }
}
