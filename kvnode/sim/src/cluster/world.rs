//! Time, the network, and who talks to whom. What happens next is drawn from the seed and nothing else.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use kvnode_core::cluster::configuration::{Change, Configuration, Node, NodeChange, NodeState, Proposer, Term};
use kvnode_core::cluster::leader::Policy;
use kvnode_core::cluster::member::{Incarnation, Member, NodeId, NodeName};
use kvnode_core::cluster::replica::Settings;
use kvnode_core::cluster::safeguard::Safeguard;
use kvnode_core::store::slot::PartitionNumber;
use rand::RngExt;
use rand::rngs::StdRng;

use super::clients::{Clients, Request, Told};
use super::group::{Entry, Group};
use super::machine::{Machine, Out, Payload};

/// A machine looks around so often.
const TICK: u64 = 50;

/// A follower stands for election when it has missed its leader for about so long.
const ELECTION_AFTER: u64 = 400;

#[derive(Debug)]
pub(super) enum Event {
    Arrives {
        from: Member,
        to: Member,
        payload: Payload,
    },
    Tick(Member),
    /// A request comes to a node.
    Asked {
        node: NodeId,
        request: Request,
    },
    /// What it was told comes back.
    Answered(Request, Told),
    Decided(Entry),
    /// A client thinks of its next request.
    Client(usize),
}

/// How bad the network is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weather {
    /// Of a thousand messages.
    pub(super) lost: u32,
    pub(super) repeated: u32,
    pub(super) slow: u32,
}

pub(super) struct World {
    pub(super) random: StdRng,
    pub(super) now: u64,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, Event>,
    next_event: u64,
    pub(super) machines: BTreeMap<NodeId, Machine>,
    /// The life that a node had last.
    pub(super) incarnations: BTreeMap<NodeId, u64>,
    pub(super) asleep_until: BTreeMap<NodeId, u64>,
    /// From, to.
    pub(super) cut: BTreeSet<(NodeId, NodeId)>,
    pub(super) weather: Weather,
    pub(super) group: Group,
    /// What everything that was decided comes to.
    pub(super) configuration: Configuration,
    pub(super) clients: Clients,
    pub(super) policy: Policy,
    pub(super) settings: Settings,
    /// The last record of each partition that a write was confirmed with.
    pub(super) confirmed: BTreeMap<PartitionNumber, u64>,
    pub(super) keys: usize,
    pub(super) asks_until: u64,
}

impl World {
    pub(super) fn new(random: StdRng, nodes: usize, keys: usize, policy: Policy, settings: Settings) -> Self {
        let ids: BTreeSet<NodeId> = (1..=nodes as u128).map(|number| NodeId::new(number << 96)).collect();
        let mut world = Self {
            random,
            now: 0,
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            next_event: 0,
            machines: BTreeMap::new(),
            incarnations: BTreeMap::new(),
            asleep_until: BTreeMap::new(),
            cut: BTreeSet::new(),
            weather: Weather::default(),
            group: Group::new(ids.clone()),
            configuration: Configuration::default(),
            clients: Clients::default(),
            policy,
            settings,
            confirmed: BTreeMap::new(),
            keys,
            asks_until: u64::MAX,
        };
        for node in ids {
            world.begin(node);
        }
        world
    }

    /// A process begins, with nothing but the group's log.
    pub(super) fn begin(&mut self, node: NodeId) {
        let incarnation = self.incarnations.entry(node).or_default();
        *incarnation += 1;
        let member = Member { node, incarnation: Incarnation::new(*incarnation) };
        // Up to 2 % too fast or too slow.
        let (pace, offset) = (self.random.random_range(980..=1020), self.random.random_range(0..100_000));
        let mut machine = Machine::begin(member, pace, offset, self.settings, self.now);
        machine.term = self.group.term;
        self.machines.insert(node, machine);
        self.after(TICK, Event::Tick(member));
    }

    pub(super) fn end(&mut self, node: NodeId) {
        self.machines.remove(&node);
        if self.group.leader == Some(node) {
            self.group.leader = None;
            self.group.headless_since = Some(self.now);
        }
    }

    pub(super) fn after(&mut self, milliseconds: u64, event: Event) {
        self.next_event += 1;
        self.events.insert(self.next_event, event);
        self.queue.push(Reverse((self.now + milliseconds, self.next_event)));
    }

    pub(super) fn is_awake(&self, node: NodeId) -> bool {
        self.machines.contains_key(&node) && self.asleep_until.get(&node).is_none_or(|until| *until <= self.now)
    }

    fn hears(&self, from: NodeId, to: NodeId) -> bool {
        !self.cut.contains(&(from, to))
    }

