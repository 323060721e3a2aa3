//! How entries end: by a delete, by their time, by an eviction or a flush; and how long their tombstones stay.

use super::{Partition, forget, seconds};
use crate::store::answers::{Answer, AnswerKind, Idempotency};
use crate::store::arena::Handle;
use crate::store::attributes::Version;
use crate::store::entry::{Draft, Due};
use crate::store::key::Namespace;
use crate::store::keyspace::Keyspace;
use crate::store::ledger::Ledger;
use crate::store::record::{Event, Record, Records};
use crate::store::usage::Used;
use crate::store::value::Kind;
use crate::time::UnixMillis;

/// What one turn of the sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub expired: usize,
    pub tombstones_dropped: usize,
    pub answers_forgotten: usize,
    /// Whether the turn ended because it had done enough, not because nothing was left.
    pub more: bool,
}

impl Swept {
    fn removals(&self) -> usize {
        self.expired + self.tombstones_dropped + self.answers_forgotten
    }
}

impl Partition {
    /// Removes what has expired and forgets tombstones and answers whose time is over, oldest first, at most `turn` of
    /// all.
    pub fn sweep(&mut self, now: UnixMillis, turn: usize, ledger: &Ledger) -> Swept {
        self.advance(now);
        let mut swept = Swept { answers_forgotten: self.forget_answers(turn, ledger), ..Swept::default() };
        let others: Vec<Namespace> = self.others.keys().copied().collect();
        for namespace in others.into_iter().chain([Namespace::Shared]) {
            self.sweep_namespace(namespace, turn, &mut swept, ledger);
            if swept.more {
                return swept;
            }
            let keyspace = self.existing_mut(namespace);
            let before = keyspace.held();
            keyspace.give_back_room();
            ledger.settle(before, keyspace.held());
            if namespace != Namespace::Shared && keyspace.is_empty() && keyspace.floor == Version::ABSENT {
                self.others.remove(&namespace);
                ledger.settle(Self::OTHER_BYTES, 0);
                ledger.accounts().forget_unused(namespace);
            }
        }
        swept
    }

    /// Removes what has expired in one namespace, at most `turn` of it, and says how many: for an account whose quota is
    /// used up by what it cannot see any more.
    pub fn expire(&mut self, namespace: Namespace, now: UnixMillis, turn: usize, ledger: &Ledger) -> usize {
        self.advance(now);
        let mut expired = 0;
        while expired < turn && self.expire_next(namespace, ledger) {
            expired += 1;
        }
        expired
    }

    /// Deletes all entries of a namespace at once, and says how many.
    pub fn flush(&mut self, namespace: Namespace, now: UnixMillis, ledger: &Ledger) -> u64 {
        self.advance(now);
        let clock = self.clock;
        let Some(keyspace) = self.keyspace_mut(namespace) else { return 0 };
        let (held, tombstones, live) = (keyspace.held(), keyspace.tombstone_bytes(), keyspace.live_at(clock.get()));
        keyspace.clear();
        ledger.settle(held, keyspace.held());
        ledger.remove_tombstones(tombstones);
        let event = Event::Flushed { floor: keyspace.floor };
        self.records.push(&Record { clock, namespace, event, answer: None });
        live
    }

