//! The client for HTTP: wrk, run for a while, and what it says at the end. A run with a single failed request has
//! measured something else and is an error, not a figure.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::redis_benchmark::VALUE_BYTES;
use super::running::Running;
use super::sample::Done;

/// What a client may take longer than it was told to: its start, its connections, its sums at the end.
pub(crate) const GRACE: Duration = Duration::from_secs(20);

/// Keys that are written in turn: enough not to stay in the processor's caches as one, few enough to be there after a
/// second.
pub(crate) const KEYS: usize = 10_000;

/// How often, from which core, and where the client's own files are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load<'f> {
    pub(crate) connections: usize,
    pub(crate) seconds: u64,
    pub(crate) core: usize,
    pub(crate) folder: &'f Path,
}

/// Asks for one address over and over.
pub(crate) fn get(url: &str, load: Load<'_>) -> Result<Done> {
    run(url, load, &[])
}

/// The same for whoever this token is of.
pub(crate) fn get_as(token: &str, url: &str, load: Load<'_>) -> Result<Done> {
    run(url, load, &["--header".to_owned(), format!("Authorization: Bearer {token}")])
}

/// Writes [`KEYS`] keys under `url` in turn.
pub(crate) fn put(url: &str, load: Load<'_>) -> Result<Done> {
    let script = load.folder.join("put.lua");
    std::fs::write(&script, put_script(url))?;
    run(url, load, &[format!("--script={}", script.to_string_lossy())])
}

fn run(url: &str, load: Load<'_>, more: &[String]) -> Result<Done> {
    let mut arguments = flags(load.connections, load.seconds);
    arguments.extend_from_slice(more);
    arguments.push(url.to_owned());
    let running = Running::start("wrk", load.core, load.folder, "wrk", &arguments)?;
    let said = running.until_it_ends(Duration::from_secs(load.seconds) + GRACE)?;
    result(&said).with_context(|| format!("wrk said: {said}"))
}

pub(crate) fn flags(connections: usize, seconds: u64) -> Vec<String> {
    vec!["--threads=1".to_owned(), format!("--connections={connections}"), format!("--duration={seconds}s")]
}

/// The requests are made once; a run only sends them.
fn put_script(url: &str) -> String {
    let path = url.splitn(4, '/').nth(3).unwrap_or_default();
    format!(
        r#"local requests = {{}}
local last = 0
function init()
  local headers = {{ ["Content-Type"] = "application/json" }}
  for number = 1, {KEYS} do
    local body = string.format('{{"value":"%0{digits}d"}}', number)
    requests[number] = wrk.format("PUT", string.format("/{path}%020d", number), headers, body)
  end
end
function request()
  last = last % {KEYS} + 1
  return requests[last]
end
"#,
        digits = VALUE_BYTES - 2 // the text of the value has its quotes beside
    )
}

fn result(said: &str) -> Result<Done> {
    ensure!(!said.contains("Non-2xx"), "some requests were refused");
    ensure!(!said.contains("Socket errors"), "some requests had no answer");
    let operations = said.lines().find_map(|line| line.trim().split_once(" requests in ")?.0.parse().ok());
    let per_second = said.lines().find_map(|line| line.strip_prefix("Requests/sec:")?.trim().parse().ok());
    match (operations, per_second) {
        (Some(operations), Some(per_second)) if operations > 0 => Ok(Done { operations, per_second }),
        _ => anyhow::bail!("no figures, or no request was answered"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "Running 1s test @ http://127.0.0.1:1/x\n  1 threads and 50 connections\n  Thread Stats   \
                        Avg      Stdev     Max   +/- Stdev\n    Latency   1.00ms\n  12345 requests in 1.10s, 2.00MB \
                        read\nRequests/sec:  11222.73\nTransfer/sec:      1.82MB\n";

    #[test]
    fn the_figures_of_wrk_are_read() {
        assert_eq!(result(SAID).unwrap(), Done { operations: 12_345, per_second: 11_222.73 });
    }

    #[test]
    fn a_run_with_failed_requests_is_no_measurement() {
        let refused = format!("{SAID}  Non-2xx or 3xx responses: 3\n");
        assert!(result(&refused).is_err());
        let broken = format!("{SAID}  Socket errors: connect 0, read 1, write 0, timeout 0\n");
        assert!(result(&broken).is_err());
        assert!(result(&SAID.replace("12345", "0")).is_err());
        assert!(result("unable to connect to 127.0.0.1:1 Connection refused\n").is_err());
    }

    #[test]
    fn keys_are_written_under_the_path_of_the_address() {
        let script = put_script("http://127.0.0.1:1/bench/kv/");
        assert!(script.contains(r#"string.format("/bench/kv/%020d", number)"#), "{script}");
    }
}
