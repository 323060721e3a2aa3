//! Measures kvnode beside other servers and prints what came out; with `--write` it also keeps the pages under
//! `docs/benchmarks`. Nothing it started goes on after it.
#![expect(clippy::print_stdout, reason = "this is a command line")]

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::builder::FalseyValueParser;
use clap::{Parser, ValueEnum};
use kvtenant_tests::progress::say;
use kvtenant_tests::{clock, home};

// Not in the library: tests have no use for it, and what nothing here uses is then found by the compiler.
#[path = "../bench/mod.rs"]
mod bench;

use bench::machine::Cores;
use bench::page::Page;
use bench::stores::{Store, Stores};
use bench::{connections, http, memory, needs, resp, start};

/// Where the pages are kept, in the source tree.
const PAGES: &str = "docs/benchmarks";

/// Fewer keys fit into what the allocator has at hand already, and would seem to cost nothing.
const KEYS_MIN: i64 = 100_000;

/// More than a gigabyte in the node.
const KEYS_MAX: i64 = 5_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Work {
    /// All of the following, one after the other
    All,
    /// HTTP GET beside nginx, and PUT: processor time for a request
    Http,
    /// GET and SET in Redis' protocol beside Valkey and Redis: processor time and throughput
    Resp,
    /// What a key costs in memory, beside Valkey and Redis
    Memory,
    /// 5000 idle and 1000 active connections: errors and latencies
    Connections,
    /// From the start to the first answer with keys on the disk, beside Valkey and Redis
    Start,
}

impl Work {
    fn includes(self, part: Self) -> bool {
        self == Self::All || self == part
    }
}

/// kvnode beside other servers: processor time, throughput, memory and latencies, in turns on the same machine.
///
/// Takes about 35 minutes with these defaults, 20 of them for resp and 7 for http. Best on a machine that has nothing else to do;
/// what others took of it is part of the result.
#[derive(Debug, Parser)]
#[command(version)]
struct Line {
    /// What to measure.
    #[arg(env = "WORK", value_enum, default_value = "all")]
    work: Work,
    /// Servers for resp, memory, connections and start; without it all that are to be had, with it these or an error.
    #[arg(long, env = "SERVERS", value_enum, value_delimiter = ',')]
    servers: Vec<Store>,
    /// Rounds for each load; in each of them every server has its turn.
    #[arg(long, env = "ROUNDS", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=50))]
    rounds: u8,
    /// How long each run lasts.
    #[arg(long, env = "SECONDS_EACH", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds_each: u64,
    /// Keys for resp, memory and start, 100000 to 5000000.
    #[arg(long, env = "KEYS", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(KEYS_MIN..=KEYS_MAX))]
    keys: u32,
    /// Keep each result as a page in docs/benchmarks.
    #[arg(long, env = "WRITE", value_parser = FalseyValueParser::new())]
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
    let cores = Cores::choose()?;
    // Named, so that what a killed run left behind can be told from the folders of other programs.
    let folder = tempfile::Builder::new().prefix("kvtenant-bench-").tempdir()?;
    let (rounds, seconds, keys) = (usize::from(line.rounds), line.seconds_each, line.keys as usize);
    let wanted = |part| line.work.includes(part);

    if wanted(Work::Http) {
        show(line, "http", &http::take(cores, folder.path(), rounds, seconds)?)?;
    }
    if line.work == Work::Http {
        return Ok(());
    }
    let stores = Stores::find(&line.servers)?;
    if wanted(Work::Resp) {
        show(line, "resp", &resp::take(&stores, cores, folder.path(), (rounds, seconds, keys))?)?;
    }
    if wanted(Work::Memory) {
        show(line, "memory", &memory::take(&stores, cores, folder.path(), rounds, keys)?)?;
    }
    if wanted(Work::Connections) {
        show(line, "connections", &connections::take(&stores, cores, folder.path(), rounds, seconds)?)?;
    }
    if wanted(Work::Start) {
        show(line, "start", &start::take(&stores, cores, folder.path(), rounds, keys)?)?;
    }
    Ok(())
}

fn show(line: &Line, name: &str, page: &Page) -> Result<()> {
    println!("{}", page.tables);
    if line.write {
        let path = Path::new(PAGES).join(name).with_extension("md");
        home::write(home::workspace().join(&path), &page.text)?;
        say(format!("The result is kept in {}.", path.display()));
    }
    Ok(())
}
