//! Random lives of a group; and the same without one of its safeguards, which have to go wrong.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::cluster::safeguard::without;

/// A failing run has hundreds of steps, and each try to do with fewer is a run.
const SHRINKS_MAX: u32 = 2000;

/// Lives without a safeguard.
const LIVES_MAX: u32 = 3000;

impl Group {
    fn take(&mut self, step: Step) {
        let members = self.members();
        let primary = self.configuration.partition(PARTITION).primary();
        let primary = primary.filter(|primary| members.contains(primary));
        let anybody = |number: usize| members[number % members.len()];
        // Most of what matters is done by primaries.
        let who = |number: usize| primary.filter(|_| number >= 24).unwrap_or(anybody(number));
        match step {
            Step::Write(number) => self.write(who(number)),
            Step::Deliver(place) => self.deliver(place, false),
            Step::Repeat(place) => self.deliver(place, true),
            Step::Lose(place) => {
                if !self.network.is_empty() {
                    self.network.remove(place % self.network.len());
                }
            }
            Step::Tell(number) => self.tell_configuration(who(number)),
            Step::Decide(place) => self.decide(place, false),
            Step::Forget(place) => self.decide(place, true),
            Step::Flow(words) => (0..words).for_each(|_| self.deliver(0, false)),
            Step::TakeOver(number) => self.lead(PartitionChange::TakeOver { to: anybody(number) }),
            Step::HandOver(from, to) => {
                let to = anybody(to);
                self.act(who(from), |replica, now| replica.hand_over(to, now));
            }
            Step::Join(number) => self.lead(PartitionChange::SetJoining(anybody(number))),
            Step::Clear => self.lead(PartitionChange::ClearJoining),
            Step::Restart(number) => self.restart(anybody(number)),
            Step::Tick(number, passed) => {
                self.now += passed;
                self.tick(who(number));
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Write(usize),
    Deliver(usize),
    Repeat(usize),
    Lose(usize),
    /// So many in their order.
    Flow(usize),
    Tell(usize),
    Decide(usize),
    Forget(usize),
    TakeOver(usize),
    HandOver(usize, usize),
    Join(usize),
    Clear,
    Restart(usize),
    Tick(usize, u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let any = 0_usize..64;
    prop_oneof![
        8 => any.clone().prop_map(Step::Write),
        16 => any.clone().prop_map(Step::Deliver),
        2 => any.clone().prop_map(Step::Repeat),
        2 => any.clone().prop_map(Step::Lose),
        3 => (1_usize..12).prop_map(Step::Flow),
        6 => any.clone().prop_map(Step::Tell),
        3 => any.clone().prop_map(Step::Decide),
        1 => any.clone().prop_map(Step::Forget),
        1 => any.clone().prop_map(Step::TakeOver),
        2 => (any.clone(), any.clone()).prop_map(|(from, to)| Step::HandOver(from, to)),
        2 => any.clone().prop_map(Step::Join),
        1 => Just(Step::Clear),
        1 => any.clone().prop_map(Step::Restart),
        6 => (any, prop_oneof![0_u64..100, 200_u64..1200]).prop_map(|(who, passed)| Step::Tick(who, passed)),
    ]
}

#[derive(Clone, Debug)]
struct Life {
    size: u128,
    copies: u128,
    settings: Settings,
    steps: Vec<Step>,
}

fn any_life() -> impl Strategy<Value = Life> {
    let settings = (1_usize..3, prop::sample::select(vec![0, 30, 1 << 20]))
        .prop_map(|(min_in_sync, kept_bytes)| Settings { min_in_sync, kept_bytes });
    (1_u128..6, 1_u128..4, settings, prop::collection::vec(any_step(), 1..400))
        .prop_map(|(size, copies, settings, steps)| Life { size, copies, settings, steps })
}

impl Life {
    fn live(self) {
        let min_in_sync = self.settings.min_in_sync;
        let mut group = Group::new(self.size, self.copies, self.settings);
        for step in self.steps {
            group.take(step);
            group.check();
        }
        if group.is_lost() {
            return;
        }
        group.heal();
        let partition = group.configuration.partition(PARTITION).clone();
        assert_eq!(partition.isr().len(), group.members().len(), "all have joined");
        let primary = partition.primary().expect("it was made");
        assert!(group.replicas[&primary].serves().is_ok(), "it serves again");
        let before = group.told;
        if partition.isr().len() >= min_in_sync {
            group.write(primary);
            group.heal();
            assert!(group.told > before, "what is written is told");
        }
        for member in partition.isr() {
            assert_eq!(group.replicas[member].log().end(), group.replicas[&primary].log().end());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, max_shrink_iters: SHRINKS_MAX, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_was_told_is_missing_from_anybody_in_sync(life in any_life()) {
        life.live();
    }
}

/// How many lives without it until one goes wrong.
fn missed_after(safeguard: Safeguard) -> Option<u32> {
    let config =
        ProptestConfig { cases: LIVES_MAX, max_shrink_iters: 0, failure_persistence: None, ..Default::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let lives = Cell::new(0);
    let outcome = runner.run(&any_life(), |life| {
        lives.set(lives.get() + 1);
        without(Some(safeguard), || life.live());
        Ok(())
    });
    outcome.is_err().then(|| lives.get())
}

#[test]
fn each_safeguard_would_be_missed() {
    let left_out = [
        Safeguard::Fencing,
        Safeguard::GaplessLog,
        Safeguard::ShrinkWaits,
        Safeguard::GrowCounts,
        Safeguard::GrowCaughtUp,
        Safeguard::SealOnce,
        Safeguard::TailKept,
        Safeguard::HandOverPauses,
        Safeguard::HandOverDecided,
        Safeguard::RowsInOrder,
        Safeguard::LoadedIsNoCopy,
        Safeguard::DeposedIsNoCopy,
        Safeguard::InvitedOnce,
    ];
    for safeguard in left_out {
        let lives =
            missed_after(safeguard).unwrap_or_else(|| panic!("{LIVES_MAX} lives without it were good: {safeguard:?}"));
        println!("without {safeguard:?}, life {lives} went wrong");
    }
}
