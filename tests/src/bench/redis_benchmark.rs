//! The client for Redis' protocol: redis-benchmark with as many requests as it is told, and what it says at the end. It
//! ends with an error at the first request that is refused, and so gives no figure then.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::running::Running;
use super::sample::Done;
use super::wrk::GRACE;

/// What comes before the number in a key, so that keys have [`KEY_BYTES`].
const KEY_PREFIX: &str = "bench:k:";

/// As many digits as redis-benchmark gives a random number.
const KEY_DIGITS: usize = 12;

pub(crate) const KEY_BYTES: usize = KEY_PREFIX.len() + KEY_DIGITS;

/// Bytes of a written value.
pub(crate) const VALUE_BYTES: usize = 64;

/// It takes a number of requests and no time. More than a server does in a second on today's cores without pipelines,
/// at most by a small factor, so that a run of `seconds` times as many lasts about as long as it should.
pub(crate) const PER_SECOND: u64 = 50_000;

/// A machine on which a server does less is of no use for measuring; a client that waits for more hangs.
const PER_SECOND_MIN: u64 = PER_SECOND / 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Get,
    Set,
}

impl fmt::Display for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Get => "GET",
            Self::Set => "SET",
        })
    }
}

/// What is asked, and how hard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) command: Command,
    /// Requests that one connection sends before it waits for their answers.
    pub(crate) pipeline: usize,
    pub(crate) connections: usize,
    /// Keys `0..keys`, chosen at random.
    pub(crate) keys: usize,
}

/// The key with this number, as [`run`] writes it.
pub(crate) fn key(number: usize) -> String {
    format!("{KEY_PREFIX}{number:0KEY_DIGITS$}")
}

/// Sends `operations` requests, or a few more: whole pipelines.
pub(crate) fn run(address: SocketAddr, load: Load, operations: u64, core: usize, folder: &Path) -> Result<Done> {
    let operations = operations.max(1).next_multiple_of(load.pipeline as u64);
    let arguments = flags(&address.port().to_string(), load, operations);
    let running = Running::start("redis-benchmark", core, folder, "redis-benchmark", &arguments)?;
    let said = running.until_it_ends(Duration::from_secs(operations / PER_SECOND_MIN) + GRACE)?;
    let per_second = rate(&said).with_context(|| format!("redis-benchmark said: {said}"))?;
    Ok(Done { operations, per_second })
}

pub(crate) fn flags(port: &str, load: Load, operations: u64) -> Vec<String> {
    let Load { command, pipeline, connections, keys } = load;
    let flags = format!(
        "-h 127.0.0.1 -p {port} -c {connections} -P {pipeline} -n {operations} -r {keys} --csv {command} {KEY_PREFIX}__rand_int__"
    );
    let value = (command == Command::Set).then(|| "x".repeat(VALUE_BYTES));
    flags.split(' ').map(str::to_owned).chain(value).collect()
}

/// `"GET bench:k:__rand_int__","12345.67",…` after a line of headings and, perhaps, warnings.
fn rate(said: &str) -> Option<f64> {
    // The headings have no number there.
    said.lines().find_map(|line| line.split("\",\"").nth(1)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOAD: Load = Load { command: Command::Set, pipeline: 16, connections: 50, keys: 1000 };

    #[test]
    fn keys_have_the_length_and_form_of_the_clients_own() {
        assert_eq!(key(7).len(), KEY_BYTES);
        assert_eq!(key(7), "bench:k:000000000007");
    }

    #[test]
    fn a_set_has_a_value_and_a_get_has_none() {
        let set = flags("1", LOAD, 160).join(" ");
        assert!(set.starts_with("-h 127.0.0.1 -p 1 -c 50 -P 16 -n 160 -r 1000 --csv SET bench:k:__rand_int__ xxx"));
        assert!(
            flags("1", Load { command: Command::Get, ..LOAD }, 160).join(" ").ends_with("GET bench:k:__rand_int__")
        );
    }

    #[test]
    fn the_rate_is_read() {
        let said = "WARNING: Could not fetch server CONFIG\n\"test\",\"rps\",\"avg_latency_ms\"\n\
                    \"SET bench:k:__rand_int__ xxxx\",\"98765.43\",\"0.244\"\n";
        assert_eq!(rate(said), Some(98_765.43));
    }

    #[test]
    fn a_run_that_was_refused_has_no_rate() {
        let said = "\"test\",\"rps\",\"avg_latency_ms\"\nError from server: ERR unknown command 'GETX'\n";
        assert_eq!(rate(said), None);
        assert_eq!(rate("Could not connect to server at 127.0.0.1:1: Connection refused"), None);
    }
}