    /// Turns an entry into a tombstone with the next version, which is returned.
    pub(super) fn bury(
        &mut self,
        namespace: Namespace,
        hash: u64,
        handle: Handle,
        idempotency: Option<Idempotency>,
        ledger: &Ledger,
    ) -> Version {
        let (clock, retention_ms) = (self.clock, self.tombstone_retention_ms);
        let keyspace = self.existing_mut(namespace);
        let (held, tombstones) = (keyspace.held(), keyspace.tombstone_bytes());
        if let Some(usage) = &keyspace.usage {
            usage.replace(keyspace.used_by(Some(handle)), Used::default());
        }
        let entry = keyspace.view(handle);
        let version = entry.version().next();
        let key = entry.key().to_owned();
        let draft = Draft {
            key: &key,
            kind: Kind::Json,
            content: &[],
            tags: &[],
            version,
            created: seconds(clock),
            updated: seconds(clock),
            due: Some(Due { at: clock.plus_millis(retention_ms), ttl: 0 }),
            used: None,
            tombstone: true,
        };
        let handle = keyspace.put(hash, Some(handle), &draft);
        ledger.settle(held, keyspace.held());
        ledger.add_tombstones(keyspace.tombstone_bytes() - tombstones);
        let kind = AnswerKind::Deleted(version);
        self.record_entry(namespace, handle, idempotency.map(|idempotency| Answer { idempotency, kind }));
        self.drop_tombstones_over_limit(ledger);
        version
    }

    /// Takes them from the namespace that has most of them. The share is one for all namespaces of the partition: a share
    /// for each would let many accounts fill the memory with nothing but tombstones.
    fn drop_tombstones_over_limit(&mut self, ledger: &Ledger) {
        while ledger.tombstones() > ledger.tombstone_limit() && self.tombstone_bytes() > ledger.tombstone_share() {
            let others = self.others.iter_mut().map(|(namespace, keyspace)| (*namespace, keyspace.as_mut()));
            let keyspaces = others.chain([(Namespace::Shared, &mut self.shared)]);
            let most = keyspaces.max_by_key(|(_, keyspace)| keyspace.tombstone_bytes());
            let Some((namespace, keyspace)) = most else { break };
            let Some(oldest) = keyspace.forgotten_until(u64::MAX) else { break };
            keyspace.floor = keyspace.floor.max(keyspace.view(oldest).version());
            record_forgotten(&mut self.records, self.clock, namespace, keyspace, oldest);
            forget(keyspace, oldest, ledger);
        }
    }

    fn tombstone_bytes(&self) -> u64 {
        self.keyspaces().map(Keyspace::tombstone_bytes).sum()
    }

    fn sweep_namespace(&mut self, namespace: Namespace, turn: usize, swept: &mut Swept, ledger: &Ledger) {
        let clock = self.clock;
        while self.existing(namespace).expired_until(clock.get()).is_some() {
            if swept.removals() >= turn {
                swept.more = true;
                return;
            }
            self.expire_next(namespace, ledger);
            swept.expired += 1;
        }
        while let Some(handle) = self.existing(namespace).forgotten_until(clock.get()) {
            if swept.removals() >= turn {
                swept.more = true;
                return;
            }
            let keyspace = match namespace {
                Namespace::Shared => &mut self.shared,
                other => self.others.get_mut(&other).expect("something was found in it"),
            };
            record_forgotten(&mut self.records, clock, namespace, keyspace, handle);
            forget(keyspace, handle, ledger);
            swept.tombstones_dropped += 1;
        }
    }

    fn expire_next(&mut self, namespace: Namespace, ledger: &Ledger) -> bool {
        let Some(keyspace) = self.keyspace(namespace) else { return false };
        let Some(handle) = keyspace.expired_until(self.clock.get()) else { return false };
        let hash = keyspace.hash_at(handle);
        self.bury(namespace, hash, handle, None, ledger);
        ledger.add_expired();
        true
    }

    pub(super) fn forget_answers(&mut self, turn: usize, ledger: &Ledger) -> usize {
        let held = self.answers.held();
        let forgotten = self.answers.forget_until(self.clock, turn);
        if forgotten > 0 {
            self.answers.give_back_room();
        }
        ledger.settle_answers(held, self.answers.held());
        forgotten
    }
}

fn record_forgotten(
    records: &mut Records,
    clock: UnixMillis,
    namespace: Namespace,
    keyspace: &Keyspace,
    tombstone: Handle,
) {
    if records.wanted {
        let event = Event::Forgotten { key: keyspace.view(tombstone).key(), floor: keyspace.floor };
        records.push(&Record { clock, namespace, event, answer: None });
    }
}
