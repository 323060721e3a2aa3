//! One run of a client against one server: what was done, what it cost the server, and what others took of the cores
//! meanwhile. A figure without the last cannot be told from noise.

use std::time::Duration;

use anyhow::Result;
use kvtenant_tests::clock::Stopwatch;

use super::cpu::{self, CoreTime};
use super::machine::Places;
use super::servers::Server;

/// What a client did and how fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Done {
    pub(crate) operations: u64,
    pub(crate) per_second: f64,
}

/// One run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) done: Done,
    /// Processor time of the server for one request.
    pub(crate) cpu_micros: f64,
    /// What programs other than this server and its client took of their core, as a part of the time; of two cores,
    /// the busier one.
    pub(crate) others: f64,
    /// What other virtual machines took of it, likewise.
    pub(crate) stolen: f64,
}

impl Sample {
    /// Requests of a second, in thousands.
    pub(crate) fn throughput(&self) -> f64 {
        self.done.per_second / 1000.0
    }
}

impl AsRef<Self> for Sample {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// Runs a client and reads the kernel's counts before and after.
pub(crate) fn measure(server: &Server, places: Places, run: impl FnOnce() -> Result<Done>) -> Result<Sample> {
    let before = Readings::take(server, places)?;
    let watch = Stopwatch::start();
    let done = run()?;
    let elapsed = watch.elapsed();
    Ok(sample(done, &before, &Readings::take(server, places)?, places.are_one(), elapsed))
}

/// All that is read from the kernel before and after a run.
#[derive(Clone, Copy, Debug)]
struct Readings {
    server: Duration,
    /// Of this process, where some clients live, and of its children that ended, which other clients are after a run.
    client: Duration,
    server_core: CoreTime,
    client_core: CoreTime,
}

impl Readings {
    fn take(server: &Server, places: Places) -> Result<Self> {
        Ok(Self {
            server: cpu::of_process(server.running.pid())?,
            client: cpu::of_ended_children()? + cpu::of_process(nix::unistd::getpid().as_raw())?,
            server_core: cpu::of_core(places.server)?,
            client_core: cpu::of_core(places.client)?,
        })
    }
}

fn sample(done: Done, before: &Readings, after: &Readings, shared_core: bool, elapsed: Duration) -> Sample {
    let server = after.server.saturating_sub(before.server);
    let client = after.client.saturating_sub(before.client);
    let grown = |after: CoreTime, before: CoreTime, ours: Duration| {
        (after.programs.saturating_sub(before.programs + ours), after.stolen.saturating_sub(before.stolen))
    };
    let ours = if shared_core { server + client } else { server };
    let mut cores = vec![grown(after.server_core, before.server_core, ours)];
    if !shared_core {
        cores.push(grown(after.client_core, before.client_core, client));
    }
    let part = |time: Duration| time.as_secs_f64() / elapsed.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "no run has 2^53 requests")]
    let operations = done.operations as f64;
    Sample {
        done,
        cpu_micros: server.as_secs_f64() * 1e6 / operations,
        others: cores.iter().map(|(others, _)| part(*others)).fold(0.0, f64::max),
        stolen: cores.iter().map(|(_, stolen)| part(*stolen)).fold(0.0, f64::max),
    }
}

/// A made-up run, for tests of what becomes of runs.
#[cfg(test)]
pub(crate) fn made_up(cpu_micros: f64, others: f64) -> Sample {
    Sample { done: Done { operations: 1, per_second: 2000.0 }, cpu_micros, others, stolen: 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DONE: Done = Done { operations: 100_000, per_second: 1.0 };

    fn readings(server: u64, client: u64, server_core: u64, client_core: u64) -> Readings {
        let core =
            |programs| CoreTime { programs: Duration::from_secs(programs), stolen: Duration::from_secs(programs / 10) };
        Readings {
            server: Duration::from_secs(server),
            client: Duration::from_secs(client),
            server_core: core(server_core),
            client_core: core(client_core),
        }
    }

    #[test]
    fn the_time_of_server_and_client_is_not_counted_as_that_of_others() {
        let (before, after) = (readings(1, 1, 10, 10), readings(3, 4, 20, 20));
        let sample = sample(DONE, &before, &after, true, Duration::from_secs(10));
        assert!((sample.cpu_micros - 20.0).abs() < 1e-9, "{sample:?}");
        assert!((sample.others - 0.5).abs() < 1e-9, "{sample:?}");
        assert!((sample.stolen - 0.1).abs() < 1e-9, "{sample:?}");
    }

    #[test]
    fn on_two_cores_the_busier_one_counts() {
        let (before, after) = (readings(0, 0, 0, 0), readings(5, 4, 6, 7));
        let sample = sample(DONE, &before, &after, false, Duration::from_secs(10));
        assert!((sample.others - 0.3).abs() < 1e-9, "{sample:?}");
    }
}
