//! A handful of replicas over a network that loses, repeats and reorders, with processes that end and begin again with
//! nothing, and a leader who gives primaryships away and lets members join when it likes. What was told may never be
//! missing from anybody who is counted on.

mod lives;
mod scenarios;

use std::collections::BTreeMap;

use super::*;
use crate::cluster::configuration::{Change, Configuration, Node, NodeChange, Proposer, Term};
use crate::cluster::member::{Incarnation, NodeId};
use crate::store::slot::PartitionNumber;

const PARTITION: PartitionNumber = PartitionNumber::new(0);
const TERM: Term = Term(1);

/// Messages until all is quiet again, far more than there ever are: whoever needs more will never stop talking.
const WORDS_MAX: usize = 10_000;

/// Of how many keys a portion tells.
const PORTION: usize = 2;

const KEYS: u64 = 7;

/// What a record does to a store: it sets a key, or removes it.
type Store = BTreeMap<u8, u64>;

fn member(number: u128) -> Member {
    Member { node: NodeId::new(number), incarnation: Incarnation::new(1) }
}

fn record(key: u8, value: u64) -> Box<[u8]> {
    [&[key], &value.to_le_bytes()[..]].concat().into()
}

fn apply(store: &mut Store, record: &[u8]) {
    let (key, value) = record.split_first().expect("a key");
    let value = u64::from_le_bytes(value.try_into().expect("a value"));
    if value.is_multiple_of(4) {
        store.remove(key)
    } else {
        store.insert(*key, value)
    };
}

struct Packet {
    from: Member,
    to: Member,
    message: Message,
}

struct Proposal {
    from: Member,
    number: u64,
    change: PartitionChange,
}

struct Group {
    configuration: Configuration,
    replicas: BTreeMap<Member, Replica>,
    network: Vec<Packet>,
    proposals: Vec<Proposal>,
    now: u64,
    written: u64,
    /// What was written last.
    newest: Box<[u8]>,
    stores: BTreeMap<Member, Store>,
    /// Up to where each primary has read its own for whoever joins.
    read: BTreeMap<Member, Option<u8>>,
    settings: Settings,
    /// The record at each sequence, as far as all in sync were said to have it.
    decided: BTreeMap<u64, Box<[u8]>>,
    /// Up to where it was told.
    told: u64,
}

impl Group {
    /// Of so many nodes, the first of which hold the partition.
    fn new(size: u128, copies: u128, settings: Settings) -> Self {
        let mut group = Self {
            configuration: Configuration::default(),
            replicas: BTreeMap::new(),
            network: Vec::new(),
            proposals: Vec::new(),
            now: 0,
            written: 0,
            newest: Box::default(),
            stores: BTreeMap::new(),
            read: BTreeMap::new(),
            settings,
            decided: BTreeMap::new(),
            told: 0,
        };
        (1..=size).for_each(|number| group.begin(member(number)));
        group.lead(PartitionChange::Make { members: (1..=copies.min(size)).map(member).collect() });
        group
    }

    /// A process that has nothing.
    fn begin(&mut self, member: Member) {
        let register = Change::Node(NodeChange::Register { node: Node::plain(member), instead_of: None });
        self.configuration.apply(Proposer::Leader(TERM), TERM, &register).expect("nobody newer has its name");
        self.replicas.insert(member, Replica::new(member, self.settings));
        self.stores.insert(member, Store::new());
    }

    fn restart(&mut self, who: Member) {
        self.replicas.remove(&who);
        self.stores.remove(&who);
        let incarnation = Incarnation::new(who.incarnation.get() + 1);
        self.begin(Member { incarnation, ..who });
    }

    fn now(&self) -> Uptime {
        Uptime::new(self.now)
    }

    fn lead(&mut self, change: PartitionChange) {
        let number = self.configuration.partition(PARTITION).number();
        let change = Change::Partition { partition: PARTITION, number, change };
        // What it may not do is refused, and nothing happens.
        let _ = self.configuration.apply(Proposer::Leader(TERM), TERM, &change);
    }

    fn act(&mut self, who: Member, act: impl FnOnce(&mut Replica, Uptime) -> Vec<Effect>) {
        let now = self.now();
        let Some(replica) = self.replicas.get_mut(&who) else { return };
        // What is decided is no longer needed, and may be gone from the log when one looks.
        let waiting: Vec<Entry> = replica.log.uncommitted().cloned().collect();
        let effects = act(replica, now);
        self.decide_with(who, &waiting);
        for effect in effects {
            let store = self.stores.get_mut(&who).expect("a member");
            match effect {
                Effect::Send { to, message } => self.network.push(Packet { from: who, to, message }),
                Effect::Propose { number, change } => self.proposals.push(Proposal { from: who, number, change }),
                Effect::Apply(records) => records.iter().for_each(|record| apply(store, record)),
                Effect::Empty => store.clear(),
                Effect::Load(rows) => rows.iter().for_each(|row| apply(store, row)),
                Effect::Read { begin, .. } => self.read(who, begin),
                Effect::Settle(sequence) => {
                    assert!(sequence <= self.decided.len() as u64, "what is told is decided");
                    self.told = self.told.max(sequence);
                }
                Effect::Unknown => {}
            }
        }
    }

