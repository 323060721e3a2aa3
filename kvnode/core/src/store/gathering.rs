//! A question about all keys, answered by visiting one partition after the other. Only the partition being visited
//! has to be locked, and what is held between visits is bounded by the page, whatever the store holds.

use std::collections::BinaryHeap;

use super::command::{AllCommand, List};
use super::key::Namespace;
use super::outcome::{KeyPage, Outcome, Reply};
use super::partition::Partition;
use crate::time::UnixMillis;

#[derive(Debug)]
pub struct Gathering(Question);

#[derive(Debug)]
enum Question {
    Page(Page),
    Count { namespace: Namespace, keys: u64 },
}

#[derive(Debug)]
struct Page {
    list: List,
    /// The smallest keys seen so far, largest on top: one more than the page, to know whether another page follows.
    smallest: BinaryHeap<Box<str>>,
}

impl Gathering {
    pub fn new(command: AllCommand) -> Self {
        Self(match command {
            AllCommand::List(list) => Question::Page(Page { list, smallest: BinaryHeap::new() }),
            AllCommand::Count(namespace) => Question::Count { namespace, keys: 0 },
        })
    }

    /// Each partition must be visited exactly once, in any order.
    pub fn visit(&mut self, partition: &mut Partition, now: UnixMillis) {
        match &mut self.0 {
            Question::Page(page) => page.visit(partition, now),
            Question::Count { namespace, keys } => *keys += partition.count(*namespace, now),
        }
    }

    pub fn finish(self) -> Outcome {
        Ok(match self.0 {
            Question::Page(page) => Reply::Keys(page.finish()),
            Question::Count { keys, .. } => Reply::Count(keys),
        })
    }
}

impl Page {
    fn visit(&mut self, partition: &mut Partition, now: UnixMillis) {
        let Self { list, smallest } = self;
        let prefix = list.prefix.as_str();
        let after = list.after.as_ref().map(super::key::KeyPart::as_str);
        let room = list.limit.get() + 1;
        partition.for_each_key(list.namespace, now, |key| {
            let wanted = key.starts_with(prefix) && after.is_none_or(|after| key > after);
            if !wanted {
                return;
            }
            if smallest.len() < room {
                smallest.push(key.into());
            } else if let Some(mut largest) = smallest.peek_mut()
                && key < largest.as_ref()
            {
                *largest = key.into();
            }
        });
    }

    fn finish(self) -> KeyPage {
        let mut keys = self.smallest.into_sorted_vec();
        let more = keys.len() > self.list.limit.get();
        keys.truncate(self.list.limit.get());
        let next = keys.last().filter(|_| more).cloned();
        KeyPage { keys, next }
    }
}
