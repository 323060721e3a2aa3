//! Lives of a cluster: they are good, the same seed is the same life, and without a safeguard they go wrong.

use std::process::Command;

use kvnode_core::cluster::safeguard::Safeguard;
use kvnode_sim::cluster::life;

/// `make sim` has thousands, in a faster build.
const SEEDS: u64 = 12;

#[test]
fn a_cluster_lives_through_every_seed_and_its_clients_are_answered() {
    let mut answered = 0;
    let mut terms = 0;
    for seed in 1..=SEEDS {
        let seen = life::run(seed, None).unwrap_or_else(|violation| panic!("{violation}"));
        answered += seen.answered;
        terms += seen.terms;
    }
    assert!(answered > 100 * SEEDS, "clients are hardly ever answered: {answered}");
    assert!(terms > SEEDS, "leaders hardly ever change: {terms}");
}

#[test]
fn the_same_seed_is_the_same_life() {
    let live = |seed| life::run(seed, Some(Safeguard::TakeWaits)).err().map(|violation| violation.to_string());
    let (seed, first) = (1..=SEEDS).find_map(|seed| Some((seed, live(seed)?))).expect("it is missed");
    assert_eq!(live(seed), Some(first));
}

#[test]
fn a_failing_life_shows_what_happened_and_how_to_repeat_it() {
    let arguments = ["--of", "cluster", "--seeds", "3", "--without", "TakeWaits"];
    let output =
        Command::new(env!("CARGO_BIN_EXE_kvnode-sim")).args(arguments).output().expect("the program can be run");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("Repeat it with: make sim OF=cluster SEEDS=1 SEED_START="), "{text}");
    assert!(text.contains(" WITHOUT=TakeWaits") && text.contains("I3: "), "{text}");
    assert!(text.contains("decided in term"), "what happened is shown: {text}");
}
