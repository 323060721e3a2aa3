//! Many connections at once: five thousand that do nothing and a thousand that ask. How long answers take at half of
//! what the server can do, and whether any fails.

mod client;
mod files;
mod protocol;
mod report;

use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use http::Method;
use kvtenant_tests::progress::Step;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

use self::client::{Round, Target};
use self::protocol::{Protocol, key_path};
use super::machine::{self, Cores, Machine, Places};
use super::page::Page;
use super::redis_benchmark::VALUE_BYTES;
use super::resp_connection::{Keys, RespConnection};
use super::sample::{Done, Sample, measure};
use super::servers::{self, Server};
use super::stores::Stores;
use super::turns::{Rounds, Turns};

/// Connections that are open and do nothing.
const IDLE: usize = 5_000;

/// Connections that ask.
const ACTIVE: usize = 1_000;

/// A server at one of its ports.
#[derive(Debug)]
struct Subject {
    name: String,
    protocol: Protocol,
    server: Server,
}

/// One round of one subject.
#[derive(Debug)]
struct Taken {
    sample: Sample,
    round: Round,
}

impl AsRef<Sample> for Taken {
    fn as_ref(&self) -> &Sample {
        &self.sample
    }
}

/// All that a page is made from.
#[derive(Debug)]
struct Findings<'s> {
    stores: &'s Stores,
    machine: Machine,
    turns: Turns,
    seconds: u64,
    names: Vec<String>,
    rounds: Rounds<Taken>,
}

pub(crate) fn take(stores: &Stores, cores: Cores, folder: &Path, rounds: usize, seconds: u64) -> Result<Page> {
    files::allow(IDLE + ACTIVE)?;
    let machine = machine::describe(stores.versions()?)?;
    let subjects = subjects(stores, cores, folder)?;
    ensure!(!subjects.is_empty(), "there is no server to connect to");
    let places = Places { server: cores.servers, client: cores.spare.unwrap_or(cores.servers) };
    let names: Vec<&str> = subjects.iter().map(|subject| subject.name.as_str()).collect();
    let step = Step::start(format!("{IDLE} idle and {ACTIVE} active connections: {}", names.join(", ")));
    let mut turns = Turns::new(rounds);
    let rounds = turns.take(&step, &names, |index| hold(&subjects[index], places, seconds))?;
    step.done("");
    let names = names.into_iter().map(str::to_owned).collect();
    let findings = Findings { stores, machine, turns, seconds, names, rounds };
    Ok(Page { tables: report::tables(&findings), text: report::page(&findings) })
}

/// Every server with the key that is asked for; only one of them is busy at a time.
fn subjects(stores: &Stores, cores: Cores, folder: &Path) -> Result<Vec<Subject>> {
    let mut subjects = Vec::new();
    if let Some(kvnode) = stores.kvnode() {
        let server = servers::kvnode(kvnode, cores.servers, folder)?;
        server.ask(Method::PUT, &key_path(), Some(&format!("{{\"value\":\"{}\"}}", "x".repeat(VALUE_BYTES - 2))))?;
        subjects.push(Subject { name: "kvnode, HTTP".to_owned(), protocol: Protocol::Http, server });
    }
    for store in &stores.present {
        let server = stores.start(*store, cores.servers, folder)?;
        RespConnection::open(server.address)?.fill(Keys { count: 1, value_bytes: VALUE_BYTES, expire_after: None })?;
        subjects.push(Subject { name: format!("{store}, Redis' protocol"), protocol: Protocol::Resp, server });
    }
    Ok(subjects)
}

/// On a thread of its own, which is tied to the client's core and the only one of this process that works meanwhile.
fn hold(subject: &Subject, places: Places, seconds: u64) -> Result<Taken> {
    let target = Target { address: subject.server.address, protocol: subject.protocol, idle: IDLE, active: ACTIVE };
    let client = || -> Result<Taken> {
        let mut core = CpuSet::new();
        core.set(places.client)?;
        sched_setaffinity(Pid::from_raw(0), &core)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut round = None;
        let sample = measure(&subject.server, places, || {
            let seen = round.insert(runtime.block_on(client::round(target, seconds))?);
            Ok(Done { operations: seen.answers, per_second: seen.top_per_second })
        })?;
        Ok(Taken { sample, round: round.context("a round without a result")? })
    };
    let taken = std::thread::scope(|scope| scope.spawn(client).join());
    taken.map_err(|_| anyhow!("the client's thread panicked"))?.with_context(|| subject.name.clone())
}