    /// Those that hear this node and are heard by it, itself among them.
    fn around(&self, node: NodeId) -> Vec<NodeId> {
        let is_around = |other: &NodeId| {
            self.is_awake(*other) && (*other == node || (self.hears(node, *other) && self.hears(*other, node)))
        };
        self.group.voters.iter().copied().filter(is_around).collect()
    }

    fn can_lead(&self, node: NodeId) -> bool {
        self.is_awake(node) && self.group.is_majority(self.around(node).len())
    }

    /// The next thing that happens; none when nothing is left before this moment.
    pub(super) fn step(&mut self, until: u64) -> bool {
        let Some(&Reverse((at, number))) = self.queue.peek() else { return false };
        if at > until {
            self.now = until;
            return false;
        }
        self.queue.pop();
        self.now = at;
        let event = self.events.remove(&number).expect("it was put there");
        self.happen(event);
        true
    }

    fn happen(&mut self, event: Event) {
        // Whoever sleeps finds everything when it wakes up.
        let node = match &event {
            Event::Arrives { to, .. } => Some(to.node),
            Event::Tick(member) => Some(member.node),
            Event::Asked { node, .. } => Some(*node),
            Event::Answered(..) | Event::Decided(_) | Event::Client(_) => None,
        };
        if let Some(until) = node.and_then(|node| self.asleep_until.get(&node)).filter(|until| **until > self.now) {
            return self.after(until - self.now, event);
        }
        match event {
            Event::Arrives { from, to, payload } => {
                let voters = self.group.voters.len();
                // What is meant for another life of a node is for nobody (R2).
                self.with(to, |machine, now, out| machine.received(from, payload, voters, now, out));
            }
            Event::Tick(member) => self.tick(member),
            Event::Asked { node, request } => match self.machines.get(&node).map(|machine| machine.member) {
                Some(member) => self.with(member, |machine, now, out| machine.asked(request, now, out)),
                None => self.answer(request, Told::Refused),
            },
            Event::Answered(request, told) => self.clients.told(request.id, told, self.now),
            Event::Decided(entry) => self.decide(entry),
            Event::Client(number) => self.ask(number),
        }
    }

    fn with(&mut self, member: Member, act: impl FnOnce(&mut Machine, u64, &mut Vec<Out>)) {
        let mut out = Vec::new();
        let Some(machine) = self
            .machines
            .get_mut(&member.node)
            .filter(|machine| machine.member == member || !Safeguard::Incarnation.holds())
        else {
            return;
        };
        act(machine, self.now, &mut out);
        for out in out {
            match out {
                Out::Send(to, payload) => self.send(member, to, payload),
                Out::Decide(term, proposer, change) => self.propose(term, proposer, Some(change)),
                Out::Told(request, told) => self.answer(request, told),
                Out::Confirmed(partition, sequence) => {
                    let confirmed = self.confirmed.entry(partition).or_default();
                    *confirmed = (*confirmed).max(sequence);
                }
            }
        }
    }

    fn send(&mut self, from: Member, to: Member, payload: Payload) {
        if from.node == to.node {
            return self.after(0, Event::Arrives { from, to, payload });
        }
        let Weather { lost, repeated, slow } = self.weather;
        let chance = |of: u32, random: &mut StdRng| random.random_range(0..1000) < of;
        let copies = 1 + u32::from(chance(repeated, &mut self.random));
        for _ in 0..copies {
            if !self.hears(from.node, to.node) || chance(lost, &mut self.random) {
                continue;
            }
            let most = if chance(slow, &mut self.random) { 1500 } else { 4 };
            let delay = self.random.random_range(0..=most);
            self.after(delay, Event::Arrives { from, to, payload: payload.clone() });
        }
    }

    fn answer(&mut self, request: Request, told: Told) {
        let delay = self.random.random_range(0..5);
        self.after(delay, Event::Answered(request, told));
    }

    fn ask(&mut self, client: usize) {
        if self.now >= self.asks_until {
            return;
        }
        let pause = self.random.random_range(10..400);
        self.after(pause, Event::Client(client));
        let key = self.random.random_range(0..self.keys);
        let Some(request) = self.clients.ask(client, key, &mut self.random, self.now) else { return };
        // Most know who is primary, and some are wrong.
        let partition = PartitionNumber::of(super::life::key(key).as_bytes());
        let primary = self.configuration.partition(partition).primary().map(|primary| primary.node);
        let any = NodeId::new(self.random.random_range(1..=self.group.voters.len() as u128) << 96);
        let node = primary.filter(|_| self.random.random_bool(0.8)).unwrap_or(any);
        let delay = self.random.random_range(0..5);
        self.after(delay, Event::Asked { node, request });
    }

    fn tick(&mut self, member: Member) {
        if self.machines.get(&member.node).is_none_or(|machine| machine.member != member) {
            return;
        }
        self.after(TICK, Event::Tick(member));
        self.elect();
        self.begin_term(member.node);
        self.spread(member);
        self.register(member);
        self.with(member, Machine::ticked);
    }

