//! How long a server takes from its start to its first answer, when it has keys on a disk. They are written once; then it
//! is started and ended again and again. The files are in the kernel's memory by then: what is measured is the server's
//! work, not the disk's.

mod report;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kvtenant_tests::clock::{self, Stopwatch};
use kvtenant_tests::progress::Step;

use super::machine::{self, Cores, Machine};
use super::page::Page;
use super::redis_benchmark::key;
use super::resp_connection::{Keys, Reply, RespConnection};
use super::servers::Server;
use super::spread::Spread;
use super::stores::{Store, Stores};

/// Bytes of a value.
const VALUE_BYTES: usize = 32;

/// Servers that take longer to read a million keys are not in use.
const UP_WITHIN: Duration = Duration::from_secs(60);

/// To write down what it has, and the answers under way.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// What one server's start takes.
#[derive(Debug)]
struct Start {
    store: Store,
    seconds: Spread,
    /// What its keys take on the disk.
    disk_bytes: u64,
}

/// All that a page is made from.
#[derive(Debug)]
struct Findings<'s> {
    stores: &'s Stores,
    machine: Machine,
    rounds: usize,
    keys: usize,
    starts: Vec<Start>,
}

pub(crate) fn take(stores: &Stores, cores: Cores, folder: &Path, rounds: usize, keys: usize) -> Result<Page> {
    let machine = machine::describe(stores.versions()?)?;
    let step = Step::start(format!("writing {keys} keys to each server's disk"));
    for store in &stores.present {
        step.note(store.to_string());
        let data = data_of(*store, folder)?;
        let server = stores.start_on_disk(*store, cores.servers, folder, &data)?;
        RespConnection::open(server.address)?.fill(Keys {
            count: keys,
            value_bytes: VALUE_BYTES,
            expire_after: None,
        })?;
        // Killed, it may lose what came in the last second, by right.
        server.running.finish(ENDS_WITHIN)?;
    }
    step.done("");
    let step = Step::start("starting each server in turn and asking for its last key");
    let mut seconds = vec![Vec::new(); stores.present.len()];
    for round in 1..=rounds {
        for (subject, store) in stores.present.iter().enumerate() {
            step.note(format!("round {round} of {rounds}, {store}"));
            let data = data_of(*store, folder)?;
            let watch = Stopwatch::start();
            let server = stores.start_on_disk(*store, cores.servers, folder, &data)?;
            until_it_has_all(&server, keys)?;
            seconds[subject].push(watch.elapsed().as_secs_f64());
        }
    }
    step.done("");
    let starts = stores.present.iter().zip(seconds).map(|(store, seconds)| {
        let disk_bytes = bytes_below(&data_of(*store, folder)?)?;
        Ok(Start { store: *store, seconds: Spread::of(seconds), disk_bytes })
    });
    let starts = starts.collect::<Result<_>>()?;
    let findings = Findings { stores, machine, rounds, keys, starts };
    Ok(Page { tables: report::tables(&findings), text: report::page(&findings) })
}

/// The last key that was written is the one a server that lost something would not have.
fn until_it_has_all(server: &Server, keys: usize) -> Result<()> {
    let last = key(keys - 1);
    clock::wait_for("the last key to be answered", UP_WITHIN, || {
        ensure!(server.running.is_running(), "the server ended: {}", server.running.last_words());
        let reply = RespConnection::open(server.address)?.ask(&["GET", &last])?;
        Ok(matches!(reply, Reply::Bytes(_)).then_some(()))
    })?;
    let held = RespConnection::open(server.address)?.ask(&["DBSIZE"])?;
    ensure!(held == Reply::Integer(i64::try_from(keys)?), "{keys} keys were written, but it says it has {held:?}");
    Ok(())
}

fn data_of(store: Store, folder: &Path) -> Result<std::path::PathBuf> {
    let data = folder.join(format!("data-of-{store}"));
    fs::create_dir_all(&data)?;
    Ok(data)
}

fn bytes_below(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be listed", folder.display()))? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { bytes_below(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_folders_of_folders_counts() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("inner")).unwrap();
        fs::write(folder.path().join("a"), "123").unwrap();
        fs::write(folder.path().join("inner/b"), "45").unwrap();
        assert_eq!(bytes_below(folder.path()).unwrap(), 5);
    }
}
