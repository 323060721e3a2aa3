//! A simulator that cannot fail proves nothing: each defect put in on purpose must be found, and by which command it is
//! repeated must be said. Without a defect nothing is found.

use std::process::{Command, Output};

use kvnode_core::store::limits::Limits;
use kvnode_core::store::usage::Quota;
use kvnode_core::store::{Eviction, StoreConfig};
use kvnode_sim::census::Census;
use kvnode_sim::life::Life;
use kvnode_sim::mutant::Mutation;

const STEPS: usize = 300;

/// A defect in evictions shows only where memory runs short under one policy, which is one life in five or so.
const SEEDS_PER_MUTANT: u64 = 60;

fn simulate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kvnode-sim")).args(arguments).output().expect("the program can be run")
}

#[test]
fn the_core_lives_through_every_seed_and_meets_with_everything() {
    let mut all = Census::default();
    for seed in 0..80 {
        let lived = Life { seed, steps: STEPS, mutation: None }.run();
        all.add(&lived.unwrap_or_else(|violation| panic!("{violation}")));
    }
    let Census { stored, deleted, made_again, started_above_one, mismatches, .. } = all;
    let Census { unchangeable, memory_full, previous_shown, flushed, expired, evicted, evictions_judged, .. } = all;
    let met = [stored, deleted, made_again, started_above_one, mismatches, unchangeable, memory_full, previous_shown];
    assert!(met.iter().all(|&times| times >= 10), "some of it hardly happens: {all:?}");
    let Census { repeated, keys_reused, answers_full, quota_exceeded, copies_compared, .. } = all;
    let Census { put_back, left_as_newer, .. } = all;
    let kept = [repeated, keys_reused, answers_full, quota_exceeded, copies_compared, put_back, left_as_newer];
    assert!(kept.iter().all(|&times| times >= 10), "some of it hardly happens: {all:?}");
    let gone = [flushed, expired, evicted, evictions_judged];
    assert!(gone.iter().all(|&times| times >= 10), "some of it hardly happens: {all:?}");
}

/// One defect can hide another's invariant behind its own, so each invariant is shown to be able to fail, too.
#[test]
fn every_mutant_is_found_and_every_invariant_is_broken_by_some_mutant() {
    let config = StoreConfig {
        memory_limit: 1,
        tombstone_retention_ms: 1,
        hash_seed: 1,
        limits: Limits::default(),
        eviction: Eviction::None,
    };
    let mut unbroken: Vec<&str> =
        kvnode_sim::invariants::all(&config, Quota::NONE).iter().map(|invariant| invariant.name()).collect();
    let mut unfound = Vec::new();
    for &mutation in Mutation::ALL {
        let found =
            (0..SEEDS_PER_MUTANT).find_map(|seed| Life { seed, steps: STEPS, mutation: Some(mutation) }.run().err());
        match found {
            Some(violation) => unbroken.retain(|name| *name != violation.invariant),
            None => unfound.push(mutation),
        }
    }
    assert!(unfound.is_empty(), "{unfound:?} lived through {SEEDS_PER_MUTANT} seeds");
    assert!(unbroken.is_empty(), "no mutant breaks {unbroken:?}");
}

#[test]
fn the_same_seed_fails_in_the_same_way() {
    let life = Life { seed: 1, steps: STEPS, mutation: Some(Mutation::CountOffByOne) };
    let [first, second] = [(); 2].map(|()| life.run().expect_err("a mutant").to_string());
    assert_eq!(first, second);
}

#[test]
fn a_failing_run_says_how_to_repeat_it_and_ends_with_1() {
    let output = simulate(&["--seeds", "20", "--seed-start", "100", "--mutant", "version-stands-still"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let repeat =
        text.lines().find(|line| line.contains("make sim OF=store SEEDS=1 SEED_START=10")).expect("the command");
    assert!(repeat.ends_with(" MUTANT=version-stands-still"), "{repeat}");
    assert!(text.contains("versions never come twice") || text.contains("outcomes match the model"), "{text}");
    assert!(output.stderr.is_empty(), "no progress where no terminal is");
}

#[test]
fn a_good_run_ends_with_0() {
    let output = simulate(&["--seeds", "20"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}
