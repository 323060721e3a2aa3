//! The answers of a partition to writes that came with an idempotency key, each kept for a while as it was given: a
//! retry gets it again, and nothing is done twice. None is forgotten early; when there is no room, writes with new keys
//! are refused, because to do one that cannot be remembered would break the promise the key stands for.

use std::collections::VecDeque;

use hashbrown::HashTable;

use super::attributes::Version;
use super::entry::{Draft, EntryRef};
use super::footprint::{allocated, table_growth};
use super::key::Namespace;
use super::outcome::Reply;
use crate::time::UnixMillis;

/// How long an answer is kept. Clients give up retrying long before.
pub const ANSWER_KEPT_MS: u64 = 10 * 60 * 1000;

/// What makes a retry known. Whoever makes them sees to it that nobody can find two texts for one number: they are the
/// first half of a cryptographic hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Idempotency {
    /// Of the caller, the key it sent and, in a batch, the number of the item.
    pub key: u128,
    /// Of everything else that was asked for.
    pub request: u128,
}

/// What was answered, beside the entry as it was then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    Created,
    Replaced,
    Deleted(Version),
    Absent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub idempotency: Idempotency,
    pub kind: AnswerKind,
}

/// How a command with an idempotency key is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// With the answer that its first attempt was given.
    Answered,
    /// The key was used for something else.
    Reused,
    Unknown,
}

#[derive(Debug, Default)]
pub(super) struct Answers {
    table: HashTable<Kept>,
    /// The end of each and its key, the next first.
    ends: VecDeque<(u64, u128)>,
    /// How many have left `ends` at its front: what stands there has a number that never changes.
    ended: u64,
    /// Bytes of the entries alone.
    entry_bytes: u64,
}

#[derive(Debug)]
struct Kept {
    answer: Answer,
    until: u64,
    /// As in an arena; empty where the answer has none.
    entry: Box<[u8]>,
}

/// An answer and its entry, as records and snapshots show it.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptAnswer<'a> {
    pub(super) answer: Answer,
    pub(super) given_at: UnixMillis,
    pub(super) entry: Option<EntryRef<'a>>,
}

impl Idempotency {
    /// The same for no other namespace: what is a hash stays one, and two callers with one key have two.
    pub(super) fn within(self, namespace: Namespace) -> Self {
        let number = match namespace {
            Namespace::Shared => 0,
            Namespace::Account(account) => account,
            Namespace::System => u128::MAX,
        };
        Self { key: self.key ^ number, ..self }
    }
}

impl AnswerKind {
    pub(super) fn has_entry(self) -> bool {
        matches!(self, Self::Created | Self::Replaced)
    }
}

impl Answers {
    pub(super) fn meet(&self, idempotency: Idempotency, clock: UnixMillis) -> Met {
        match self.find(idempotency.key) {
            Some(kept) if kept.until <= clock.get() => Met::Unknown,
            Some(kept) if kept.answer.idempotency == idempotency => Met::Answered,
            Some(_) => Met::Reused,
            None => Met::Unknown,
        }
    }

