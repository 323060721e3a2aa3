//! HTTP: GET beside nginx with the same body, PUT with Redis for orientation, and what else we answer beside our own GET.

mod report;
mod subjects;

use std::path::Path;

use anyhow::Result;
use kvtenant_tests::progress::Step;

use self::subjects::{Bench, Subject};
use super::machine::{self, Cores, Machine, Places};
use super::needs::Kvnode;
use super::page::Page;
use super::sample::Sample;
use super::spread::Spread;
use super::turns::{Placement, Rounds, Turns, WARM_UP_SECONDS};
use super::versions;

/// One client that waits for each answer, and enough of them to keep a server busy.
const CONNECTIONS: [usize; 2] = [1, 50];

/// Us and a peer.
const GETS: [(Subject, Subject); 2] =
    [(Subject::KvnodeGet, Subject::NginxGet), (Subject::KvnodeGet, Subject::NginxHeldGet)];
const PUTS: (Subject, Subject) = (Subject::KvnodePut, Subject::RedisSet);

/// Requests that should cost little more than our own plain GET, under the load that keeps a server busy.
const OWN_PAIRS: [(Subject, Subject); 2] =
    [(Subject::KvnodePut, Subject::KvnodeGet), (Subject::KvnodeUserGet, Subject::KvnodeGet)];

/// All rounds of a pair under one load.
#[derive(Debug)]
struct Contest {
    pair: (Subject, Subject),
    connections: usize,
    placement: Placement,
    rounds: Rounds,
}

impl Contest {
    /// Of some figure of ours, of the peer's, and of ours divided by the peer's.
    fn spreads(&self, figure: impl Fn(&Sample) -> f64) -> (Spread, Spread, Spread) {
        (self.rounds.spread(0, &figure), self.rounds.spread(1, &figure), self.rounds.ratio(0, 1, &figure))
    }
}

/// All that a page is made from.
#[derive(Debug)]
struct Findings {
    machine: Machine,
    turns: Turns,
    seconds: u64,
    body_bytes: usize,
    contests: Vec<Contest>,
}

pub(crate) fn take(cores: Cores, folder: &Path, rounds: usize, seconds: u64) -> Result<Page> {
    let kvnode = Kvnode::build()?;
    let versions = [
        versions::kvnode(&kvnode.program),
        versions::nginx(),
        versions::redis(),
        versions::redis_benchmark(),
        versions::wrk(),
    ];
    let machine = machine::describe(versions.into_iter().collect::<Result<_>>()?)?;
    let step = Step::start("starting kvnode, nginx and redis-server");
    let bench = Bench::start(&kvnode, cores, folder)?;
    step.done(format!("bodies of {} bytes", bench.body_bytes));

    let (mut turns, mut contests) = (Turns::new(rounds), Vec::new());
    for (placement, places) in Placement::all(cores) {
        for pair in GETS.into_iter().chain([PUTS]) {
            for connections in CONNECTIONS {
                let rounds = hold(&bench, pair, connections, (placement, places), seconds, &mut turns)?;
                contests.push(Contest { pair, connections, placement, rounds });
            }
        }
    }
    let busy = (Placement::SharedCore, Placement::all(cores)[0].1);
    for pair in OWN_PAIRS {
        let rounds = hold(&bench, pair, CONNECTIONS[1], busy, seconds, &mut turns)?;
        contests.push(Contest { pair, connections: CONNECTIONS[1], placement: busy.0, rounds });
    }
    let findings = Findings { machine, turns, seconds, body_bytes: bench.body_bytes, contests };
    Ok(Page { tables: report::tables(&findings), text: report::page(&findings, &kvnode) })
}

fn hold(
    bench: &Bench<'_>,
    (ours, theirs): (Subject, Subject),
    connections: usize,
    (placement, places): (Placement, Places),
    seconds: u64,
    turns: &mut Turns,
) -> Result<Rounds> {
    let subjects = [ours, theirs];
    let names = subjects.map(Subject::name);
    let step = Step::start(format!("{}, connections: {connections}, {}", names.join(" beside "), placement.words()));
    for subject in subjects {
        bench.run(subject, connections, places, WARM_UP_SECONDS)?;
    }
    let rounds = turns.take(&step, &names, |index| bench.run(subjects[index], connections, places, seconds))?;
    let [ours, theirs] = [0, 1].map(|subject| rounds.spread(subject, |sample| sample.cpu_micros));
    step.done(format!("processor time per request {ours:.1} µs and {theirs:.1} µs"));
    Ok(rounds)
}
