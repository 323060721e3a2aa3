//! One run of a seed: some nodes, some clients, some faults, then none; and what has to be true at the end.

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use kvnode_core::cluster::configuration::Role;
use kvnode_core::cluster::leader::Policy;
use kvnode_core::cluster::member::{Member, NodeId};
use kvnode_core::cluster::replica::Settings;
use kvnode_core::cluster::safeguard::{Safeguard, without};
use kvnode_core::store::slot::PartitionNumber;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::linear::{self, Operation, Verdict};
use super::world::{Event, Weather, World};

/// Keys of a life: few, so that clients meet on them.
const KEYS: usize = 3;

const CLIENTS: usize = 4;

/// Milliseconds in which the cluster begins, in which there are faults, and in which there are none any more.
const BEGINS: u64 = 2_000;
const FAULTS: u64 = 15_000;
const HEALED: u64 = 15_000;

/// How often it is looked whether everything has come back, and how many milliseconds lie between two looks.
const LOOKS: usize = 30;
const LOOK_AFTER: u64 = 100;

/// Checked after so many events.
const CHECK_EVERY: usize = 8;

#[derive(Debug)]
pub struct Violation {
    pub seed: u64,
    pub what: String,
    /// The faults and what was decided, in their order.
    pub trace: Vec<String>,
}

/// What a life has come to see.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub answered: u64,
    pub decided: usize,
    pub terms: u64,
    pub lost: bool,
}

pub(super) fn key(number: usize) -> String {
    format!("key-{number}")
}

pub fn run(seed: u64, left_out: Option<Safeguard>) -> Result<Seen, Box<Violation>> {
    without(left_out, || {
        let mut life = Life::new(seed);
        // An assertion of the core itself is as good as an invariant.
        let lived = catch_unwind(AssertUnwindSafe(|| life.live())).unwrap_or_else(|panic| Err(said_in(panic.as_ref())));
        lived.map_err(|what| Box::new(Violation { seed, what, trace: std::mem::take(&mut life.trace) }))
    })
}

fn said_in(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    format!("assertion: {}", text.unwrap_or("it says nothing"))
}

