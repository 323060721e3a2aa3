//! What is measured: four kinds of request, two and two beside each other, and one run of one of them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use http::Method;
use kvtenant_tests::clock::Stopwatch;

use super::clients::{self, Done, Load, VALUE_BYTES};
use super::cpu::{self, CoreTime};
use super::machine::Cores;
use super::servers::{self, FILE, Server, TENANT};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    KvnodeGet,
    NginxGet,
    KvnodePut,
    RedisSet,
}

impl Subject {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KvnodeGet => "kvnode, HTTP GET",
            Self::NginxGet => "nginx, HTTP GET",
            Self::KvnodePut => "kvnode, HTTP PUT",
            Self::RedisSet => "Redis, SET in its own protocol",
        }
    }
}

/// All servers, on the same core; only one of them is busy at a time.
#[derive(Debug)]
pub(crate) struct Bench<'f> {
    kvnode: Server,
    nginx: Server,
    redis: Server,
    cores: Cores,
    folder: &'f Path,
    pub(crate) body_bytes: usize,
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

impl<'f> Bench<'f> {
    pub(crate) fn start(program: &Path, cores: Cores, folder: &'f Path) -> Result<Self> {
        let kvnode = servers::kvnode("kvnode", program, cores.servers, folder)?;
        let body = format!("{{\"value\":\"{}\"}}", "x".repeat(VALUE_BYTES - 2));
        kvnode.ask(Method::PUT, &key_path(), Some(&body))?;
        let entry = kvnode.ask(Method::GET, &key_path(), None)?.body;
        let nginx = servers::nginx(&entry, cores.servers, folder)?;
        let served = nginx.ask(Method::GET, FILE, None)?.body;
        ensure!(served == entry, "nginx does not serve what kvnode does: {served}");
        let redis = servers::redis(cores.servers, folder)?;
        Ok(Self { kvnode, nginx, redis, cores, folder, body_bytes: entry.len() })
    }

    pub(crate) fn run(&self, subject: Subject, connections: usize, client: usize, seconds: u64) -> Result<Sample> {
        let load = Load { connections, seconds, core: client, folder: self.folder };
        let server = match subject {
            Subject::KvnodeGet | Subject::KvnodePut => &self.kvnode,
            Subject::NginxGet => &self.nginx,
            Subject::RedisSet => &self.redis,
        };
        let before = self.readings(server, client)?;
        let watch = Stopwatch::start();
        let done = match subject {
            Subject::KvnodeGet => clients::wrk_get(&server.url(&key_path()), load)?,
            Subject::NginxGet => clients::wrk_get(&server.url(FILE), load)?,
            Subject::KvnodePut => clients::wrk_put(&server.url(&format!("/{TENANT}/kv/")), load)?,
            Subject::RedisSet => clients::redis_set(server.address, load)?,
        };
        let elapsed = watch.elapsed();
        Ok(sample(done, &before, &self.readings(server, client)?, client == self.cores.servers, elapsed))
    }

    fn readings(&self, server: &Server, client: usize) -> Result<Readings> {
        Ok(Readings {
            server: cpu::of_process(server.running.pid())?,
            ended_children: cpu::of_ended_children()?,
            server_core: cpu::of_core(self.cores.servers)?,
            client_core: cpu::of_core(client)?,
        })
    }
}

/// All that is read from the kernel before and after a run.
#[derive(Clone, Copy, Debug)]
struct Readings {
    server: Duration,
    /// The client is one of them after the run.
    ended_children: Duration,
    server_core: CoreTime,
    client_core: CoreTime,
}

fn sample(done: Done, before: &Readings, after: &Readings, shared_core: bool, elapsed: Duration) -> Sample {
    let server = after.server.saturating_sub(before.server);
    let client = after.ended_children.saturating_sub(before.ended_children);
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

fn key_path() -> String {
    format!("/{TENANT}/kv/{:020}", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DONE: Done = Done { operations: 100_000, per_second: 1.0 };

    fn readings(server: u64, ended_children: u64, server_core: u64, client_core: u64) -> Readings {
        let core =
            |programs| CoreTime { programs: Duration::from_secs(programs), stolen: Duration::from_secs(programs / 10) };
        Readings {
            server: Duration::from_secs(server),
            ended_children: Duration::from_secs(ended_children),
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
