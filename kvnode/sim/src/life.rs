//! One simulated life: everything that happens to a node under one seed, and the first thing that is wrong with it.

use kvnode_core::store::command::{KeyAction, KeyCommand};
use kvnode_core::store::key::Address;
use kvnode_core::store::outcome::Reply;
use kvnode_core::store::usage::Quota;
use kvnode_core::time::UnixMillis;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use thiserror::Error;

use crate::census::{Census, Past};
use crate::clock::VirtualClock;
use crate::invariants::{self, View, evictions_spare_the_used};
use crate::model::{Known, Model};
use crate::mutant::{Mutant, Mutation};
use crate::probe::{self, Shown};
use crate::replica::Replica;
use crate::subject::{Core, Subject};
use crate::trace::Trace;
use crate::workload::{NAMESPACES, Step, Workload};

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
        let more = u64::from(self.mutation == Some(Mutation::QuotaOffByOne));
        let Quota { keys_max, bytes_max } = workload.quota;
        let quota = Quota { keys_max: keys_max.saturating_add(more), bytes_max };
        let core = Core::with_quota(&workload.config, quota);
        let mut subject: Box<dyn Subject> = match self.mutation {
            None => Box::new(core),
            Some(mutation) => Box::new(Mutant::new(core, mutation, workload.config.eviction)),
        };
        let mut invariants = invariants::all(&workload.config, workload.quota);
        let mut model = Model::with_quota(&workload.config, workload.is_roomy(), workload.quota);
        let mut replica = Replica::new(&workload.config, random.random_range(1..=self.steps));
        let mut clock = VirtualClock::default();
        let mut trace = Trace::default();
        let mut census = Census::default();
        for number in 1..=self.steps {
            clock.advance(&mut random);
            let now = clock.now();
            let step = workload.next_step(now, &mut random);
            let own = step.address();
            let before = own.and_then(|address| model.get(address)).cloned();
            let past = Past {
                buried: own.is_some_and(|address| model.is_buried(address)),
                fresh: own.is_some_and(|address| model.is_fresh(address)),
                put_back: matches!(step.command(), Some(KeyCommand { action: KeyAction::PutBack(_), .. })),
            };
            let repeated = step.command().is_some_and(|command| model.has_answered(command, now));
            let accounts_before = subject.accounts();
            let answer = subject.take(&step, now);
            let accounts = subject.accounts();
            let evictions = accounts.evicted - accounts_before.evicted;
            let judgement = model.judge(&step, now, &answer);
            trace.note(number, now, &step, &answer);
            census.note(&answer, past, repeated);

            let other = workload.any_address(&mut random);
            let found = look(&step, &other, now, evictions, subject.as_mut(), &mut model);
            let copied = replica.follow(number, subject.as_mut());
            census.evicted += found.evicted.len() as u64;
            let view = View {
                step: &step,
                now,
                answer: &answer,
                judgement: &judgement,
                model: &model,
                accounts_before,
                accounts,
                shown: &found.shown,
                probes: &found.gets,
                before: before.as_ref(),
                past_tombstone: past.buried,
                evicted: &found.evicted,
                repeated,
                copied: &copied,
            };
            census.evictions_judged += evictions_spare_the_used::judged(&view);
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
        census.copies_compared = replica.compared();
        Ok(census)
    }
}

struct Found {
    shown: Vec<Shown>,
    gets: Vec<(Address<'static>, Reply)>,
    evicted: Vec<(Address<'static>, Known)>,
}

/// Looks at the node from outside. The model is told of the time and the uses that this shows the node, too.
fn look(
    step: &Step,
    other: &Address<'static>,
    now: UnixMillis,
    evictions: u64,
    subject: &mut dyn Subject,
    model: &mut Model,
) -> Found {
    model.all_advance(now);
    let shown = probe::show_all(now, subject);
    let is_shown = |address: &Address<'static>| {
        let mut own = shown.iter().filter(|shown| shown.namespace == address.namespace);
        own.any(|shown| shown.listed.iter().any(|key| **key == *address.key.as_str()))
    };
    let evicted = model.bury_evicted(evictions, is_shown);
    // The step's key in every namespace: what was done in one must not be seen in another.
    let own = step
        .address()
        .into_iter()
        .flat_map(|address| NAMESPACES.map(|namespace| Address { namespace, key: address.key.clone() }));
    let get = |address: Address<'static>| {
        let get = probe::get(&address);
        let answer = subject.take(&get, now);
        // What is wrong with it is for the invariants to say.
        drop(model.judge(&get, now, &answer));
        (address, probe::reply(answer))
    };
    let gets = own.chain([other.clone()]).map(get).collect();
    Found { shown, gets, evicted }
}