struct Life {
    world: World,
    nodes: usize,
    trace: Vec<String>,
    /// What ends when.
    faults: Vec<(u64, Fault)>,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Ended(NodeId),
    Cut(NodeId, NodeId),
    Weather,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let nodes = random.random_range(3..=4);
        let policy = Policy { copies: random.random_range(2..=3), begins_with: nodes, recreates: false };
        let kept_bytes = if random.random_bool(0.5) { 0 } else { 1 << 16 };
        let settings = Settings { min_in_sync: random.random_range(1..=2), kept_bytes };
        let world = World::new(random, nodes, KEYS, policy, settings);
        Self { world, nodes, trace: vec![format!("{nodes} nodes, {policy:?}, {settings:?}")], faults: Vec::new() }
    }

    fn live(&mut self) -> Result<Seen, String> {
        self.until(BEGINS, false)?;
        for client in 0..CLIENTS {
            self.world.after(0, Event::Client(client));
        }
        self.until(BEGINS + FAULTS, true)?;
        self.heal();
        self.until(BEGINS + FAULTS + HEALED, false)?;
        self.world.asks_until = self.world.now;
        let lost = self.is_lost();
        // With a new leader nobody serves for a moment, so one look is not enough.
        for _ in 0..LOOKS {
            self.until(self.world.now + LOOK_AFTER, false)?;
            if self.has_converged().is_ok() {
                break;
            }
        }
        if !lost {
            self.has_converged()?;
        }
        let seen = Seen {
            answered: self.world.clients.answered,
            decided: self.world.group.decided.len(),
            terms: self.world.group.term.0,
            lost,
        };
        for (key, history) in std::mem::take(&mut self.world.clients).finish() {
            let verdict = linear::judge(&history);
            if verdict != Verdict::Linearizable {
                return Err(format!("I12: what was told of key {key} is {verdict:?}:\n{}", Listed(&history)));
            }
        }
        Ok(seen)
    }

    fn until(&mut self, end: u64, faulty: bool) -> Result<(), String> {
        let mut events = 0;
        let mut next_fault = self.world.now;
        let mut decided = self.world.group.decided.len();
        loop {
            if faulty && self.world.now >= next_fault {
                self.fault();
                next_fault = self.world.now + self.world.random.random_range(50..1500);
            }
            if !self.world.step(end) {
                return self.world.check();
            }
            for entry in &self.world.group.decided[decided..] {
                self.trace.push(format!("{:>6} decided in term {}: {:?}", self.world.now, entry.term.0, entry.change));
            }
            decided = self.world.group.decided.len();
            events += 1;
            if events % CHECK_EVERY == 0 {
                self.world.check()?;
            }
        }
    }

    fn note(&mut self, what: &str) {
        self.trace.push(format!("{:>6} {what}", self.world.now));
    }

    fn any_node(&mut self) -> NodeId {
        NodeId::new(self.world.random.random_range(1..=self.nodes as u128) << 96)
    }

    fn fault(&mut self) {
        let now = self.world.now;
        let over: Vec<(u64, Fault)> = self.faults.extract_if(.., |(until, _)| *until <= now).collect();
        for (_, fault) in over {
            self.end_fault(fault);
        }
        let lasts = self.world.random.random_range(100..4000);
        let (node, other) = (self.any_node(), self.any_node());
        match self.world.random.random_range(0..10) {
            0 | 1 if self.can_do_without(node) => {
                self.note(&format!("{} ends for {lasts}", named(node)));
                self.world.end(node);
                self.faults.push((now + lasts, Fault::Ended(node)));
            }
            2 | 3 => {
                self.note(&format!("{} sleeps for {lasts}", named(node)));
                self.world.asleep_until.insert(node, now + lasts);
            }
            4..=6 if node != other => {
                self.note(&format!("{} is not heard by {} for {lasts}", named(node), named(other)));
                self.world.cut.insert((node, other));
                self.faults.push((now + lasts, Fault::Cut(node, other)));
                if self.world.random.random_bool(0.5) {
                    self.note("nor the other way round");
                    self.world.cut.insert((other, node));
                    self.faults.push((now + lasts, Fault::Cut(other, node)));
                }
            }
            7 | 8 => {
                let random = &mut self.world.random;
                let weather = Weather {
                    lost: random.random_range(0..300),
                    repeated: random.random_range(0..100),
                    slow: random.random_range(0..100),
                };
                self.note(&format!("{weather:?} for {lasts}"));
                self.world.weather = weather;
                self.faults.push((now + lasts, Fault::Weather));
            }
            9 => {
                let wrong = self.world.random.random_range(-5000..5000);
                if let Some(machine) = self.world.machines.get_mut(&node) {
                    machine.wrong = wrong;
                    self.note(&format!("the clock of {} is {wrong} ms off", named(node)));
                }
            }
            _ => {}
        }
    }

    /// The last copy of anything does not end: that is a life of its own.
    fn can_do_without(&self, node: NodeId) -> bool {
        let World { machines, configuration, .. } = &self.world;
        let is_there = |member: &Member| machines.get(&member.node).is_some_and(|machine| machine.member == *member);
        let has_another = |partition: PartitionNumber| {
            configuration.partition(partition).isr().iter().any(|member| member.node != node && is_there(member))
        };
        machines.contains_key(&node) && partitions().all(has_another)
    }

    fn end_fault(&mut self, fault: Fault) {
        self.note(&format!("over: {fault:?}"));
        match fault {
            Fault::Ended(node) => self.world.begin(node),
            Fault::Cut(from, to) => drop(self.world.cut.remove(&(from, to))),
            Fault::Weather => self.world.weather = Weather::default(),
        }
    }

    fn heal(&mut self) {
        for (_, fault) in std::mem::take(&mut self.faults) {
            self.end_fault(fault);
        }
        self.world.asleep_until.clear();
    }

    /// Every copy of some partition has ended.
    fn is_lost(&self) -> bool {
        let configuration = &self.world.configuration;
        partitions().any(|partition| configuration.partition(partition).all_over(configuration.nodes()))
    }

    /// I10
    fn has_converged(&self) -> Result<(), String> {
        for partition in partitions() {
            let state = self.world.configuration.partition(partition);
            let wanted = self.world.policy.copies.min(self.nodes);
            let serving = self.world.machines.values().filter(|machine| machine.serves(partition, self.world.now));
            let serving: Vec<_> = serving.map(|machine| machine.member).collect();
            if state.isr().len() != wanted || serving.len() != 1 {
                let members = self
                    .world
                    .machines
                    .values()
                    .map(|machine| format!("\n  {} {:?}", machine.member, machine.replica(partition)));
                let members: String = members.collect();
                return Err(format!(
                    "I10: partition {} has not come back: {state:?}, served by {serving:?}{members}",
                    partition.get()
                ));
            }
            let copies = state.isr().iter().map(|member| self.world.machines[&member.node].rows(partition));
            let copies: BTreeSet<BTreeSet<Vec<u8>>> = copies.collect();
            if copies.len() > 1 {
                return Err(format!("I14: the copies of partition {} differ: {state:?}", partition.get()));
            }
            debug_assert!(state.primary().is_some_and(|primary| state.role_of(primary) == Some(Role::Primary)));
        }
        Ok(())
    }
}

struct Listed<'h>(&'h [Operation]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut history = self.0.to_vec();
        history.sort_by_key(|one| one.began);
        for Operation { kind, began, ended } in history {
            let ended = ended.map_or_else(|| "?".to_owned(), |ended| ended.to_string());
            writeln!(formatter, "{began:>7} – {ended:<7} {kind:?}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trace {
            writeln!(formatter, "{line}")?;
        }
        write!(formatter, "cluster seed {}: {}", self.seed, self.what)
    }
}

fn partitions() -> impl Iterator<Item = PartitionNumber> {
    (0..KEYS).map(|number| PartitionNumber::of(key(number).as_bytes()))
}

/// As a member's name begins.
fn named(node: NodeId) -> String {
    format!("{:08x}", node.get() >> 96)
}
