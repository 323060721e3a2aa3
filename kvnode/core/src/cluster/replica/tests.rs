//! A handful of replicas over a network that loses, repeats and reorders, with a leader who gives primaryships away when
//! it likes. What was told may never be missing from anybody who is counted on.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::cluster::configuration::{Change, Configuration, Node, NodeChange, NodeState, Proposer, Term};
use crate::cluster::member::{Incarnation, NodeId, NodeName};
use crate::store::slot::PartitionNumber;

const PARTITION: PartitionNumber = PartitionNumber::new(0);
const TERM: Term = Term(1);

/// Messages until all is quiet again, far more than there ever are: whoever needs more will never stop talking.
const WORDS_MAX: usize = 10_000;

/// A failing run has hundreds of steps, and each try to do with fewer is a run.
const SHRINKS_MAX: u32 = 2000;

fn member(number: u128) -> Member {
    Member { node: NodeId::new(number), incarnation: Incarnation::new(1) }
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
    /// What each store was given, or made itself.
    stores: BTreeMap<Member, Vec<Box<[u8]>>>,
    /// What was told: the record at each sequence.
    told: BTreeMap<u64, Box<[u8]>>,
}

impl Group {
    fn new(size: u128, min_in_sync: usize) -> Self {
        let mut configuration = Configuration::default();
        let members: Vec<Member> = (1..=size).map(member).collect();
        for &member in &members {
            let node = Node {
                member,
                name: NodeName::new(format!("n-{}", member.node.get())),
                address: "10.0.0.1:7000".into(),
                zone: None,
                weight: 1,
                state: NodeState::Active,
            };
            let register = Change::Node(NodeChange::Register { node, instead_of: None });
            configuration.apply(Proposer::Leader(TERM), TERM, &register).expect("nobody has its name");
        }
        let replicas = members.iter().map(|member| (*member, Replica::new(*member, min_in_sync))).collect();
        let stores = members.iter().map(|member| (*member, Vec::new())).collect();
        let mut group = Self {
            configuration,
            replicas,
            network: Vec::new(),
            proposals: Vec::new(),
            now: 0,
            written: 0,
            stores,
            told: BTreeMap::new(),
        };
        group.lead(PartitionChange::Make { members });
        group
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
        let effects = act(self.replicas.get_mut(&who).expect("a member"), now);
        for effect in effects {
            match effect {
                Effect::Send { to, message } => self.network.push(Packet { from: who, to, message }),
                Effect::Propose { number, change } => self.proposals.push(Proposal { from: who, number, change }),
                Effect::Apply(records) => self.stores.get_mut(&who).expect("a member").extend(records),
                Effect::Settle(sequence) => self.settle(who, sequence),
                Effect::Unknown => {}
            }
        }
    }

    fn settle(&mut self, who: Member, sequence: u64) {
        for entry in self.replicas[&who].log().since(0).expect("little is let go") {
            if entry.position.sequence > sequence {
                break;
            }
            let told = self.told.entry(entry.position.sequence).or_insert_with(|| entry.record.clone());
            assert_eq!(*told, entry.record, "two things were told of {:?}", entry.position);
        }
    }

