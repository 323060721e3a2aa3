//! Redis' protocol: GET and SET over a million keys, pipelined and not, from few and from many connections.

mod report;

use std::path::Path;

use anyhow::Result;
use kvtenant_tests::progress::Step;

use super::machine::{self, Cores, Machine, Places};
use super::page::Page;
use super::redis_benchmark::{self, Command, Load, VALUE_BYTES};
use super::resp_connection::{Keys, RespConnection};
use super::sample::{Sample, measure};
use super::servers::Server;
use super::stores::{Store, Stores};
use super::turns::{Placement, Rounds, Turns};
use super::versions;

const COMMANDS: [Command; 2] = [Command::Get, Command::Set];

/// As a queue's worker sends them, and as most programs do: one by one.
const PIPELINES: [usize; 2] = [16, 1];

/// The client's own default, and more than fit into the caches.
const CONNECTIONS: [usize; 2] = [50, 500];

/// Requests before the first round, by which it is also found how many fill the time of a run. A second of the slowest.
const WARM_UP_OPERATIONS: u64 = redis_benchmark::PER_SECOND;

/// All rounds of all servers under one load.
#[derive(Debug)]
struct Contest {
    load: Load,
    placement: Placement,
    rounds: Rounds,
}

/// All that a page is made from.
#[derive(Debug)]
struct Findings<'s> {
    stores: &'s Stores,
    machine: Machine,
    turns: Turns,
    seconds: u64,
    keys: usize,
    contests: Vec<Contest>,
}

pub(crate) fn take(
    stores: &Stores,
    cores: Cores,
    folder: &Path,
    (rounds, seconds, keys): (usize, u64, usize),
) -> Result<Page> {
    let mut versions = stores.versions()?;
    versions.push(versions::redis_benchmark()?);
    let machine = machine::describe(versions)?;
    let servers = start(stores, cores, folder, keys)?;
    let (mut turns, mut contests) = (Turns::new(rounds), Vec::new());
    for (placement, places) in Placement::all(cores) {
        for load in loads(keys) {
            let rounds = hold(&servers, load, (placement, places), (folder, seconds), &mut turns)?;
            contests.push(Contest { load, placement, rounds });
        }
    }
    let findings = Findings { stores, machine, turns, seconds, keys, contests };
    Ok(Page { tables: report::tables(&findings), text: report::page(&findings) })
}

/// All of them, on the same core and with the same keys; only one is busy at a time.
fn start(stores: &Stores, cores: Cores, folder: &Path, keys: usize) -> Result<Vec<(Store, Server)>> {
    let filled = |store: &Store| {
        let step = Step::start(format!("starting {store} and writing {keys} keys"));
        let server = stores.start(*store, cores.servers, folder)?;
        let all = Keys { count: keys, value_bytes: VALUE_BYTES, expire_after: None };
        RespConnection::open(server.address)?.fill(all)?;
        step.done("");
        Ok((*store, server))
    };
    stores.present.iter().map(filled).collect()
}

fn loads(keys: usize) -> impl Iterator<Item = Load> {
    let kinds = PIPELINES.into_iter().flat_map(|pipeline| CONNECTIONS.map(|connections| (pipeline, connections)));
    kinds.flat_map(move |(pipeline, connections)| COMMANDS.map(|command| Load { command, pipeline, connections, keys }))
}

fn hold(
    servers: &[(Store, Server)],
    load: Load,
    (placement, places): (Placement, Places),
    (folder, seconds): (&Path, u64),
    turns: &mut Turns,
) -> Result<Rounds> {
    let Load { command, pipeline, connections, .. } = load;
    let step = Step::start(format!(
        "{command}, requests in a pipeline: {pipeline}, connections: {connections}, {}",
        placement.words()
    ));
    let run = |server: &Server, operations: u64| -> Result<Sample> {
        measure(server, places, || redis_benchmark::run(server.address, load, operations, places.client, folder))
    };
    let operations = servers.iter().map(|(_, server)| {
        let warm_up = run(server, WARM_UP_OPERATIONS)?;
        Ok(operations_in(seconds, warm_up.done.per_second))
    });
    let operations: Vec<u64> = operations.collect::<Result<_>>()?;
    let names: Vec<String> = servers.iter().map(|(store, _)| store.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rounds = turns.take(&step, &names, |subject| run(&servers[subject].1, operations[subject]))?;
    let figures = names.iter().enumerate().map(|(subject, name)| {
        let micros = rounds.spread(subject, |sample| sample.cpu_micros);
        format!("{name} {micros:.2} µs")
    });
    step.done(figures.collect::<Vec<_>>().join(", "));
    Ok(rounds)
}

/// As many requests as take so long at this rate.
fn operations_in(seconds: u64, per_second: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is positive, and far below 2^63"
    )]
    let per_second = per_second as u64;
    seconds * per_second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_measured_under_every_load_once() {
        let loads: Vec<Load> = loads(10).collect();
        assert_eq!(loads.len(), COMMANDS.len() * PIPELINES.len() * CONNECTIONS.len());
        assert!(loads.iter().enumerate().all(|(index, load)| !loads[..index].contains(load)), "{loads:?}");
    }

    #[test]
    fn a_run_of_some_seconds_has_as_many_requests_as_the_server_does_in_them() {
        assert_eq!(operations_in(3, 1234.9), 3702);
    }
}
