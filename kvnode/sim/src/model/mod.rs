//! The store as simple as it can be thought of: a map of what is there, and a map of what is gone. It judges answers one
//! by one and shares no rule with the core. Where memory pressure may have dropped a tombstone or evicted an entry,
//! several answers are right, and the model says which.

mod answers;
mod arithmetic;
mod demands;
mod graves;
mod known;
mod pages;
mod put_back;
mod writes;

use std::collections::{BTreeMap, BTreeSet};

use kvnode_core::store::command::{AllCommand, Command, KeyAction, KeyCommand};
use kvnode_core::store::condition::Condition;
use kvnode_core::store::key::{Address, Namespace};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::{Gathered, Outcome, Refusal, Reply};
use kvnode_core::store::slot::{PARTITIONS, PartitionNumber};
use kvnode_core::store::usage::Quota;
use kvnode_core::store::{Eviction, StoreConfig};
use kvnode_core::time::UnixMillis;

use crate::subject::Answer;
use crate::workload::Step;
use answers::Answers;
use graves::Graves;
pub use known::Known;

#[derive(Debug)]
pub struct Model {
    live: BTreeMap<Address<'static>, Known>,
    graves: Graves,
    answers: Answers,
    quota: Quota,
    /// Every key that was ever written.
    seen: BTreeSet<Address<'static>>,
    /// Of each partition: the latest moment it was told of. Time never goes back in a partition.
    clocks: [UnixMillis; PARTITIONS],
    limits: Limits,
    eviction: Eviction,
    /// Memory is never short, so nothing is evicted, refused for it, or forgotten before its time.
    roomy: bool,
    expired: u64,
}

impl Model {
    pub fn new(config: &StoreConfig, roomy: bool) -> Self {
        Self::with_quota(config, roomy, Quota::NONE)
    }

    /// `quota` is that of each account.
    pub fn with_quota(config: &StoreConfig, roomy: bool, quota: Quota) -> Self {
        Self {
            answers: Answers::new(),
            quota,
            live: BTreeMap::new(),
            graves: Graves::new(config.tombstone_retention_ms, roomy),
            seen: BTreeSet::new(),
            clocks: [UnixMillis::default(); PARTITIONS],
            limits: config.limits.clone(),
            eviction: config.eviction,
            roomy,
            expired: 0,
        }
    }

    pub fn get(&self, address: &Address<'static>) -> Option<&Known> {
        self.live.get(address)
    }

    /// Whether the key is gone, and its versions are to go on where they ended.
    pub fn is_buried(&self, address: &Address<'static>) -> bool {
        self.graves.has(address)
    }

    /// Whether nothing is known that could make the key start at another version than 1.
    pub fn is_fresh(&self, address: &Address<'static>) -> bool {
        !self.seen.contains(address) && !self.graves.has_floor(address)
    }

    /// How many entries ended by their time to live.
    pub fn expired(&self) -> u64 {
        self.expired
    }

    /// Keys the store can have something of.
    pub fn keys_seen(&self) -> usize {
        self.seen.len()
    }

    pub fn entries(&self) -> impl Iterator<Item = (&Address<'static>, &Known)> {
        self.live.iter()
    }

    pub fn keys(&self, namespace: Namespace) -> impl Iterator<Item = &str> {
        let own = self.live.keys().filter(move |address| address.namespace == namespace);
        own.map(|address| address.key.as_str())
    }

    /// Tells all partitions what time it is, as a sweep or a count does.
    pub fn all_advance(&mut self, now: UnixMillis) {
        for clock in &mut self.clocks {
            *clock = (*clock).max(now);
        }
        self.expire();
    }

    /// Says what is wrong with an answer, or takes over what it did.
    pub fn judge(&mut self, step: &Step, now: UnixMillis, answer: &Answer) -> Result<(), String> {
        match (step, answer) {
            (Step::Sweep { .. }, Answer::Swept) => {
                self.all_advance(now);
                Ok(())
            }
            (Step::Execute(Command::Key(command)), Answer::Key(outcome)) => self.judge_key(command, now, outcome),
            (Step::Execute(Command::All(command)), Answer::All(gathered)) => self.judge_all(command, now, gathered),
            (_, answer) => Err(format!("{answer:?} is no answer to such a step")),
        }
    }

