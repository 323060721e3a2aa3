//! A copy of the node that is made of nothing but what the node tells a disk or another node: a snapshot, taken a piece
//! at a time while life goes on, and records. Once it is complete it must be the node, whenever one looks.

use std::collections::BTreeMap;

use kvnode_core::store::StoreConfig;
use kvnode_core::store::answers::{ANSWER_KEPT_MS, Answer};
use kvnode_core::store::attributes::Version;
use kvnode_core::store::entry::Entry;
use kvnode_core::store::key::{Address, Key, Namespace};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::partition::Snapshot;
use kvnode_core::store::record::{Event, Record};
use kvnode_core::store::slot::PartitionNumber;
use kvnode_core::time::UnixMillis;

use crate::subject::{Core, Subject};

/// Pieces of the snapshot in one step, and their size: small, so that much happens while it is taken.
const PIECES_PER_STEP: usize = 24;
const PIECE_BYTES: usize = 300;

/// To compare all of both takes longer than a step itself.
const COMPARE_EVERY: usize = 7;

#[derive(Debug)]
pub(crate) struct Replica {
    core: Core,
    begins_at: usize,
    /// The partitions whose snapshots are not complete.
    open: Vec<(PartitionNumber, Snapshot)>,
    compared: u64,
}

/// Everything in a node that is to outlive it.
#[derive(Debug, Default, PartialEq, Eq)]
struct State {
    keys: BTreeMap<Address<'static>, Holding>,
    floors: BTreeMap<(PartitionNumber, Namespace), Version>,
    answers: BTreeMap<(PartitionNumber, u128), (Answer, UnixMillis, Option<Entry>)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Holding {
    Live(Entry),
    Gone { version: Version, until: Option<UnixMillis> },
}

impl Replica {
    pub(crate) fn new(config: &StoreConfig, begins_at: usize) -> Self {
        Self { core: Core::new(config), begins_at, open: Vec::new(), compared: 0 }
    }

    /// How often it was compared with the node.
    pub(crate) fn compared(&self) -> u64 {
        self.compared
    }

    /// Takes what the node told since the last step.
    pub(crate) fn follow(&mut self, number: usize, subject: &mut dyn Subject) -> Result<(), String> {
        let records = subject.take_records();
        if number < self.begins_at {
            return Ok(());
        }
        if number == self.begins_at {
            let numbers = (0..=u8::MAX).map(PartitionNumber::new);
            self.open = numbers.map(|number| (number, subject.begin_snapshot(number))).collect();
        } else {
            for (number, record) in records {
                self.restore(number, &record)?;
            }
        }
        for _ in 0..PIECES_PER_STEP {
            let Some((number, mut snapshot)) = self.open.pop() else { break };
            let (rows, more) = subject.snapshot(number, &mut snapshot, PIECE_BYTES);
            for row in rows {
                self.restore(number, &row)?;
            }
            if more {
                self.open.push((number, snapshot));
            }
        }
        if self.open.is_empty() && number.is_multiple_of(COMPARE_EVERY) {
            self.compared += 1;
            return self.compare(subject);
        }
        Ok(())
    }

    fn restore(&mut self, number: PartitionNumber, bytes: &[u8]) -> Result<(), String> {
        let record = Record::decode(bytes).map_err(|error| error.to_string())?;
        self.core.restore(number, &record).map_err(|error| error.to_string())
    }

    fn compare(&self, subject: &dyn Subject) -> Result<(), String> {
        let (clock, mut original) = State::of(subject);
        let (_, mut copy) = State::of(&self.core);
        for state in [&mut original, &mut copy] {
            // Whoever is asked for nothing does not notice that an answer has ended.
            state.answers.retain(|_, (_, given_at, _)| given_at.plus_millis(ANSWER_KEPT_MS) > clock);
        }
        let accounts = self.core.accounts();
        if original != copy {
            return Err(format!("the node is {original:?}, and its records make {copy:?}"));
        }
        if (accounts.used, accounts.tombstones, accounts.answers)
            != (accounts.recounted, accounts.tombstones_recounted, accounts.answers_recounted)
        {
            return Err(format!("what records made does not add up: {accounts:?}"));
        }
        Ok(())
    }
}

impl State {
    /// And the latest clock of its partitions.
    fn of(subject: &dyn Subject) -> (UnixMillis, Self) {
        let (mut clock, mut state) = (UnixMillis::default(), Self::default());
        for number in (0..=u8::MAX).map(PartitionNumber::new) {
            let (rows, _) = subject.snapshot(number, &mut subject.begin_snapshot(number), usize::MAX);
            for row in rows {
                let record = Record::decode(&row).expect("the core's own rows can be read");
                clock = clock.max(record.clock);
                state.add(number, &record);
            }
        }
        (clock, state)
    }

    fn add(&mut self, number: PartitionNumber, record: &Record<'_>) {
        let namespace = record.namespace;
        match record.event {
            Event::Holds(entry) => {
                let key = Key::new(entry.key(), &Limits::default()).expect("it was written as a key").into_owned();
                let holding = if entry.is_tombstone() {
                    Holding::Gone { version: entry.version(), until: entry.expires_at() }
                } else {
                    Holding::Live(entry.to_entry(namespace))
                };
                self.keys.insert(Address { namespace, key }, holding);
            }
            Event::Floor(floor) if floor > Version::ABSENT => {
                self.floors.insert((number, namespace), floor);
            }
            Event::Answered(entry) => {
                let answer = record.answer.expect("such a row is about one");
                let kept = (answer, record.clock, entry.map(|entry| entry.to_entry(namespace)));
                self.answers.insert((number, answer.idempotency.key), kept);
            }
            Event::Floor(_) | Event::Forgotten { .. } | Event::Flushed { .. } => {}
        }
    }
}
