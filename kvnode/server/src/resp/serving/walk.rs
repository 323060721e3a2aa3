//! Commands about all keys. They visit some partitions a turn, so that neither other clients nor other threads wait for
//! them; their own client does, because its next command must see what they did.

use kvnode_core::store::command::AllCommand;
use kvnode_core::store::gathering::Gathering;
use kvnode_core::store::key::Namespace;
use kvnode_core::store::outcome::Gathered;
use kvnode_core::time::UnixMillis;

use super::connection::OUTPUT_BYTES_MAX;
use crate::resp::glob::Pattern;
use crate::resp::reply::{Protocol, Writer};
use crate::store::SharedStore;

/// Partitions a walk visits before others of its thread get a turn.
const VISITS_PER_TURN: usize = 16;

#[derive(Debug)]
pub(super) enum Walk {
    /// DBSIZE and FLUSHDB
    Gather(Gathering),
    /// KEYS
    Match(Matching),
}

#[derive(Debug)]
pub(super) struct Matching {
    pattern: Pattern,
    next: usize,
    /// Each as a bulk string, one after the other.
    keys: Vec<u8>,
    count: usize,
}

/// What became of a walk in one turn.
#[derive(Debug)]
pub(super) enum Step {
    GoesOn(Walk),
    /// The answer is written.
    Answered,
    /// The answer is larger than any may be.
    TooLarge,
}

impl Walk {
    pub(super) fn gather(command: AllCommand) -> Self {
        Self::Gather(Gathering::new(command))
    }

    pub(super) fn matching(pattern: Pattern) -> Self {
        Self::Match(Matching { pattern, next: 0, keys: Vec::new(), count: 0 })
    }

    pub(super) fn step(
        mut self,
        store: &SharedStore,
        namespace: Namespace,
        now: UnixMillis,
        writer: &mut Writer<'_>,
    ) -> Step {
        for _ in 0..VISITS_PER_TURN {
            let visited = match &mut self {
                Self::Gather(gathering) => store.visit(gathering, now),
                Self::Match(matching) => matching.visit(store, namespace, now),
            };
            if !visited {
                self.answer(writer);
                return Step::Answered;
            }
            if matches!(&self, Self::Match(matching) if matching.keys.len() > OUTPUT_BYTES_MAX) {
                return Step::TooLarge;
            }
        }
        Step::GoesOn(self)
    }

    fn answer(self, writer: &mut Writer<'_>) {
        match self {
            Self::Gather(gathering) => match gathering.finish() {
                Gathered::Count(count) => writer.integer(i64::try_from(count).unwrap_or(i64::MAX)),
                Gathered::Flushed(_) | Gathered::Keys(_) | Gathered::Sorted(_) => writer.ok(),
            },
            Self::Match(matching) => {
                writer.array(matching.count);
                writer.written_before(&matching.keys);
            }
        }
    }
}

impl Matching {
    fn visit(&mut self, store: &SharedStore, namespace: Namespace, now: UnixMillis) -> bool {
        if self.next == store.partitions() {
            return false;
        }
        let mut partition = store.lock(self.next);
        self.next += 1;
        let mut keys = Writer::new(&mut self.keys, Protocol::Resp2);
        for entry in partition.entries(namespace, now) {
            let key = entry.key().as_bytes();
            if self.pattern.matches(key) {
                keys.bulk(key);
                self.count += 1;
            }
        }
        true
    }
}