    /// What was decided comes to whoever hears a majority, sooner or later.
    fn spread(&mut self, member: Member) {
        if !self.can_lead(member.node) || self.random.random_bool(0.3) {
            return;
        }
        let applied = self.machines[&member.node].applied;
        for place in applied..self.group.decided.len() {
            let entry = self.group.decided[place].clone();
            self.with(member, |machine, now, out| machine.learn(&entry, now, out));
        }
    }

    /// A process that the group does not know tells it.
    fn register(&mut self, member: Member) {
        let known = self.configuration.nodes().get(member.node).map(|node| node.member);
        if known == Some(member) || !self.can_lead(member.node) {
            return;
        }
        let node = Node {
            member,
            name: NodeName::new(format!("n-{}", member.node.get() >> 96)),
            address: "10.0.0.1:7000".into(),
            zone: None,
            weight: 1,
            state: NodeState::Active,
        };
        let (term, register) = (self.group.term, Change::Node(NodeChange::Register { node, instead_of: None }));
        self.propose(term, Proposer::Leader(term), Some(register));
    }

    /// A change that somebody believes to be able to have decided.
    fn propose(&mut self, term: Term, proposer: Proposer, change: Option<Change>) {
        // Now and then it is decided when its proposer has long given it up.
        let delay = if self.random.random_bool(0.03) {
            self.random.random_range(20..2500)
        } else {
            self.random.random_range(1..20)
        };
        self.after(delay, Event::Decided(Entry { term, proposer, change }));
    }

    fn decide(&mut self, entry: Entry) {
        let mut entry = entry;
        if entry.term != self.group.term && entry.change.is_some() && self.random.random_bool(0.5) {
            // It comes to the next leader, who does not know that it is an old one's.
            entry.term = self.group.term;
        }
        let is_led = self.group.leader.is_some_and(|leader| self.can_lead(leader));
        if entry.term != self.group.term || !is_led {
            return;
        }
        if let Some(change) = &entry.change {
            let _ = self.configuration.apply(entry.proposer, entry.term, change);
        }
        self.group.decided.push(entry);
    }

    fn elect(&mut self) {
        let is_led = self.group.leader.is_some_and(|leader| self.can_lead(leader));
        if is_led {
            self.group.headless_since = None;
        } else {
            self.group.headless_since.get_or_insert(self.now);
        }
        let is_due = self.group.headless_since.is_some_and(|since| self.now - since > ELECTION_AFTER);
        if is_due || self.random.random_bool(0.0005) {
            let can_lead: Vec<NodeId> = self.group.voters.iter().copied().filter(|node| self.can_lead(*node)).collect();
            if !can_lead.is_empty() {
                let leader = can_lead[self.random.random_range(0..can_lead.len())];
                self.make_leader(leader);
            }
        }
    }

    fn make_leader(&mut self, node: NodeId) {
        let term = self.group.elect(node);
        for voter in self.around(node) {
            if let Some(machine) = self.machines.get_mut(&voter) {
                machine.follow(term, Some(node));
            }
        }
        let (policy, now) = (self.policy, self.now);
        self.machines.get_mut(&node).expect("it can lead").lead(term, policy, now);
        self.begin_term(node);
    }

    /// A leader's first entry stays in its log until it is decided.
    fn begin_term(&mut self, node: NodeId) {
        let term = self.group.term;
        let has_begun = |entry: &Entry| entry.term == term && entry.change.is_none();
        if self.group.leader == Some(node) && !self.group.decided.iter().any(has_begun) {
            self.propose(term, Proposer::Leader(term), None);
        }
    }

    /// I3, I13: what has to hold whenever one looks.
    pub(super) fn check(&self) -> Result<(), String> {
        for number in 0..self.keys {
            let partition = PartitionNumber::of(super::life::key(number).as_bytes());
            let serving: Vec<Member> = self
                .machines
                .values()
                .filter(|machine| machine.serves(partition, self.now))
                .map(|machine| machine.member)
                .collect();
            if serving.len() > 1 {
                return Err(format!("I3: {serving:?} serve partition {} at once", partition.get()));
            }
            let confirmed = self.confirmed.get(&partition).copied().unwrap_or_default();
            for member in self.configuration.partition(partition).isr() {
                let Some(machine) = self.machines.get(&member.node).filter(|one| one.member == *member) else {
                    continue;
                };
                let replica = machine.replica(partition);
                if replica.log().end().sequence < confirmed {
                    return Err(format!(
                        "I13: {member} is in sync in partition {} and ends at {:?}, and {confirmed} was confirmed",
                        partition.get(),
                        replica.log().end()
                    ));
                }
                if !replica.is_copy() {
                    return Err(format!("I7: {member} is in sync in partition {} and no copy", partition.get()));
                }
            }
        }
        Ok(())
    }
}
