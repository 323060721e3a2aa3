//! `kvnode-sim`: lives many simulated lives on all cores, and ends with exit code 1 and the one command that repeats
//! the failure when something in one of them is wrong.

mod progress;

use std::fmt::Display;
use std::io::Write;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use clap::{Parser, ValueEnum};
use kvnode_core::cluster::safeguard::Safeguard;
use kvnode_sim::cluster;
use kvnode_sim::life::Life;
use kvnode_sim::mutant::Mutation;

use progress::Progress;

/// Seeded simulation of kvnode's core, checked all the time.
#[derive(Debug, Parser)]
#[command(name = "kvnode-sim", version)]
struct Arguments {
    /// What is simulated
    #[arg(long, value_enum, default_value_t = Of::Store)]
    of: Of,
    /// How many seeds to run
    #[arg(long, value_name = "N", default_value_t = 1000)]
    seeds: u64,
    /// The first seed; the others follow it
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed_start: u64,
    /// Steps in each life of a store
    #[arg(long, value_name = "N", default_value_t = 400)]
    steps: usize,
    /// A defect of the store put in on purpose; the run must then fail
    #[arg(long, value_name = "NAME")]
    mutant: Option<Mutation>,
    /// A safeguard of the cluster left out on purpose; the run must then fail
    #[arg(long, value_name = "NAME", value_parser = safeguard)]
    without: Option<Safeguard>,
    /// Leaves out each safeguard of the cluster in turn, and prints after how many seeds that was noticed
    #[arg(long)]
    each_safeguard: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Of {
    /// The store of one node
    Store,
    /// Nodes with faults, and clients whose histories are judged
    Cluster,
}

/// Without one of these a cluster goes on for very long, because another safeguard stands behind it. Lives of one
/// partition, which know no leases and decide what was proposed whenever they like, go wrong soon
/// (`kvnode/core/src/cluster/replica/tests`).
const SEEN_IN_A_PARTITION: [Safeguard; 3] = [Safeguard::Fencing, Safeguard::HandOverDecided, Safeguard::LoadedIsNoCopy];

/// What was wrong in the life of a seed.
struct Found {
    seed: u64,
    what: String,
}

fn safeguard(name: &str) -> Result<Safeguard, String> {
    let known = || Safeguard::ALL.into_iter().map(|one| format!("{one:?}"));
    let place = known().position(|known| known == name);
    let names = || known().collect::<Vec<_>>().join(", ");
    place.map(|place| Safeguard::ALL[place]).ok_or_else(|| format!("there is no such safeguard; there are {}", names()))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.each_safeguard {
        return each_safeguard(&arguments);
    }
    let found = run(&arguments, arguments.without);
    // The exit code says it too, should nobody be able to read this.
    let mut output = std::io::stdout();
    match found {
        None => {
            let Arguments { seeds, seed_start, .. } = arguments;
            let of = arguments.of.to_possible_value().expect("none is hidden");
            let _ = writeln!(output, "{seeds} seeds of the {} from {seed_start}: nothing is wrong.", of.get_name());
            ExitCode::SUCCESS
        }
        Some(Found { seed, what }) => {
            let more = arguments.mutant.map(|mutant| format!(" MUTANT={}", mutant.name()));
            let more = more.or(arguments.without.map(|without| format!(" WITHOUT={without:?}"))).unwrap_or_default();
            let of = arguments.of.to_possible_value().expect("none is hidden");
            let repeat = format!("make sim OF={} SEEDS=1 SEED_START={seed}{more}", of.get_name());
            let _ = writeln!(output, "{what}\nRepeat it with: {repeat}");
            ExitCode::FAILURE
        }
    }
}

/// A table of safeguards, and whether each of them was missed.
fn each_safeguard(arguments: &Arguments) -> ExitCode {
    let mut output = std::io::stdout();
    let _ = writeln!(output, "| left out | seeds until it was noticed | by |\n|---|---|---|");
    let mut all_missed = true;
    for safeguard in Safeguard::ALL {
        let found = run(arguments, Some(safeguard));
        let (seeds, by) = match &found {
            Some(Found { seed, what }) => ((seed - arguments.seed_start + 1).to_string(), invariant_of(what)),
            None => (format!("not within {}", arguments.seeds), ""),
        };
        all_missed &= found.is_some() || SEEN_IN_A_PARTITION.contains(&safeguard);
        let _ = writeln!(output, "| {safeguard:?} | {seeds} | {by} |");
    }
    if all_missed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// `I12` of what is said about a violation.
fn invariant_of(what: &str) -> &str {
    what.lines()
        .find_map(|line| line.strip_prefix("cluster seed ")?.split(' ').nth(1))
        .unwrap_or("a panic")
        .trim_end_matches(':')
}

fn live(arguments: &Arguments, without: Option<Safeguard>, seed: u64) -> Result<(), String> {
    fn said(violation: impl Display) -> String {
        violation.to_string()
    }
    match arguments.of {
        Of::Store => Life { seed, steps: arguments.steps, mutation: arguments.mutant }.run().map(drop).map_err(said),
        Of::Cluster => cluster::life::run(seed, without).map(drop).map_err(said),
    }
}

/// The first seed that went wrong of those that were found.
fn run(arguments: &Arguments, without: Option<Safeguard>) -> Option<Found> {
    let progress = Progress::start(arguments.seeds);
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let end = arguments.seed_start.saturating_add(arguments.seeds);
    let next_seed = AtomicU64::new(arguments.seed_start);
    let first: Mutex<Option<Found>> = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next_seed.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    if let Err(what) = live(arguments, without, seed) {
                        // No new seeds; those already begun have lower numbers and may fail too.
                        next_seed.store(end, Ordering::Relaxed);
                        let mut first = first.lock().expect("no thread panics with it");
                        if first.as_ref().is_none_or(|first| seed < first.seed) {
                            *first = Some(Found { seed, what });
                        }
                    }
                    progress.one_more();
                }
            });
        }
    });
    progress.finish();
    first.into_inner().expect("no thread panics with it")
}