    /// The content from before is not kept: nobody who retries with a key has asked for it.
    pub(super) fn reply(&self, idempotency: Idempotency) -> Reply<EntryRef<'_>> {
        let kept = self.find(idempotency.key).expect("it was met");
        match kept.answer.kind {
            AnswerKind::Absent => Reply::Absent,
            AnswerKind::Deleted(version) => Reply::Deleted { version, previous: None },
            kind => Reply::Stored {
                entry: EntryRef::new(&kept.entry),
                created: kind == AnswerKind::Created,
                previous: None,
            },
        }
    }

    fn find(&self, key: u128) -> Option<&Kept> {
        self.table.find(table_hash(key), |kept| kept.answer.idempotency.key == key)
    }

    /// By how much the memory in use would grow if an answer with an entry of this length were kept.
    pub(super) fn growth(&self, entry_len: usize) -> u64 {
        let full = self.table.len() == self.table.capacity();
        let table = if full { table_growth::<Kept>(self.table.allocation_size()) } else { 0 };
        let ends = if self.ends.len() == self.ends.capacity() {
            // As it grows: to four at first, then to twice its size.
            ends_bytes((self.ends.capacity() * 2).max(4)) - ends_bytes(self.ends.capacity())
        } else {
            0
        };
        table + ends + allocated(entry_len)
    }

    pub(super) fn keep(&mut self, answer: Answer, given_at: UnixMillis, entry: Option<EntryRef<'_>>) {
        let key = answer.idempotency.key;
        let until = given_at.plus_millis(ANSWER_KEPT_MS).get();
        let entry = entry.map_or_else(Box::default, |entry| {
            let draft = Draft { used: None, ..Draft::copy_of(entry) };
            let mut bytes = vec![0; draft.len()].into_boxed_slice();
            draft.write(&mut bytes);
            bytes
        });
        self.entry_bytes += allocated(entry.len());
        let kept = Kept { answer, until, entry };
        let same = |kept: &Kept| kept.answer.idempotency.key == key;
        match self.table.find_mut(table_hash(key), same) {
            // One that ended unnoticed, or the very same, which a snapshot and a record both told of.
            Some(before) => {
                self.entry_bytes -= allocated(before.entry.len());
                let repeated = before.until == until;
                *before = kept;
                if repeated {
                    return;
                }
            }
            None => {
                self.table.insert_unique(table_hash(key), kept, |kept| table_hash(kept.answer.idempotency.key));
            }
        }
        // Nearly always at the end: only what is restored may come out of its order.
        let place = self.ends.partition_point(|&(other, _)| other <= until);
        self.ends.insert(place, (until, key));
    }

    /// Forgets what has ended, at most `turn` of it, and says how many.
    pub(super) fn forget_until(&mut self, clock: UnixMillis, turn: usize) -> usize {
        let mut forgotten = 0;
        while forgotten < turn
            && let Some(&(until, key)) = self.ends.front().filter(|(until, _)| *until <= clock.get())
        {
            self.ends.pop_front();
            self.ended += 1;
            forgotten += 1;
            let same = |kept: &Kept| kept.answer.idempotency.key == key && kept.until == until;
            if let Ok(kept) = self.table.find_entry(table_hash(key), same) {
                self.entry_bytes -= allocated(kept.remove().0.entry.len());
            }
        }
        forgotten
    }

    pub(super) fn give_back_room(&mut self) {
        if self.ends.len() * 4 <= self.ends.capacity() {
            self.ends.shrink_to(self.ends.len() * 2);
            self.table.shrink_to(self.table.len() * 2, |kept| table_hash(kept.answer.idempotency.key));
        }
    }

    /// Bytes of the machine's memory.
    pub(super) fn held(&self) -> u64 {
        self.entry_bytes + self.held_beside_entries()
    }

    /// For the test of [`Self::held`]: the same, added up from what is there.
    pub(super) fn recount_held(&self) -> u64 {
        let entries: u64 = self.table.iter().map(|kept| allocated(kept.entry.len())).sum();
        entries + self.held_beside_entries()
    }

    fn held_beside_entries(&self) -> u64 {
        allocated(self.table.allocation_size()) + ends_bytes(self.ends.capacity())
    }

    /// The first one whose number is not below `number`, and that number; for a walk that goes on while others end and
    /// come.
    pub(super) fn next_from(&self, number: u64) -> Option<(u64, KeptAnswer<'_>)> {
        let first = usize::try_from(number.saturating_sub(self.ended)).ok()?;
        (first..self.ends.len()).find_map(|place| {
            let (until, key) = self.ends[place];
            // What was answered anew under the same key has another end, behind this one.
            let kept = self.find(key).filter(|kept| kept.until == until)?;
            let given_at = UnixMillis::new(until - ANSWER_KEPT_MS);
            let entry = kept.answer.kind.has_entry().then(|| EntryRef::new(&kept.entry));
            Some((self.ended + place as u64, KeptAnswer { answer: kept.answer, given_at, entry }))
        })
    }
}

fn ends_bytes(capacity: usize) -> u64 {
    allocated(capacity * size_of::<(u64, u128)>())
}

/// The key is a hash already.
#[expect(clippy::cast_possible_truncation, reason = "any half of a hash is one")]
fn table_hash(key: u128) -> u64 {
    key as u64
}
