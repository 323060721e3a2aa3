//! A question about all keys of a namespace, answered by visiting one partition after the other. Only the partition being
//! visited has to be locked, only the namespace's own entries are looked at, and what is held between visits is bounded
//! by the page.

use std::collections::BinaryHeap;

use super::command::{AllCommand, List, Sorted};
use super::cursor::Cursor;
use super::key::Namespace;
use super::ledger::Ledger;
use super::outcome::{Gathered, KeyPage, SortedPage};
use super::partition::Partition;
use super::slot::PARTITIONS;
use crate::time::UnixMillis;

/// Keys found beyond those a page needs, before the superfluous ones are dropped: enough to make that rare, few enough
/// to make a page of a large partition cost no more memory than one of a small.
const FOUND_BEYOND_PAGE_MAX: usize = 4096;

#[derive(Debug)]
pub struct Gathering {
    question: Question,
    /// The partition to be visited next.
    next: usize,
}

#[derive(Debug)]
enum Question {
    List(ListPage),
    Sorted(SortedKeys),
    Count { namespace: Namespace, keys: u64 },
    Flush { namespace: Namespace, entries: u64 },
}

#[derive(Debug)]
struct ListPage {
    list: List,
    keys: Vec<(Cursor, Box<str>)>,
}

#[derive(Debug)]
struct SortedKeys {
    sorted: Sorted,
    /// The smallest keys seen so far, as many as lie on this page and before it.
    smallest: BinaryHeap<Box<str>>,
    total: u64,
}

impl Gathering {
    pub fn new(command: AllCommand) -> Self {
        let next = match &command {
            AllCommand::List(List { after: Some(cursor), .. }) => cursor.partition_index(),
            _ => 0,
        };
        let question = match command {
            AllCommand::List(list) => Question::List(ListPage { list, keys: Vec::new() }),
            AllCommand::Sorted(sorted) => {
                Question::Sorted(SortedKeys { sorted, smallest: BinaryHeap::new(), total: 0 })
            }
            AllCommand::Count(namespace) => Question::Count { namespace, keys: 0 },
            AllCommand::Flush(namespace) => Question::Flush { namespace, entries: 0 },
        };
        Self { question, next }
    }

    /// The partition that must be visited next; none when the answer is complete.
    pub fn next_partition(&self) -> Option<usize> {
        let full = matches!(&self.question, Question::List(page) if page.is_full());
        (self.next < PARTITIONS && !full).then_some(self.next)
    }

    pub fn visit(&mut self, partition: &mut Partition, now: UnixMillis, ledger: &Ledger) {
        self.next += 1;
        match &mut self.question {
            Question::List(page) => page.visit(partition, now),
            Question::Sorted(sorted) => sorted.visit(partition, now),
            Question::Count { namespace, keys } => *keys += partition.count(*namespace, now),
            Question::Flush { namespace, entries } => *entries += partition.flush(*namespace, now, ledger),
        }
    }

    pub fn finish(self) -> Gathered {
        match self.question {
            Question::List(page) => Gathered::Keys(page.finish()),
            Question::Sorted(sorted) => Gathered::Sorted(sorted.finish()),
            Question::Count { keys, .. } => Gathered::Count(keys),
            Question::Flush { entries, .. } => Gathered::Flushed(entries),
        }
    }
}

impl ListPage {
    /// One key behind the page is wanted, to know whether another page follows. Those that share the place of the page's
    /// last key are not behind it, however many they are.
    fn is_full(&self) -> bool {
        let last = self.keys.get(self.list.limit.get() - 1);
        last.is_some_and(|(last, _)| self.keys.last().is_some_and(|(cursor, _)| cursor > last))
    }

    fn visit(&mut self, partition: &mut Partition, now: UnixMillis) {
        let List { namespace, prefix, after, limit } = &self.list;
        let needed = limit.get().saturating_sub(self.keys.len());
        let mut found: Vec<(Cursor, &str)> = Vec::new();
        for entry in partition.entries(*namespace, now) {
            let key = entry.key();
            let cursor = Cursor::of(key);
            if key.starts_with(prefix.as_str()) && after.is_none_or(|after| cursor > after) {
                found.push((cursor, key));
            }
            if found.len() == needed + FOUND_BEYOND_PAGE_MAX {
                keep_first(&mut found, needed);
            }
        }
        keep_first(&mut found, needed);
        found.sort_unstable();
        self.keys.extend(found.into_iter().map(|(cursor, key)| (cursor, key.into())));
    }

    fn finish(mut self) -> KeyPage {
        let limit = self.list.limit.get();
        let mut next = None;
        if self.keys.len() > limit {
            // Keys that share a place stay together, or those behind the cut would never be listed.
            let last = self.keys[limit - 1].0;
            let end = self.keys.partition_point(|(cursor, _)| *cursor <= last);
            next = (end < self.keys.len()).then_some(last);
            self.keys.truncate(end);
        }
        KeyPage { keys: self.keys.into_iter().map(|(_, key)| key).collect(), next }
    }
}

/// Keeps as many as are needed, those that share the place of the last of them, and the first behind it.
fn keep_first(found: &mut Vec<(Cursor, &str)>, needed: usize) {
    if found.len() > needed {
        let last = needed.checked_sub(1).map(|place| found.select_nth_unstable(place).1.0);
        let behind = found.iter().filter(|(cursor, _)| Some(*cursor) > last).min().copied();
        found.retain(|(cursor, _)| Some(*cursor) <= last);
        found.extend(behind);
    }
}

impl SortedKeys {
    fn visit(&mut self, partition: &mut Partition, now: UnixMillis) {
        let room = self.sorted.skip.saturating_add(self.sorted.limit.get());
        for entry in partition.entries(self.sorted.namespace, now) {
            let key = entry.key();
            let tagged = |(name, value): &(Box<str>, Box<str>)| {
                entry.tags().iter().any(|(other, its)| other == name.as_ref() && its == value.as_ref())
            };
            if !key.starts_with(self.sorted.prefix.as_str()) || !self.sorted.tags.iter().all(tagged) {
                continue;
            }
            self.total += 1;
            if self.smallest.len() < room {
                self.smallest.push(key.into());
            } else if let Some(mut largest) = self.smallest.peek_mut()
                && key < largest.as_ref()
            {
                *largest = key.into();
            }
        }
    }

    fn finish(self) -> SortedPage {
        let mut keys = self.smallest.into_sorted_vec();
        let keys = keys.split_off(self.sorted.skip.min(keys.len()));
        SortedPage { keys, total: self.total }
    }
}
