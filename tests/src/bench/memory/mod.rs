//! What a key costs: how much a server's resident memory grows while keys are written, divided by the keys. The kernel's
//! figure, not the server's own, so it has all that the allocator and the tables waste.

mod report;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use kvtenant_tests::progress::Step;

use super::machine::{self, Cores, Machine};
use super::page::Page;
use super::resp_connection::{Keys, RespConnection};
use super::spread::Spread;
use super::stores::{Store, Stores};

/// Bytes of a value.
const VALUE_BYTES: usize = 32;

/// No key expires while it is measured.
const EXPIRE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Written before memory is first looked at, so that buffers and code are there, and overwritten later.
const WARM_UP_KEYS: usize = 1_000;

/// What a key of one server costs, in bytes.
#[derive(Debug)]
struct Cost {
    store: Store,
    without_end: Spread,
    with_end: Spread,
}

/// All that a page is made from.
#[derive(Debug)]
struct Findings<'s> {
    stores: &'s Stores,
    machine: Machine,
    rounds: usize,
    keys: usize,
    costs: Vec<Cost>,
}

pub(crate) fn take(stores: &Stores, cores: Cores, folder: &Path, rounds: usize, keys: usize) -> Result<Page> {
    let machine = machine::describe(stores.versions()?)?;
    let of_store = |store: &Store| {
        let step = Step::start(format!("{store}: writing {keys} keys and looking at the memory they take"));
        let spread = |expire_after| -> Result<Spread> {
            let bytes: Vec<f64> = (0..rounds)
                .map(|_| per_key(stores, *store, cores, folder, (keys, expire_after)))
                .collect::<Result<_>>()?;
            Ok(Spread::of(bytes))
        };
        let cost = Cost { store: *store, without_end: spread(None)?, with_end: spread(Some(EXPIRE_AFTER))? };
        step.done(format!("{:.0} bytes a key, {:.0} with a time to live", cost.without_end, cost.with_end));
        Ok(cost)
    };
    let costs = stores.present.iter().map(of_store).collect::<Result<_>>()?;
    let findings = Findings { stores, machine, rounds, keys, costs };
    Ok(Page { tables: report::tables(&findings), text: report::page(&findings) })
}

/// Of a server of its own each time: memory that once was used is not always given back.
fn per_key(
    stores: &Stores,
    store: Store,
    cores: Cores,
    folder: &Path,
    (count, expire_after): (usize, Option<Duration>),
) -> Result<f64> {
    let server = stores.start(store, cores.servers, folder)?;
    let pid = server.running.pid();
    let mut connection = RespConnection::open(server.address)?;
    let keys = Keys { count, value_bytes: VALUE_BYTES, expire_after };
    connection.fill(Keys { count: WARM_UP_KEYS, ..keys })?;
    let before = resident_bytes(pid)?;
    connection.fill(keys)?;
    let grown = resident_bytes(pid)?.checked_sub(before);
    let grown = grown.with_context(|| format!("{store} has less memory after the keys were written than before"))?;
    Ok(share(grown, count - WARM_UP_KEYS))
}

fn share(bytes: u64, keys: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "both are far below 2^53")]
    let (bytes, keys) = (bytes as f64, keys as f64);
    bytes / keys
}

fn resident_bytes(pid: i32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the server is gone")?;
    resident(&status).context("the kernel does not tell the server's memory")
}

fn resident(status: &str) -> Option<u64> {
    let kilobytes: u64 =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_in_bytes() {
        assert_eq!(resident("VmHWM:\t    9 kB\nVmRSS:\t    2 kB\n"), Some(2048));
        assert_eq!(resident("Name:\tkthreadd\n"), None);
    }

    #[test]
    fn what_grew_is_shared_by_the_keys() {
        assert!((share(250, 100) - 2.5).abs() < 1e-9);
    }
}
