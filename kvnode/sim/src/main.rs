//! `kvnode-sim`: lives many simulated lives on all cores, and ends with exit code 1 and the one command that repeats
//! the failure when something in one of them is wrong.

mod progress;

use std::io::Write;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use clap::Parser;
use kvnode_sim::life::{Life, Violation};
use kvnode_sim::mutant::Mutation;

use progress::Progress;

/// Seeded simulation of kvnode's core, checked after every step.
#[derive(Debug, Parser)]
#[command(name = "kvnode-sim", version)]
struct Arguments {
    /// How many seeds to run
    #[arg(long, value_name = "N", default_value_t = 1000)]
    seeds: u64,
    /// The first seed; the others follow it
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed_start: u64,
    /// Steps in each life
    #[arg(long, value_name = "N", default_value_t = 400)]
    steps: usize,
    /// A defect put in on purpose; the run must then fail
    #[arg(long, value_name = "NAME")]
    mutant: Option<Mutation>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let progress = Progress::start(arguments.seeds);
    let violation = run(&arguments, &progress);
    progress.finish();
    // The exit code says it too, should nobody be able to read this.
    let mut output = std::io::stdout();
    match violation {
        None => {
            let Arguments { seeds, seed_start, steps, .. } = arguments;
            let _ = writeln!(output, "{seeds} seeds from {seed_start} of {steps} steps: nothing is wrong.");
            ExitCode::SUCCESS
        }
        Some(violation) => {
            let mutant = arguments.mutant.map(|mutant| format!(" MUTANT={}", mutant.name())).unwrap_or_default();
            let _ =
                writeln!(output, "{violation}\nRepeat it with: make sim SEEDS=1 SEED_START={}{mutant}", violation.seed);
            ExitCode::FAILURE
        }
    }
}

/// The violation with the lowest seed of those that were found.
fn run(arguments: &Arguments, progress: &Progress) -> Option<Box<Violation>> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let end = arguments.seed_start.saturating_add(arguments.seeds);
    let next_seed = AtomicU64::new(arguments.seed_start);
    let first: Mutex<Option<Box<Violation>>> = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next_seed.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let life = Life { seed, steps: arguments.steps, mutation: arguments.mutant };
                    if let Err(violation) = life.run() {
                        // No new seeds; those already begun have lower numbers and may fail too.
                        next_seed.store(end, Ordering::Relaxed);
                        let mut first = first.lock().expect("no thread panics with it");
                        if first.as_ref().is_none_or(|first| violation.seed < first.seed) {
                            *first = Some(violation);
                        }
                    }
                    progress.one_more();
                }
            });
        }
    });
    first.into_inner().expect("no thread panics with it")
}
