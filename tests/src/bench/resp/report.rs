//! The figures as text: processor time with the client on the same core, throughput with a core for each.

use super::{Contest, Findings};
use crate::bench::page::{self, PROCESSOR_TIME, table};
use crate::bench::redis_benchmark::{self, KEY_BYTES, VALUE_BYTES};
use crate::bench::sample::Sample;
use crate::bench::stores::Store;
use crate::bench::turns::Placement;

/// By whose figures all others are divided.
const YARDSTICK: Store = Store::Valkey;

/// What is printed.
pub(super) fn tables(findings: &Findings<'_>) -> String {
    format!(
        "Redis' protocol: processor time of the server for one request, client on the same core:\n\n{}\n\
         Thousands of requests a second, client on another core:\n\n{}\n{}\n",
        processor_times(findings),
        throughputs(findings),
        disturbance(findings)
    )
}

/// What is kept.
pub(super) fn page(findings: &Findings<'_>) -> String {
    let Findings { turns, seconds, keys, stores, .. } = findings;
    format!(
        "# Redis' protocol: kvnode beside Valkey and Redis\n
Made by `make bench WORK=resp WRITE=1`; do not edit. The figure to compare is the **processor time of the server for
one request**, measured while server and client share one core, so that the server is never idle: kvnode's divided by
{YARDSTICK}'s, round by round, as median (least–most) of {rounds} rounds of about {seconds} s each. Below 1 kvnode needs less.
{left_out}
{keys} keys of {KEY_BYTES} bytes with values of {VALUE_BYTES} bytes, all there before; each request is for one of them at random.\n
## Processor time: server and client on one core\n\n{processor_times}{reading}
## Throughput: a core for each\n\nThousands of requests a second. Above 1 kvnode does more.\n\n{throughputs}
## How it was measured\n\n{METHOD_BEFORE}\n{PROCESSOR_TIME}\n{METHOD_AFTER}\n
{disturbance}\n\n{machine}\n
## Commands\n\n{commands}",
        rounds = turns.rounds,
        left_out = page::left_out(&stores.left_out),
        processor_times = processor_times(findings),
        reading = reading(findings),
        throughputs = throughputs(findings),
        disturbance = disturbance(findings),
        machine = page::machine(&findings.machine),
        commands = commands(findings),
    )
}

const METHOD_BEFORE: &str = "\
- Every server has one serving thread, tied to one core, and keeps its data in memory only; only one server is busy at a
  time. A round is each of them once; before the first round each has a second's requests uncounted, by which it is
  found how many fill the time of a run.";

const METHOD_AFTER: &str = "\
- Throughput is what the client counted. With a core for each, a client that does not pipeline is slower than the
  servers, so that they seem to be alike: what a server could do is told by its processor time.
- One machine, loopback, no network between: latencies of a real network are not in these figures.";

fn processor_times(findings: &Findings<'_>) -> String {
    figures(findings, Placement::SharedCore, "µs", 2, |sample| sample.cpu_micros)
}

fn throughputs(findings: &Findings<'_>) -> String {
    figures(findings, Placement::CoreEach, "1000/s", 0, Sample::throughput)
}

/// A line for each load: every server's figure, and every other one's divided by the yardstick's.
fn figures(
    findings: &Findings<'_>,
    placement: Placement,
    unit: &str,
    decimals: usize,
    figure: impl Fn(&Sample) -> f64 + Copy,
) -> String {
    let present = &findings.stores.present;
    let yardstick = present.iter().position(|store| *store == YARDSTICK);
    let others = || (0..present.len()).filter(move |subject| Some(*subject) != yardstick);
    let mut headings = ["command", "pipeline", "connections"].map(str::to_owned).to_vec();
    headings.extend(present.iter().map(|store| format!("{store}, {unit}")));
    if yardstick.is_some() {
        headings.extend(others().map(|subject| format!("**{} ÷ {YARDSTICK}**", present[subject])));
    }
    let rows = of(findings, placement).map(|contest| {
        let load = contest.load;
        let mut row = vec![load.command.to_string(), load.pipeline.to_string(), load.connections.to_string()];
        row.extend((0..present.len()).map(|subject| format!("{:.decimals$}", contest.rounds.spread(subject, figure))));
        if let Some(peer) = yardstick {
            row.extend(others().map(|subject| format!("**{:.2}**", contest.rounds.ratio(subject, peer, figure))));
        }
        row
    });
    table(&headings, rows)
}

