//! The last steps before a violation, in words, so that a failing seed can be understood without running it again.

use std::collections::VecDeque;
use std::fmt;

use kvnode_core::store::command::{AllCommand, Command, KeyAction};
use kvnode_core::store::outcome::{Outcome, Reply};
use kvnode_core::time::UnixMillis;

use crate::workload::Step;

/// As many as one reads; what led to a violation nearly always lies within them.
const STEPS_KEPT: usize = 30;

#[derive(Clone, Debug, Default)]
pub struct Trace {
    lines: VecDeque<String>,
    first_ms: Option<u64>,
}

impl Trace {
    pub fn note(&mut self, number: usize, now: UnixMillis, step: &Step, outcome: Option<&Outcome>) {
        if self.lines.len() == STEPS_KEPT {
            self.lines.pop_front();
        }
        let since = i128::from(now.get()) - i128::from(*self.first_ms.get_or_insert(now.get()));
        let outcome = outcome.map_or_else(String::new, |outcome| format!(" → {}", outcome_words(outcome)));
        self.lines.push_back(format!("{number:>5} {since:>10} ms  {}{outcome}", step_words(step)));
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(formatter, "{line}"))
    }
}

fn step_words(step: &Step) -> String {
    match step {
        Step::Sweep { turn } => format!("sweep, {turn} at most in each partition"),
        Step::Execute(Command::All(AllCommand::Count(_))) => "count".to_owned(),
        Step::Execute(Command::All(AllCommand::List(list))) => {
            let after = list.after.as_ref().map(|after| format!(" after {:?}", after.as_str())).unwrap_or_default();
            format!("list {:?}{after}, {} at most", list.prefix.as_str(), list.limit.get())
        }
        Step::Execute(Command::Key(command)) => {
            let key = command.address.key.as_str();
            match &command.action {
                KeyAction::Get => format!("get {key}"),
                KeyAction::Delete { conditions } => format!("delete {key} if {conditions:?}"),
                KeyAction::Put(put) => {
                    let ttl = put.ttl.map(|ttl| format!(" for {} s", ttl.seconds())).unwrap_or_default();
                    format!("put {key} = {:?}{ttl} if {:?}", put.value, put.conditions)
                }
            }
        }
    }
}

fn outcome_words(outcome: &Outcome) -> String {
    match outcome {
        Ok(Reply::Found(entry)) => format!("version {}", entry.version),
        Ok(Reply::Absent) => "absent".to_owned(),
        Ok(Reply::Stored { entry, created }) => {
            format!("{} as version {}", if *created { "created" } else { "replaced" }, entry.version)
        }
        Ok(Reply::Deleted { version }) => format!("deleted, tombstone {version}"),
        Ok(Reply::Keys(page)) => format!("{} keys, next {:?}", page.keys.len(), page.next),
        Ok(Reply::Count(keys)) => format!("{keys} keys"),
        Err(refusal) => format!("refused: {refusal}"),
    }
}