    fn read(&mut self, who: Member, begin: bool) {
        let behind = if begin { None } else { self.read[&who] };
        let rest = || self.stores[&who].iter().filter(|(key, _)| behind.is_none_or(|behind| **key > behind));
        let rows = rest().take(PORTION).map(|(key, value)| record(*key, *value)).collect();
        let end = rest().take(PORTION).last().map(|(key, _)| *key).or(behind);
        let is_last = rest().count() <= PORTION;
        self.read.insert(who, end);
        self.act(who, |replica, now| replica.read(rows, is_last, now));
    }

    /// I14
    fn decide_with(&mut self, who: Member, waiting: &[Entry]) {
        let log = &self.replicas[&who].log;
        let here: BTreeMap<u64, &Box<[u8]>> =
            log.kept().chain(waiting).map(|entry| (entry.position.sequence, &entry.record)).collect();
        for sequence in 1..=log.committed() {
            match (here.get(&sequence), self.decided.get(&sequence)) {
                (Some(record), Some(decided)) => assert_eq!(*record, decided, "two things were decided at {sequence}"),
                (Some(record), None) => drop(self.decided.insert(sequence, (*record).clone())),
                // It was written just now, and nobody else is waited for.
                (None, None) => drop(self.decided.insert(sequence, self.newest.clone())),
                (None, Some(_)) => {}
            }
        }
    }

    fn write(&mut self, who: Member) {
        if self.replicas.get(&who).is_some_and(|replica| replica.takes_writes().is_ok()) {
            self.written += 1;
            let record = record(u8::try_from(self.written % KEYS).expect("a few"), self.written);
            apply(self.stores.get_mut(&who).expect("a member"), &record);
            self.newest = record.clone();
            self.act(who, |replica, now| replica.written(record, now).1);
        }
    }

    fn tell_configuration(&mut self, who: Member) {
        let partition = self.configuration.partition(PARTITION).clone();
        self.act(who, |replica, now| replica.configured(&partition, now));
    }

    fn deliver(&mut self, place: usize, keep: bool) {
        if self.network.is_empty() {
            return;
        }
        let place = place % self.network.len();
        let Packet { from, to, message } = &self.network[place];
        let (from, to, message) = (*from, *to, message.clone());
        if !keep {
            self.network.remove(place);
        }
        self.act(to, |replica, now| replica.received(from, message, now));
    }

    /// Everything that is said arrives, and what is said to it.
    fn flow(&mut self) {
        let mut words = 0;
        while !self.network.is_empty() {
            self.deliver(0, false);
            words += 1;
            assert!(words < WORDS_MAX, "they never stop talking");
        }
    }

    fn decide(&mut self, place: usize, lose: bool) {
        if self.proposals.is_empty() {
            return;
        }
        let Proposal { from, number, change } = self.proposals.remove(place % self.proposals.len());
        if !lose {
            let change = Change::Partition { partition: PARTITION, number, change };
            // One that came too late is refused.
            let _ = self.configuration.apply(Proposer::Member(from), TERM, &change);
        }
    }

    fn tick(&mut self, who: Member) {
        let there = self.members();
        self.act(who, |replica, now| replica.ticked(now, &|member| !there.contains(&member)));
    }

    fn members(&self) -> Vec<Member> {
        self.replicas.keys().copied().collect()
    }

    /// I2, I13, I14
    fn check(&self) {
        for member in self.configuration.partition(PARTITION).isr() {
            let Some(replica) = self.replicas.get(member) else { continue };
            let (log, end) = (&replica.log, replica.log.end().sequence);
            assert!(end >= self.told, "{member} is in sync and has not all that was told");
            for entry in log.kept() {
                if let Some(decided) = self.decided.get(&entry.position.sequence) {
                    assert_eq!(*decided, entry.record, "{member} is in sync and has something else");
                }
            }
            assert_eq!(replica.content, Content::Copy, "{member} is in sync");
            assert!(replica.primary.is_some() || replica.applied <= log.committed(), "a backup's store is committed");
            let mut expected = Store::new();
            for sequence in 1..=replica.applied {
                let here = log.since(sequence - 1).and_then(|mut entries| entries.next()).map(|entry| &entry.record);
                let record = here.or(self.decided.get(&sequence)).expect("whatever is not decided is kept");
                apply(&mut expected, record);
            }
            assert_eq!(self.stores[member], expected, "the store of {member} is what its log says");
        }
    }

    /// What a leader does when somebody is gone: another takes the place, and somebody joins.
    fn look_after(&mut self) {
        let partition = self.configuration.partition(PARTITION);
        let is_there = |member: &Member| self.replicas.contains_key(member);
        let primary = partition.primary().expect("it was made");
        if !is_there(&primary) {
            if let Some(to) = partition.isr().iter().copied().find(is_there) {
                self.lead(PartitionChange::TakeOver { to });
            }
        } else if let Some(joining) = partition.joining() {
            if !is_there(&joining) {
                self.lead(PartitionChange::ClearJoining);
            }
        } else if let Some(other) = self.members().into_iter().find(|member| !partition.isr().contains(member)) {
            self.lead(PartitionChange::SetJoining(other));
        }
    }

    /// All that were in sync have ended.
    fn is_lost(&self) -> bool {
        self.configuration.partition(PARTITION).isr().iter().all(|member| !self.replicas.contains_key(member))
    }

    /// Nothing is lost any more, and everybody hears everything.
    fn heal(&mut self) {
        for _ in 0..400 {
            self.now += 50;
            self.look_after();
            for who in self.members() {
                self.tell_configuration(who);
                self.tick(who);
            }
            self.flow();
            while !self.proposals.is_empty() {
                self.decide(0, false);
            }
            self.check();
        }
    }
}
