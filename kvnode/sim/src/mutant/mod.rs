//! Defects on purpose. A mutant stands between the simulator and the core and spoils one thing; the simulator must see
//! it. An invariant that no mutant can turn red proves nothing.

mod answers;
mod commands;
mod evictions;
mod gathered;
mod mutation;
mod outcomes;
mod records;

use std::collections::{BTreeMap, BTreeSet};

use kvnode_core::store::Eviction;
use kvnode_core::store::command::{AllCommand, KeyAction, KeyCommand};
use kvnode_core::store::entry::Entry;
use kvnode_core::store::key::{Address, Namespace};
use kvnode_core::store::outcome::{Gathered, Outcome, Reply};
use kvnode_core::store::partition::Snapshot;
use kvnode_core::store::slot::PartitionNumber;
use kvnode_core::time::UnixMillis;

use crate::subject::{Accounts, Subject};
use answers::Retry;
pub use mutation::Mutation;

#[derive(Debug)]
pub struct Mutant<S> {
    inner: S,
    mutation: Mutation,
    eviction: Eviction,
    last_expiring: Option<Entry>,
    last_stored: Option<Entry>,
    last_deleted: Option<Box<str>>,
    flushed: BTreeSet<Namespace>,
    /// Every entry that was stored, and when it was used last.
    used: BTreeMap<Address<'static>, Use>,
    first_answers: BTreeMap<Retry, Outcome>,
    /// Entries it made go itself.
    evicted: u64,
    /// Bytes of tombstones it hides.
    hidden: u64,
}

#[derive(Clone, Copy, Debug)]
struct Use {
    at: UnixMillis,
    expires_at: Option<UnixMillis>,
}

impl<S: Subject> Mutant<S> {
    pub fn new(inner: S, mutation: Mutation, eviction: Eviction) -> Self {
        Self {
            inner,
            mutation,
            eviction,
            last_expiring: None,
            last_stored: None,
            last_deleted: None,
            flushed: BTreeSet::new(),
            used: BTreeMap::new(),
            first_answers: BTreeMap::new(),
            evicted: 0,
            hidden: 0,
        }
    }

    fn remember(&mut self, command: &KeyCommand<'_>, outcome: &Outcome, now: UnixMillis) {
        match outcome {
            Ok(Reply::Stored { entry, .. } | Reply::Found(entry)) => {
                self.used.insert(entry.address.clone(), Use { at: now, expires_at: entry.expires_at });
            }
            Ok(Reply::Deleted { .. } | Reply::Absent) => {
                self.used.remove(&command.address.clone().into_owned());
            }
            Err(_) => {}
        }
        match outcome {
            Ok(Reply::Stored { entry, .. }) => {
                self.last_stored = Some(entry.clone());
                if entry.expires_at.is_some() {
                    self.last_expiring = Some(entry.clone());
                }
            }
            Ok(Reply::Deleted { .. }) => self.last_deleted = Some(command.address.key.as_str().into()),
            _ => {}
        }
    }
}

impl<S: Subject> Subject for Mutant<S> {
    fn execute(&mut self, command: &KeyCommand<'_>, now: UnixMillis) -> Outcome {
        if let Some(outcome) = self.wrongly_kept(command) {
            return outcome;
        }
        let before = self.inner.accounts();
        let spoiled = self.spoil_command(command, now);
        let outcome = self.inner.execute(&spoiled, now);
        self.remember(command, &outcome, now);
        self.keep_first(command, &outcome);
        let outcome = self.spoil_outcome(command, outcome, now);
        if matches!(command.action, KeyAction::Write(_) | KeyAction::PutBack(_)) {
            return self.spoil_eviction(outcome, &before, now);
        }
        outcome
    }

    fn gather(&mut self, command: AllCommand, now: UnixMillis) -> Gathered {
        let spoiled = self.spoil_question(command.clone());
        let gathered = self.inner.gather(spoiled, now);
        self.spoil_gathered(&command, gathered, now)
    }

    fn sweep(&mut self, now: UnixMillis, turn: usize) {
        self.inner.sweep(now, turn);
    }

    fn take_records(&mut self) -> Vec<(PartitionNumber, Vec<u8>)> {
        let mutation = self.mutation;
        let mut records = self.inner.take_records();
        records.retain_mut(|(_, record)| records::spoil(mutation, record));
        records
    }

    fn begin_snapshot(&self, number: PartitionNumber) -> Snapshot {
        self.inner.begin_snapshot(number)
    }

    fn snapshot(&self, number: PartitionNumber, snapshot: &mut Snapshot, bytes_max: usize) -> (Vec<Vec<u8>>, bool) {
        let (mut rows, more) = self.inner.snapshot(number, snapshot, bytes_max);
        if self.mutation == Mutation::SnapshotSkipsARow {
            rows.pop();
        }
        (rows, more)
    }

    fn accounts(&self) -> Accounts {
        let mut accounts = self.inner.accounts();
        accounts.evicted += self.evicted;
        match self.mutation {
            Mutation::BytesDrift if accounts.used > 0 => accounts.used += 1,
            Mutation::TombstoneNotCounted => accounts.tombstones = accounts.tombstones.saturating_sub(self.hidden),
            Mutation::LimitIgnored if accounts.used > 0 => accounts.limit = accounts.used - 1,
            _ => {}
        }
        accounts
    }
}