    fn write(&mut self, who: Member) {
        if self.replicas[&who].takes_writes().is_ok() {
            self.written += 1;
            let record: Box<[u8]> = self.written.to_le_bytes().into();
            self.stores.get_mut(&who).expect("a member").push(record.clone());
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
        self.act(who, |replica, now| replica.ticked(now, &|_| false));
    }

    fn members(&self) -> Vec<Member> {
        self.replicas.keys().copied().collect()
    }

    /// I2, I13, I14
    fn check(&self) {
        let isr = self.configuration.partition(PARTITION).isr();
        for member in isr {
            let log = self.replicas[member].log();
            for (&sequence, told) in &self.told {
                let held = log.since(sequence - 1).and_then(|mut entries| entries.next());
                let held = held.map(|entry| &entry.record);
                assert_eq!(held, Some(told), "{member} is in sync and has not what was told at {sequence}");
            }
        }
        for (member, replica) in &self.replicas {
            let store = &self.stores[member];
            if replica.primary.is_none() && !replica.is_spoilt {
                assert!(store.len() as u64 <= replica.log.committed(), "a backup's store is committed");
            }
            if isr.contains(member) {
                let entries = replica.log.since(0).expect("little is let go");
                let same = entries.zip(store).all(|(entry, applied)| entry.record == *applied);
                assert!(same, "the store of {member} is what its log says");
            }
        }
    }

    /// Nothing is lost any more, and everybody hears everything.
    fn heal(&mut self) {
        for _ in 0..200 {
            self.now += 50;
            for who in self.members() {
                self.tell_configuration(who);
                self.tick(who);
            }
            let mut words = 0;
            while !self.network.is_empty() {
                self.deliver(0, false);
                words += 1;
                assert!(words < WORDS_MAX, "they never stop talking");
            }
            while !self.proposals.is_empty() {
                self.decide(0, false);
            }
            self.check();
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Write(usize),
    Deliver(usize),
    Repeat(usize),
    Lose(usize),
    Tell(usize),
    Decide(usize),
    Forget(usize),
    TakeOver(usize),
    HandOver(usize, usize),
    Tick(usize, u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let any = 0_usize..64;
    prop_oneof![
        8 => any.clone().prop_map(Step::Write),
        16 => any.clone().prop_map(Step::Deliver),
        2 => any.clone().prop_map(Step::Repeat),
        2 => any.clone().prop_map(Step::Lose),
        4 => any.clone().prop_map(Step::Tell),
        3 => any.clone().prop_map(Step::Decide),
        1 => any.clone().prop_map(Step::Forget),
        1 => any.clone().prop_map(Step::TakeOver),
        1 => (any.clone(), any.clone()).prop_map(|(from, to)| Step::HandOver(from, to)),
        6 => (any, 0_u64..300).prop_map(|(who, passed)| Step::Tick(who, passed)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, max_shrink_iters: SHRINKS_MAX, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_was_told_is_missing_from_anybody_in_sync(
        size in 1_u128..6,
        min_in_sync in 1_usize..3,
        steps in prop::collection::vec(any_step(), 1..400),
    ) {
        let mut group = Group::new(size, min_in_sync);
        let members = group.members();
        let who = |number: usize| members[number % members.len()];
        for step in steps {
            match step {
                Step::Write(number) => group.write(who(number)),
                Step::Deliver(place) => group.deliver(place, false),
                Step::Repeat(place) => group.deliver(place, true),
                Step::Lose(place) => {
                    if !group.network.is_empty() {
                        let place = place % group.network.len();
                        group.network.remove(place);
                    }
                }
                Step::Tell(number) => group.tell_configuration(who(number)),
                Step::Decide(place) => group.decide(place, false),
                Step::Forget(place) => group.decide(place, true),
                Step::TakeOver(number) => group.lead(PartitionChange::TakeOver { to: who(number) }),
                Step::HandOver(from, to) => {
                    let to = who(to);
                    group.act(who(from), |replica, now| replica.hand_over(to, now));
                }
                Step::Tick(number, passed) => {
                    group.now += passed;
                    group.tick(who(number));
                }
            }
            group.check();
        }
        group.heal();
        let partition = group.configuration.partition(PARTITION).clone();
        let primary = partition.primary().expect("it was made");
        prop_assert!(group.replicas[&primary].serves().is_ok(), "it serves again");
        let before = group.told.len();
        if partition.isr().len() >= min_in_sync {
            group.write(primary);
            group.heal();
            prop_assert!(group.told.len() > before, "what is written is told");
        }
        for member in group.configuration.partition(PARTITION).isr() {
            let log = group.replicas[member].log();
            prop_assert_eq!(log.end(), group.replicas[&primary].log().end());
        }
    }
}
