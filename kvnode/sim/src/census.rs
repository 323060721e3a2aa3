//! What a life met with. A run that never fills a store or never drops a tombstone proves nothing about either, so the
//! tests ask for all of them.

use kvnode_core::store::outcome::{Gathered, Outcome, Refusal, Reply};

use crate::subject::Answer;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    pub stored: u64,
    pub deleted: u64,
    /// Keys made again above a tombstone.
    pub made_again: u64,
    /// Keys never seen that did not start at 1, because tombstones had been dropped early.
    pub started_above_one: u64,
    pub mismatches: u64,
    /// Changes that the present value did not allow.
    pub unchangeable: u64,
    pub memory_full: u64,
    /// Answers that showed the content from before.
    pub previous_shown: u64,
    /// Entries flushed away.
    pub flushed: u64,
    /// Entries that ended by their time to live, as the model saw it.
    pub expired: u64,
    /// Entries that were seen to be evicted.
    pub evicted: u64,
    /// Times a sampled eviction had enough to choose from to be judged.
    pub evictions_judged: u64,
    /// Retries that were answered once more.
    pub repeated: u64,
    /// Idempotency keys that came with another request.
    pub keys_reused: u64,
    pub answers_full: u64,
    pub quota_exceeded: u64,
    /// Entries that were put back from a dump.
    pub put_back: u64,
    /// Entries that were as new as those of a dump, or newer, and stayed.
    pub left_as_newer: u64,
    /// Times a copy made of records was compared with the node.
    pub copies_compared: u64,
}

/// What the model knew of a step's key before the step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Past {
    pub(crate) buried: bool,
    pub(crate) fresh: bool,
    /// Whether the step puts something back, which has a version of its own.
    pub(crate) put_back: bool,
}

impl Census {
    pub(crate) fn note(&mut self, answer: &Answer, past: Past, repeated: bool) {
        if repeated {
            self.repeated += 1;
            return;
        }
        match answer {
            Answer::Key(outcome) => self.note_outcome(outcome, past),
            Answer::All(Gathered::Flushed(entries)) => self.flushed += entries,
            Answer::All(_) | Answer::Swept => {}
        }
    }

    fn note_outcome(&mut self, outcome: &Outcome, past: Past) {
        let previous = match outcome {
            Ok(Reply::Stored { previous, .. } | Reply::Deleted { previous, .. })
            | Err(Refusal::VersionMismatch { previous, .. }) => previous,
            _ => &None,
        };
        self.previous_shown += u64::from(previous.is_some());
        match outcome {
            Ok(Reply::Stored { entry, created, .. }) => {
                self.stored += 1;
                self.made_again += u64::from(*created && past.buried);
                self.put_back += u64::from(past.put_back);
                let begun = *created && past.fresh && !past.put_back;
                self.started_above_one += u64::from(begun && entry.version.get() > 1);
            }
            Ok(Reply::Deleted { .. }) => self.deleted += 1,
            Err(Refusal::VersionMismatch { .. }) => self.mismatches += 1,
            Err(Refusal::Change(_)) => self.unchangeable += 1,
            Err(Refusal::MemoryFull { .. }) => self.memory_full += 1,
            Err(Refusal::QuotaExceeded(_)) => self.quota_exceeded += 1,
            Err(Refusal::IdempotencyKeyReused) => self.keys_reused += 1,
            Err(Refusal::AnswersFull { .. }) => self.answers_full += 1,
            Ok(Reply::Found(_)) => self.left_as_newer += u64::from(past.put_back),
            Ok(Reply::Absent) => {}
            Err(Refusal::NotServed) => unreachable!("a store by itself serves everything"),
        }
    }

    /// Adds another life's.
    pub fn add(&mut self, other: &Self) {
        let Self {
            stored,
            deleted,
            made_again,
            started_above_one,
            mismatches,
            unchangeable,
            memory_full,
            previous_shown,
            flushed,
            expired,
            evicted,
            evictions_judged,
            repeated,
            keys_reused,
            answers_full,
            quota_exceeded,
            put_back,
            left_as_newer,
            copies_compared,
        } = other;
        self.stored += stored;
        self.deleted += deleted;
        self.made_again += made_again;
        self.started_above_one += started_above_one;
        self.mismatches += mismatches;
        self.unchangeable += unchangeable;
        self.memory_full += memory_full;
        self.previous_shown += previous_shown;
        self.flushed += flushed;
        self.expired += expired;
        self.evicted += evicted;
        self.evictions_judged += evictions_judged;
        self.repeated += repeated;
        self.keys_reused += keys_reused;
        self.answers_full += answers_full;
        self.quota_exceeded += quota_exceeded;
        self.put_back += put_back;
        self.left_as_newer += left_as_newer;
        self.copies_compared += copies_compared;
    }
}
