//! The last steps before a violation, in words, so that a failing seed can be understood without running it again.

use std::collections::VecDeque;
use std::fmt;

use kvnode_core::store::change::NewValue;
use kvnode_core::store::command::{AllCommand, Command, KeyAction, NewTags, Write};
use kvnode_core::store::condition::Condition;
use kvnode_core::store::key::{Address, Namespace};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::{Gathered, Outcome, Reply};
use kvnode_core::store::value::Value;
use kvnode_core::time::UnixMillis;

use crate::subject::Answer;
use crate::workload::Step;

/// As many as one reads; what led to a violation nearly always lies within them.
const STEPS_KEPT: usize = 30;

#[derive(Clone, Debug, Default)]
pub struct Trace {
    lines: VecDeque<String>,
    first_ms: Option<u64>,
}

impl Trace {
    pub fn note(&mut self, number: usize, now: UnixMillis, step: &Step, answer: &Answer) {
        if self.lines.len() == STEPS_KEPT {
            self.lines.pop_front();
        }
        let since = i128::from(now.get()) - i128::from(*self.first_ms.get_or_insert(now.get()));
        let answer = match answer {
            Answer::Key(outcome) => format!(" → {}", outcome_words(outcome)),
            Answer::All(gathered) => format!(" → {}", gathered_words(gathered)),
            Answer::Swept => String::new(),
        };
        self.lines.push_back(format!("{number:>5} {since:>10} ms  {}{answer}", step_words(step)));
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(formatter, "{line}"))
    }
}

/// A namespace in as few letters as tell it from the others.
pub(crate) fn place(address: &Address<'_>) -> String {
    format!("{}/{}", namespace_words(address.namespace), address.key.as_str())
}

pub(crate) fn namespace_words(namespace: Namespace) -> String {
    match namespace {
        Namespace::Shared => "shared".to_owned(),
        Namespace::Account(number) => format!("account {number}"),
        Namespace::System => "system".to_owned(),
    }
}

fn step_words(step: &Step) -> String {
    match step {
        Step::Sweep { turn } => format!("sweep, {turn} at most in each partition"),
        Step::Execute(Command::All(command)) => question_words(command),
        Step::Execute(Command::Key(command)) => {
            let place = place(&command.address);
            let once = command.idempotency.map_or_else(String::new, |idempotency| {
                format!(" once as {:x} for {}", idempotency.key >> 112, idempotency.request)
            });
            match &command.action {
                KeyAction::Get => format!("get {place}"),
                KeyAction::Delete { conditions, .. } => format!("delete {place}{once}{}", condition_words(conditions)),
                KeyAction::Write(write) => format!("write {place}{once} {}", write_words(write)),
                KeyAction::PutBack(dumped) => {
                    let (version, value, expiry) = (dumped.version(), &dumped.value, dumped.expiry);
                    let updated_at = dumped.updated_at.get();
                    format!("put back {place} {value:?} with version {version} of {updated_at} ms, expiry {expiry:?}")
                }
            }
        }
    }
}

fn write_words(write: &Write<'_>) -> String {
    let Write { value, expiry, tags, conditions, with_previous } = write;
    let value = match value {
        NewValue::Append(bytes) => format!("append {}", bytes_words(bytes)),
        NewValue::Overwrite { offset, bytes } => format!("from {offset} on {}", bytes_words(bytes)),
        other => format!("{other:?}"),
    };
    let tags = match tags {
        NewTags::Keep => "tags kept".to_owned(),
        NewTags::Set(tags) => format!("{} tags", tags.iter().count()),
    };
    let previous = if *with_previous { ", previous wanted" } else { "" };
    format!("{value}, expiry {expiry:?}, {tags}{previous}{}", condition_words(conditions))
}

fn condition_words(conditions: &[Condition]) -> String {
    let words = conditions.iter().map(|condition| match condition {
        Condition::IfContent(content) => format!(" if it is {}", bytes_words(content)),
        other => format!(" if {other:?}"),
    });
    words.collect()
}

fn bytes_words(bytes: &[u8]) -> String {
    format!("{:?}", Value::bytes(bytes, &Limits::default()).expect("what was drawn is short"))
}

fn question_words(command: &AllCommand) -> String {
    match command {
        AllCommand::Count(namespace) => format!("count {}", namespace_words(*namespace)),
        AllCommand::Flush(namespace) => format!("flush {}", namespace_words(*namespace)),
        AllCommand::List(list) => {
            let after = list.after.map(|after| format!(" after {after}")).unwrap_or_default();
            let namespace = namespace_words(list.namespace);
            format!("list {namespace} {:?}{after}, {} at most", list.prefix.as_str(), list.limit.get())
        }
        AllCommand::Sorted(sorted) => {
            let namespace = namespace_words(sorted.namespace);
            let (prefix, limit) = (sorted.prefix.as_str(), sorted.limit.get());
            format!("sort {namespace} {prefix:?} with {:?}, {limit} at most behind {}", sorted.tags, sorted.skip)
        }
    }
}

fn outcome_words(outcome: &Outcome) -> String {
    match outcome {
        Ok(Reply::Found(entry)) => format!("version {}", entry.version),
        Ok(Reply::Absent) => "absent".to_owned(),
        Ok(Reply::Stored { entry, created, .. }) => {
            format!("{} as version {}", if *created { "created" } else { "replaced" }, entry.version)
        }
        Ok(Reply::Deleted { version, .. }) => format!("deleted, tombstone {version}"),
        Err(refusal) => format!("refused: {refusal}"),
    }
}

fn gathered_words(gathered: &Gathered) -> String {
    match gathered {
        Gathered::Keys(page) => format!("{} keys, next {:?}", page.keys.len(), page.next),
        Gathered::Sorted(page) => format!("{} keys of {}", page.keys.len(), page.total),
        Gathered::Count(keys) => format!("{keys} keys"),
        Gathered::Flushed(entries) => format!("{entries} gone"),
    }
}
