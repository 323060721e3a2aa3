//! What may be told when, of a store that is kept on a disk.

use std::ffi::OsString;
use std::path::Path;

use kvnode_core::store::command::{KeyAction, Write};
use kvnode_core::store::key::{Address, Namespace};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::Reply;
use kvnode_core::store::value::Value;
use tokio::sync::oneshot;

use super::*;
use crate::clock::Clock;
use crate::disk::{Disk, Records};
use crate::node::runtime;
use crate::settings::machine::Machine;
use crate::settings::{Request, resolve};
use crate::shared::Shared;

/// A node's insides as they are before its data are read.
fn begun(folder: &Path, mode: &str) -> (Arc<Shared>, Disk) {
    let path = folder.to_str().expect("a plain path");
    let arguments = ["kvnode", "--tenant", "dev", "--name", "n0", "--data-dir", path, "--persistence", mode];
    let machine = Machine { memory_bytes: Some(1 << 30), cpu_cores: 1.0 };
    let settings = match resolve(arguments.map(OsString::from), &|_| None, &machine) {
        Ok(Request::Run(settings)) => *settings,
        other => panic!("no good settings: {other:?}"),
    };
    let disk = Disk::open(&settings, &Clock::default()).expect("a folder").expect("it is asked for");
    (Arc::new(Shared::new(settings, Clock::default(), Some(&disk)).expect("a shared state")), disk)
}

fn key(text: &str) -> Key<'_> {
    Key::new(text, &Limits::default()).expect("a good key")
}

fn command<'c>(text: &'c str, action: KeyAction<'c>) -> KeyCommand<'c> {
    let address = Address { namespace: Namespace::Shared, key: key(text) };
    KeyCommand { address, action, idempotency: None }
}

fn put(text: &str) -> KeyCommand<'_> {
    let value = Value::bytes(b"value", &Limits::default()).expect("a good value");
    command(text, KeyAction::Write(Write::put(value)))
}

/// Nobody writes to the disk here, so there is never room for a write.
#[test]
fn a_write_that_the_disk_does_not_take_is_refused_before_it_is_done() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (shared, _disk) = begun(folder.path(), "everysec");
    shared.store.open();
    let untold = runtime().expect("a runtime").block_on(shared.run(&put("a"), |_| ())).expect_err("nobody writes");
    assert_eq!(untold, Untold::DiskBehind);
    assert_eq!(shared.store.count_all(shared.clock.now()), 0);
}

#[test]
fn nothing_is_answered_before_everything_that_was_kept_is_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (shared, disk) = begun(folder.path(), "everysec");
    let runtime = runtime().expect("a runtime");
    for command in [put("a"), command("a", KeyAction::Get)] {
        let untold = runtime.block_on(shared.run(&command, |_| ())).expect_err("the log was not read");
        assert!(matches!(untold, Untold::Recovering { .. }), "{untold}");
    }
    assert!(shared.not_ready().is_some_and(|reason| reason.contains("recovering")));
    let log = Arc::clone(disk.log().expect("it is to be kept"));
    let (breaking, _broken) = oneshot::channel();
    let running = disk.recover(&log, shared.store.recovery(), Records::of(&shared), breaking).expect("an empty folder");
    shared.store.open();
    let stored = runtime.block_on(shared.run(&put("a"), |outcome| matches!(outcome, Ok(Reply::Stored { .. }))));
    assert_eq!(stored, Ok(true));
    assert_eq!(shared.not_ready(), None);
    assert!(running.close());
}

#[test]
fn an_outcome_waits_for_its_own_partition_and_for_no_other() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (shared, disk) = begun(folder.path(), "always");
    let store = &shared.store;
    store.open();
    let (now, start) = (shared.clock.now(), store.begin());
    store.execute(&put("a"), now, |outcome| assert!(outcome.is_ok()));
    store.execute(&command("a", KeyAction::Get), now, |outcome| assert!(outcome.is_ok()));
    let log = Arc::clone(disk.log().expect("it is to be kept"));
    assert!(
        store.verdict(store.ticket(&key("a"), start)) == Verdict::Open,
        "nobody has written it yet, so a read must not show it"
    );
    assert!(store.verdict(store.ticket_of_all(start)) == Verdict::Open);
    assert!(
        store.verdict(store.ticket(&key("b"), start)) == Verdict::Confirmed,
        "another partition has nothing to wait for"
    );
    let (breaking, _broken) = oneshot::channel();
    let running = disk.recover(&log, store.recovery(), Records::of(&shared), breaking).expect("an empty folder");
    let settled = runtime().expect("a runtime").block_on(store.settled(store.ticket(&key("a"), start)));
    assert_eq!(settled, Ok(()), "the log's thread has written it");
    assert!(running.close());
}
