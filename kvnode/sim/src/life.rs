//! One simulated life: everything that happens to a node under one seed, and the first thing that is wrong with it.

use kvnode_core::store::command::{Command, List, PageLimit};
use kvnode_core::store::key::{Address, KeyPart, Namespace};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::Reply;
use kvnode_core::time::UnixMillis;
use rand::SeedableRng;
use rand::rngs::StdRng;
use thiserror::Error;

use crate::census::Census;
use crate::clock::VirtualClock;
use crate::invariants::{self, View};
use crate::model::Model;
use crate::mutant::{Mutant, Mutation};
use crate::subject::{Core, Subject};
use crate::trace::Trace;
use crate::workload::{Step, Workload};

/// Keys of a page when everything is listed; small, so that pages are put together.
const PAGE_KEYS: usize = 15;

#[derive(Clone, Copy, Debug)]
pub struct Life {
    pub seed: u64,
    pub steps: usize,
    pub mutation: Option<Mutation>,
}

/// An invariant that did not hold.
#[derive(Clone, Debug, Error)]
#[error(
    "seed {seed}, step {step}: '{invariant}' does not hold: {what}\nThe model says to the step's outcome: {judgement}\n\n{trace}"
)]
pub struct Violation {
    pub seed: u64,
    pub step: usize,
    pub invariant: &'static str,
    pub what: String,
    pub judgement: String,
    pub trace: Trace,
}

impl Life {
    pub fn run(&self) -> Result<Census, Box<Violation>> {
        let mut random = StdRng::seed_from_u64(self.seed);
        let workload = Workload::new(&mut random);
        let core = Core::new(workload.config);
        let mut subject: Box<dyn Subject> = match self.mutation {
            None => Box::new(core),
            Some(mutation) => Box::new(Mutant::new(core, mutation)),
        };
        let mut invariants = invariants::all(&workload.config);
        let mut model = Model::new(workload.config.tombstone_retention_ms, workload.is_roomy());
        let mut clock = VirtualClock::default();
        let mut trace = Trace::default();
        let mut census = Census::default();
        for number in 1..=self.steps {
            clock.advance(&mut random);
            let now = clock.now();
            let step = workload.next_step(&mut random);
            let own = own_address(&step);
            let before = own.and_then(|address| model.get(address)).cloned();
            let known_before = own.is_some_and(|address| model.knew(address));
            let accounts_before = subject.accounts();
            let (outcome, judgement) = take(&step, now, subject.as_mut(), &mut model);
            trace.note(number, now, &step, outcome.as_ref());
            if let Some(outcome) = &outcome {
                census.note(outcome, known_before);
            }
            let accounts = subject.accounts();

            let other = workload.any_address(&mut random);
            let addresses = own.into_iter().chain([&other]).cloned();
            let found = probe(addresses, now, subject.as_mut(), &mut model);
            let view = View {
                step: &step,
                now,
                outcome: outcome.as_ref(),
                judgement: &judgement,
                model: &model,
                accounts_before,
                accounts,
                listed: &found.listed,
                counted: found.counted,
                probes: &found.gets,
                before: before.as_ref(),
            };
            for invariant in &mut invariants {
                invariant.check(&view).map_err(|what| {
                    Box::new(Violation {
                        seed: self.seed,
                        step: number,
                        invariant: invariant.name(),
                        what,
                        judgement: judgement.clone().err().unwrap_or_else(|| "nothing to object".to_owned()),
                        trace: trace.clone(),
                    })
                })?;
            }
        }
        census.expired = model.expired();
        Ok(census)
    }
}

fn own_address(step: &Step) -> Option<&Address> {
    match step {
        Step::Execute(Command::Key(command)) => Some(&command.address),
        _ => None,
    }
}

type Taken = (Option<kvnode_core::store::outcome::Outcome>, Result<(), String>);

fn take(step: &Step, now: UnixMillis, subject: &mut dyn Subject, model: &mut Model) -> Taken {
    match step {
        Step::Execute(command) => {
            let outcome = subject.execute(command.clone(), now);
            let judgement = model.judge(command, now, &outcome);
            (Some(outcome), judgement)
        }
        Step::Sweep { turn } => {
            subject.sweep(now, *turn);
            model.all_advance(now);
            (None, Ok(()))
        }
    }
}

struct Found {
    listed: Vec<Box<str>>,
    counted: u64,
    gets: Vec<(Address, Reply)>,
}

/// Looks at the node from outside. The model is told of the time that this shows the node, too.
fn probe(
    addresses: impl Iterator<Item = Address>,
    now: UnixMillis,
    subject: &mut dyn Subject,
    model: &mut Model,
) -> Found {
    model.all_advance(now);
    let counted = match subject.execute(Command::count(Namespace::Shared), now) {
        Ok(Reply::Count(keys)) => keys,
        other => unreachable!("a count was answered with {other:?}"),
    };
    let listed = list_all(now, subject);
    let get = |address: Address| {
        let reply = subject.execute(Command::get(address.clone()), now);
        (address, reply.expect("a get is never refused"))
    };
    Found { listed, counted, gets: addresses.map(get).collect() }
}

fn list_all(now: UnixMillis, subject: &mut dyn Subject) -> Vec<Box<str>> {
    let limits = Limits::default();
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let list = List {
            namespace: Namespace::Shared,
            prefix: KeyPart::default(),
            after,
            limit: PageLimit::new(PAGE_KEYS).expect("within the range"),
        };
        let Ok(Reply::Keys(page)) = subject.execute(Command::list(list), now) else {
            unreachable!("a list is answered with keys")
        };
        listed.extend(page.keys);
        match page.next {
            None => return listed,
            Some(next) => after = Some(KeyPart::new(&next, "cursor", &limits).expect("a key that was listed")),
        }
    }
}
