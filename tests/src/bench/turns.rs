//! The order of the runs: a server, its peer, the server, its peer, and so on. The machine changes with time (load,
//! heat, neighbours), and only what ran right after one another is compared: a ratio is made within a pair.

use anyhow::Result;
use kvtenant_tests::progress::Step;

use super::machine::Cores;
use super::spread::Spread;
use super::subjects::{Bench, Sample, Subject};

/// One client that waits for each answer, and enough of them to keep a server busy.
pub(crate) const CONNECTIONS: [usize; 2] = [1, 50];

/// A pair in which others had more than this of the core is done again.
pub(crate) const OTHERS_MAX: f64 = 0.10;

/// So many pairs of a whole measurement are done again; on a machine that is always busy it must end all the same.
const REPEATS_MAX: usize = 10;

/// Runs before the first pair: connections, buffers and branch predictors are then as they stay.
const WARM_UP_SECONDS: u64 = 1;

/// Us and the peer.
const PAIRS: [(Subject, Subject); 2] =
    [(Subject::KvnodeGet, Subject::NginxGet), (Subject::KvnodePut, Subject::RedisSet)];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Server and client share a core: the server is never idle, and its time is comparable.
    SharedCore,
    /// The client has a core of its own: the throughput that a user would see.
    CoreEach,
}

/// All rounds of a pair under one load.
#[derive(Debug)]
pub(crate) struct Contest {
    pub(crate) pair: (Subject, Subject),
    pub(crate) connections: usize,
    pub(crate) placement: Placement,
    pub(crate) rounds: Vec<(Sample, Sample)>,
}

impl Contest {
    /// Of some figure of ours, of the peer's, and of ours divided by the peer's, pair by pair.
    pub(crate) fn spreads(&self, figure: impl Fn(&Sample) -> f64) -> (Spread, Spread, Spread) {
        let ours = self.rounds.iter().map(|(ours, _)| figure(ours));
        let theirs = self.rounds.iter().map(|(_, theirs)| figure(theirs));
        let ratios = self.rounds.iter().map(|(ours, theirs)| figure(ours) / figure(theirs));
        (Spread::of(ours), Spread::of(theirs), Spread::of(ratios))
    }
}

/// What came out, and how often a pair was done again.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) contests: Vec<Contest>,
    pub(crate) repeats: usize,
}

pub(crate) fn take(bench: &Bench<'_>, cores: Cores, rounds: usize, seconds: u64) -> Result<Outcome> {
    let mut outcome = Outcome { contests: Vec::new(), repeats: 0 };
    let placements = [(Placement::SharedCore, Some(cores.servers)), (Placement::CoreEach, cores.spare)];
    for (placement, client) in placements {
        let Some(client) = client else { continue };
        for pair in PAIRS {
            for connections in CONNECTIONS {
                let contest = Contest { pair, connections, placement, rounds: Vec::new() };
                let contest = hold(bench, contest, client, (rounds, seconds), &mut outcome.repeats)?;
                outcome.contests.push(contest);
            }
        }
    }
    Ok(outcome)
}

fn hold(
    bench: &Bench<'_>,
    mut contest: Contest,
    client: usize,
    (rounds, seconds): (usize, u64),
    repeats: &mut usize,
) -> Result<Contest> {
    let (ours, theirs) = contest.pair;
    let place = match contest.placement {
        Placement::SharedCore => "client on the same core",
        Placement::CoreEach => "client on another core",
    };
    let what = format!("{} beside {}, connections: {}, {place}", ours.name(), theirs.name(), contest.connections);
    let step = Step::start(what);
    for subject in [ours, theirs] {
        bench.run(subject, contest.connections, client, WARM_UP_SECONDS)?;
    }
    while contest.rounds.len() < rounds {
        let round = contest.rounds.len() + 1;
        let run = |subject: Subject| {
            step.note(format!("round {round} of {rounds}, {}", subject.name()));
            bench.run(subject, contest.connections, client, seconds)
        };
        let pair = (run(ours)?, run(theirs)?);
        if pair.0.others.max(pair.1.others) > OTHERS_MAX && *repeats < REPEATS_MAX {
            *repeats += 1;
            continue;
        }
        contest.rounds.push(pair);
    }
    let (ours, theirs, _) = contest.spreads(|sample| sample.cpu_micros);
    step.done(format!("processor time per request {ours:.1} µs and {theirs:.1} µs"));
    Ok(contest)
}