    /// Takes out what was evicted: at most so many of the live keys that `shown` does not have.
    pub fn bury_evicted(
        &mut self,
        evictions: u64,
        shown: impl Fn(&Address<'static>) -> bool,
    ) -> Vec<(Address<'static>, Known)> {
        let evictions = usize::try_from(evictions).expect("fewer evictions than a machine has bytes");
        let missing = self.live.keys().filter(|address| !shown(address)).take(evictions).cloned().collect::<Vec<_>>();
        missing
            .into_iter()
            .map(|address| {
                let known = self.live[&address].clone();
                self.bury(&address);
                (address, known)
            })
            .collect()
    }

    fn judge_all(&mut self, command: &AllCommand, now: UnixMillis, gathered: &Gathered) -> Result<(), String> {
        let expected = match command {
            AllCommand::List(list) => Gathered::Keys(self.page(list, now)),
            AllCommand::Sorted(sorted) => {
                self.all_advance(now);
                Gathered::Sorted(self.sorted_page(sorted))
            }
            AllCommand::Count(namespace) => {
                self.all_advance(now);
                Gathered::Count(self.keys(*namespace).count() as u64)
            }
            AllCommand::Flush(namespace) => {
                self.all_advance(now);
                Gathered::Flushed(self.flush(*namespace))
            }
        };
        same(gathered, &expected)
    }

    fn judge_key(&mut self, command: &KeyCommand<'_>, now: UnixMillis, outcome: &Outcome) -> Result<(), String> {
        let clock = self.advance(command.address.partition(), now);
        if let Some(expected) = self.remembered(command, clock) {
            return same(outcome, &expected);
        }
        self.judge_done(command, clock, now, outcome)?;
        self.remember(command, clock, outcome);
        Ok(())
    }

    fn judge_done(
        &mut self,
        command: &KeyCommand<'_>,
        clock: UnixMillis,
        now: UnixMillis,
        outcome: &Outcome,
    ) -> Result<(), String> {
        let address = command.address.clone().into_owned();
        match &command.action {
            KeyAction::Get => match (self.live.get_mut(&address), outcome) {
                (None, Ok(Reply::Absent)) => Ok(()),
                (Some(known), Ok(Reply::Found(entry))) => {
                    known.use_at(clock);
                    known.same_as(entry)
                }
                (known, outcome) => Err(format!("expected {known:?}, but got {outcome:?}")),
            },
            KeyAction::Delete { conditions, with_previous } => {
                if let Some(refusal) = self.refusal(&address, conditions, *with_previous) {
                    return same(outcome, &Err(refusal));
                }
                if matches!(outcome, Err(Refusal::AnswersFull { .. })) {
                    return self.judge_answers_full(command, outcome);
                }
                self.judge_delete(&address, *with_previous, outcome)
            }
            KeyAction::Write(write) => {
                if let Some(refusal) = self.refusal(&address, &write.conditions, write.with_previous) {
                    return same(outcome, &Err(refusal));
                }
                if matches!(outcome, Err(Refusal::AnswersFull { .. })) {
                    return self.judge_answers_full(command, outcome);
                }
                self.judge_write(&address, write, (clock, now), outcome)
            }
            KeyAction::PutBack(dumped) => self.judge_put_back(&address, dumped, (clock, now), outcome),
        }
    }

    fn judge_delete(
        &mut self,
        address: &Address<'static>,
        with_previous: bool,
        outcome: &Outcome,
    ) -> Result<(), String> {
        let Some(known) = self.live.get(address) else { return same(outcome, &Ok(Reply::Absent)) };
        let previous = with_previous.then(|| known.previous());
        same(outcome, &Ok(Reply::Deleted { version: known.version.next(), previous }))?;
        self.bury(address);
        Ok(())
    }

    fn bury(&mut self, address: &Address<'static>) {
        let known = self.live.remove(address).expect("only what is live is buried");
        self.graves.bury(address, known.version, self.clock_of(address), false);
    }

    fn flush(&mut self, namespace: Namespace) -> u64 {
        let flushed = self.live.extract_if(.., |address, _| address.namespace == namespace).collect::<Vec<_>>();
        self.graves.flush(namespace, &flushed, &self.clocks);
        flushed.len() as u64
    }

    fn refusal(&self, address: &Address<'static>, conditions: &[Condition], with_previous: bool) -> Option<Refusal> {
        let known = self.live.get(address);
        let failed = conditions.iter().find(|condition| !demands::hold(condition, known))?;
        Some(Refusal::VersionMismatch {
            expected: failed.clone(),
            actual: known.map(|known| known.version).unwrap_or_default(),
            previous: known.filter(|_| with_previous).map(Known::previous),
        })
    }

    fn advance(&mut self, partition: PartitionNumber, now: UnixMillis) -> UnixMillis {
        let clock = &mut self.clocks[partition.index()];
        *clock = (*clock).max(now);
        let clock = *clock;
        self.expire();
        clock
    }

    fn clock_of(&self, address: &Address<'_>) -> UnixMillis {
        self.clocks[address.partition().index()]
    }

    fn expire(&mut self) {
        let clocks = &self.clocks;
        let clock_of = |address: &Address<'_>| clocks[address.partition().index()];
        let due = |address: &Address<'_>, known: &mut Known| known.expires_at.is_some_and(|at| at <= clock_of(address));
        for (address, known) in self.live.extract_if(.., |address, known| due(address, known)) {
            self.graves.bury(&address, known.version, clock_of(&address), true);
            self.expired += 1;
        }
    }
}

fn same<A: PartialEq + std::fmt::Debug>(answer: &A, expected: &A) -> Result<(), String> {
    if answer == expected { Ok(()) } else { Err(format!("expected {expected:?}, but got {answer:?}")) }
}
