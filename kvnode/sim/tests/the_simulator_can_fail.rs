//! A simulator that cannot fail proves nothing: each defect put in on purpose must be found, and by which command it is
//! repeated must be said. Without a defect nothing is found.

use std::process::{Command, Output};

use kvnode_sim::census::Census;
use kvnode_sim::life::Life;
use kvnode_sim::mutant::Mutation;

const STEPS: usize = 300;

fn simulate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kvnode-sim")).args(arguments).output().expect("the program can be run")
}

#[test]
fn the_core_lives_through_every_seed_and_meets_with_everything() {
    let mut all = Census::default();
    for seed in 0..60 {
        let lived = Life { seed, steps: STEPS, mutation: None }.run();
        let census = lived.unwrap_or_else(|violation| panic!("{violation}"));
        all.made_again += census.made_again;
        all.started_above_one += census.started_above_one;
        all.mismatches += census.mismatches;
        all.memory_full += census.memory_full;
        all.expired += census.expired;
    }
    let met = [all.made_again, all.started_above_one, all.mismatches, all.memory_full, all.expired];
    assert!(met.iter().all(|&times| times >= 10), "some of it hardly happens: {all:?}");
}

#[test]
fn every_mutant_is_found_within_a_few_seeds() {
    for mutation in Mutation::ALL {
        let found = (0..40).find_map(|seed| Life { seed, steps: STEPS, mutation: Some(mutation) }.run().err());
        assert!(found.is_some(), "{mutation:?} lived through 40 seeds");
    }
}

/// One defect can hide another's invariant behind its own, so each invariant is shown to be able to fail.
#[test]
fn every_invariant_is_broken_by_some_mutant() {
    let config = kvnode_core::store::StoreConfig { memory_limit: 1, tombstone_retention_ms: 1, hash_seed: 1 };
    let mut unbroken: Vec<&str> =
        kvnode_sim::invariants::all(&config).iter().map(|invariant| invariant.name()).collect();
    for mutation in Mutation::ALL {
        for seed in 0..20 {
            if let Err(violation) = (Life { seed, steps: STEPS, mutation: Some(mutation) }).run() {
                unbroken.retain(|name| *name != violation.invariant);
            }
        }
    }
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
    let repeat = text.lines().find(|line| line.contains("make sim SEEDS=1 SEED_START=10")).expect("the command");
    assert!(repeat.ends_with(" MUTANT=version-stands-still"), "{repeat}");
    assert!(text.contains("versions never come twice") || text.contains("outcomes match the model"), "{text}");
    assert!(output.stderr.is_empty(), "no progress where no terminal is");
}

#[test]
fn a_good_run_ends_with_0() {
    let output = simulate(&["--seeds", "20"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}