/// What the first table says of us, in words that follow from its figures; nothing when there is nobody to compare.
fn reading(findings: &Findings<'_>) -> String {
    let position = |wanted| findings.stores.present.iter().position(|store| *store == wanted);
    let (Some(ours), Some(peer)) = (position(Store::Kvnode), position(YARDSTICK)) else { return String::new() };
    let lines = of(findings, Placement::SharedCore).map(|contest| {
        let ratio = contest.rounds.ratio(ours, peer, |sample| sample.cpu_micros);
        let verdict = page::verdict(ratio, "kvnode", &YARDSTICK.to_string(), "processor time");
        let load = contest.load;
        format!("- {}, pipeline {}, {} connections: {verdict}\n", load.command, load.pipeline, load.connections)
    });
    format!("\n{}", lines.collect::<String>())
}

fn of<'f>(findings: &'f Findings<'_>, placement: Placement) -> impl Iterator<Item = &'f Contest> {
    findings.contests.iter().filter(move |contest| contest.placement == placement)
}

fn disturbance(findings: &Findings<'_>) -> String {
    page::disturbance(findings.contests.iter().flat_map(|contest| contest.rounds.samples()), findings.turns.repeats)
}

fn commands(findings: &Findings<'_>) -> String {
    let Findings { turns, seconds, keys, stores, .. } = findings;
    // The number of requests is another one for each server.
    let client = |contest: &Contest| {
        let flags = redis_benchmark::flags("PORT", contest.load, 0).join(" ");
        format!("redis-benchmark {}\n", flags.replace("-n 0", "-n REQUESTS"))
    };
    let clients: Vec<String> = of(findings, Placement::SharedCore).map(client).collect();
    format!(
        "```sh\nmake bench WORK=resp WRITE=1 ROUNDS={} SECONDS_EACH={seconds} KEYS={keys}\n\
         # which runs, each behind `taskset --cpu-list CORE`:\n{}{}```\n",
        turns.rounds,
        stores.commands(),
        clients.concat(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::machine::Machine;
    use crate::bench::page::made_up_machine;
    use crate::bench::redis_benchmark::{Command, Load};
    use crate::bench::sample::made_up;
    use crate::bench::stores::Stores;
    use crate::bench::turns::{Rounds, Turns};

    fn written(present: &[Store]) -> String {
        let stores = Stores::made_up(present, &["Nobody is left out."]);
        let rounds = || {
            let round = |by: f64| [4.0, 2.0, 1.0].map(|micros| made_up(micros * by, 0.0))[..present.len()].to_vec();
            Rounds(vec![round(1.0), round(2.0)])
        };
        let load = Load { command: Command::Get, pipeline: 16, connections: 50, keys: 10 };
        let contest = |placement| Contest { load, placement, rounds: rounds() };
        let machine: Machine = made_up_machine();
        let contests = vec![contest(Placement::SharedCore), contest(Placement::CoreEach)];
        page(&Findings { stores: &stores, machine, turns: Turns::new(2), seconds: 1, keys: 10, contests })
    }

    #[test]
    fn every_server_is_divided_by_the_yardstick_whatever_its_place() {
        let page = written(&[Store::Kvnode, Store::Valkey, Store::Redis]);
        assert!(page.contains("| **kvnode ÷ Valkey** | **Redis ÷ Valkey** |"), "{page}");
        let row = "| GET | 16 | 50 | 6.00 (4.00–8.00) | 3.00 (2.00–4.00) | 1.50 (1.00–2.00) | **2.00 (2.00–2.00)** | **0.50 (0.50–0.50)** |";
        assert!(page.contains(row), "{page}");
        assert!(page.contains("- GET, pipeline 16, 50 connections: kvnode needs more"), "{page}");
    }

    #[test]
    fn without_the_yardstick_there_are_figures_but_no_ratios() {
        let page = written(&[Store::Kvnode, Store::Redis]);
        assert!(page.contains("| command | pipeline | connections | kvnode, µs | Redis, µs |\n"), "{page}");
        assert!(page.contains("Nobody is left out.") && !page.contains("in every round"), "{page}");
    }
}
