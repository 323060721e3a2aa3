//! Measures kvnode beside other servers and prints what came out; with `--write` it also keeps the page under
//! `docs/benchmarks`. Nothing it started goes on after it.
#![expect(clippy::print_stdout, reason = "this is a command line")]

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use kvtenant_tests::progress::{Step, say};
use kvtenant_tests::{clock, home};

// Not in the library: tests have no use for it, and what nothing here uses is then found by the compiler.
#[path = "../bench/mod.rs"]
mod bench;

use bench::machine::{self, Cores};
use bench::report::{self, Findings};
use bench::subjects::Bench;
use bench::{memory, needs, turns};

/// Where the page is kept, in the source tree.
const PAGE: &str = "docs/benchmarks/http.md";

/// Fewer keys fit into what the allocator has at hand already, and would seem to cost nothing.
const KEYS_MIN: i64 = 100_000;

/// Some minutes of writing, and more than a gigabyte in the node.
const KEYS_MAX: i64 = 5_000_000;

/// kvnode's HTTP GET beside nginx and its PUT, by processor time per request, and what a key costs in memory.
///
/// Takes about seven minutes with these defaults. Best on a machine that has nothing else to do; what others took of it
/// is part of the result.
#[derive(Debug, Parser)]
#[command(version)]
struct Line {
    /// Pairs of runs for each load.
    #[arg(long, env = "ROUNDS", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=50))]
    rounds: u8,
    /// How long each run lasts.
    #[arg(long, env = "SECONDS_EACH", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds_each: u64,
    /// Keys that are written to measure memory, 100000 to 5000000.
    #[arg(long, env = "KEYS", default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(KEYS_MIN..=KEYS_MAX))]
    keys: u32,
    /// Keep the result in docs/benchmarks/http.md.
    #[arg(long, env = "WRITE")]
    write: bool,
}

fn main() -> ExitCode {
    match run(&Line::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format!("bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(line: &Line) -> Result<()> {
    clock::end_waits_on_signals()?;
    needs::ensure()?;
    let kvnode = needs::kvnode()?;
    let machine = machine::describe(&kvnode)?;
    let cores = Cores::choose()?;
    // Named, so that what a killed run left behind can be told from the folders of other programs.
    let folder = tempfile::Builder::new().prefix("kvtenant-bench-").tempdir()?;
    let (rounds, keys) = (usize::from(line.rounds), line.keys as usize);

    let bytes_per_key = memory::per_key(&kvnode, cores, folder.path(), keys)?;
    let step = Step::start("starting kvnode, nginx and redis-server");
    let bench = Bench::start(&kvnode, cores, folder.path())?;
    step.done(format!("bodies of {} bytes", bench.body_bytes));
    let outcome = turns::take(&bench, cores, rounds, line.seconds_each)?;

    let body_bytes = bench.body_bytes;
    let findings = Findings { machine, rounds, seconds: line.seconds_each, body_bytes, outcome, keys, bytes_per_key };
    println!("{}", report::tables(&findings));
    if line.write {
        home::write(home::workspace().join(PAGE), report::page(&findings))?;
        say(format!("The result is kept in {PAGE}."));
    }
    Ok(())
}
