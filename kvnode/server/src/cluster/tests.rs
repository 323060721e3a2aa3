//! Whole nodes in one process, over real sockets and real files.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kvnode_core::store::attributes::Version;
use kvnode_core::store::command::{KeyAction, KeyCommand, Write};
use kvnode_core::store::key::{Address, Key, Namespace};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::{Refusal, Reply, own};
use kvnode_core::store::value::Value;
use tempfile::TempDir;
use tokio::sync::mpsc as channel;

use super::*;
use crate::node::{Ending, Node, runtime};
use crate::settings::machine::Machine;
use crate::settings::{Request, resolve};
use crate::shared::Shared;
use crate::untold::Untold;

/// Nothing in here takes longer on a machine that is merely busy.
const SOON: Duration = Duration::from_secs(60);

struct Member {
    shared: Arc<Shared>,
    stop: channel::Sender<()>,
    running: JoinHandle<Ending>,
}

struct Cast {
    folders: Vec<TempDir>,
    peers: Vec<String>,
    members: BTreeMap<usize, Member>,
}

impl Cast {
    fn of(count: usize) -> Self {
        let listeners: Vec<_> =
            (0..count).map(|_| std::net::TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
        let address = |listener: &std::net::TcpListener| listener.local_addr().expect("it is bound").to_string();
        let peers = listeners.iter().map(address).collect();
        drop(listeners);
        let folders = (0..count).map(|_| tempfile::tempdir().expect("a folder")).collect();
        let mut cast = Self { folders, peers, members: BTreeMap::new() };
        (0..count).for_each(|number| cast.begin(number));
        cast
    }

    fn begin(&mut self, number: usize) {
        let (name, folder) = (format!("n-{number}"), self.folders[number].path().to_str().expect("a plain path"));
        let arguments = ["kvnode", "--tenant", "dev", "--name", &name, "--bind", "127.0.0.1", "--port", "0"];
        let others = ["--metrics-port", "0", "--resp-port", "0", "--resp-cluster-port", "0", "--data-dir", folder];
        let machine = Machine { memory_bytes: Some(1 << 30), cpu_cores: 1.0 };
        let arguments = arguments.into_iter().chain(others).map(OsString::from);
        let Ok(Request::Run(mut settings)) = resolve(arguments, &|_| None, &machine) else { panic!("good settings") };
        let port = self.peers[number].rsplit_once(':').expect("host and port").1.parse().expect("a port");
        settings.cluster = Some(ClusterSettings {
            id: "one".to_owned(),
            peers: self.peers.clone(),
            peer_port: port,
            size: self.peers.len(),
            copies: 2,
            min_in_sync: 1,
            recreates_what_is_lost: true,
            token: None,
            zone: None,
            weight: 1,
        });
        let node = Node::start(*settings, Clock::default()).expect("free ports");
        let shared = node.shared();
        let (stop, stopped) = channel::channel(2);
        let running = thread(move || runtime().expect("a runtime").block_on(node.run(stopped)));
        self.members.insert(number, Member { shared, stop, running });
    }

    fn end(&mut self, number: usize) {
        let Member { stop, running, shared } = self.members.remove(&number).expect("it runs");
        stop.blocking_send(()).expect("it listens");
        assert_eq!(running.join().expect("no panic"), Ending::Drained);
        drop(shared);
    }

    /// It falls silent from one moment to the next.
    fn crash(&mut self, number: usize) {
        let Member { stop, running, shared } = self.members.remove(&number).expect("it runs");
        shared.store.cluster().expect("it is a member").end();
        assert_eq!(running.join().expect("no panic"), Ending::Failed);
        drop(stop);
    }

    /// Whoever says that it is primary of the key's partition.
    fn primary(&self, key: &str) -> Option<(usize, &Arc<Shared>)> {
        let number = PartitionNumber::of(key.as_bytes());
        let is_primary = |shared: &Shared| shared.store.cluster().expect("it is a member").route(number) == Route::Here;
        self.members.iter().map(|(place, member)| (*place, &member.shared)).find(|(_, shared)| is_primary(shared))
    }

    /// Asks whoever is primary, again and again while nobody is.
    fn ask<R>(
        &self,
        key: &str,
        action: impl Fn() -> KeyAction<'static>,
        answer: impl Fn(Result<Reply, Refusal>) -> R,
    ) -> Result<R, Untold> {
        let begun = now();
        let runtime = runtime().expect("a runtime");
        loop {
            assert!(begun.elapsed() < SOON, "nobody answers for '{key}'");
            if let Some((_, shared)) = self.primary(key) {
                let key = Key::new(key, &Limits::default()).expect("a good key").into_owned();
                let command = KeyCommand::new(Address { namespace: Namespace::Shared, key }, action());
                match runtime.block_on(shared.run(&command, |outcome| own(outcome, Namespace::Shared))) {
                    Ok(Err(Refusal::NotServed)) => {}
                    Ok(outcome) => return Ok(answer(outcome)),
                    Err(untold) => return Err(untold),
                }
            }
            wait_a_moment();
        }
    }

    fn put(&self, key: &str, value: &str) -> Result<Version, Untold> {
        let write = || {
            KeyAction::Write(Write::put(
                Value::bytes(value.as_bytes(), &Limits::default()).expect("short").into_owned(),
            ))
        };
        self.ask(key, write, |outcome| match outcome {
            Ok(Reply::Stored { entry, .. }) => entry.version,
            other => panic!("a put stores: {other:?}"),
        })
    }

    fn get(&self, key: &str) -> Option<String> {
        let found = self.ask(
            key,
            || KeyAction::Get,
            |outcome| match outcome {
                Ok(Reply::Found(entry)) => Some(String::from_utf8(entry.value.content().to_vec()).expect("text")),
                Ok(Reply::Absent) => None,
                other => panic!("a get finds or does not: {other:?}"),
            },
        );
        found.expect("a read can be asked again")
    }

    /// Every partition has as many copies in sync as it is to have.
    fn until_in_sync(&self, copies: usize) {
        let begun = now();
        let is_whole = |member: &Member| {
            let known = member.shared.store.cluster().expect("it is a member").known();
            known.configuration.partitions().all(|(_, state)| state.isr().len() == copies)
        };
        while !self.members.values().all(is_whole) {
            if begun.elapsed() > SOON {
                for member in self.members.values() {
                    let known = member.shared.store.cluster().expect("it is a member").known();
                    let odd = known.configuration.partitions().filter(|(_, state)| state.isr().len() != copies);
                    println!(
                        "{} {:?}",
                        known.index,
                        odd.map(|(number, state)| (number.get(), state.isr().len(), state.joining()))
                            .collect::<Vec<_>>()
                    );
                }
                panic!("the cluster is not whole in time");
            }
            wait_a_moment();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a bound for waiting")]
fn now() -> Instant {
    Instant::now()
}

fn thread<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> JoinHandle<R> {
    std::thread::spawn(work)
}

#[expect(clippy::disallowed_methods, reason = "between two looks at a condition")]
fn wait_a_moment() {
    std::thread::sleep(Duration::from_millis(10));
}

/// Clients of all keys ask all the time, while each node in turn ends well and comes back.
#[test]
fn nodes_that_end_well_take_nothing_and_nobody_along() {
    let mut cast = Cast::of(3);
    cast.until_in_sync(2);
    let keys: Vec<String> = (0..100).map(|number| format!("key-{number}")).collect();
    let mut longest = Duration::ZERO;
    for round in 0..3 {
        let Member { stop, running, .. } = cast.members.remove(&round).expect("it runs");
        stop.blocking_send(()).expect("it listens");
        let mut ends = 0;
        while !running.is_finished() || ends < 3 {
            ends += usize::from(running.is_finished());
            for key in &keys {
                let begun = now();
                cast.put(key, &round.to_string()).expect("no request fails");
                longest = longest.max(begun.elapsed());
            }
        }
        assert_eq!(running.join().expect("no panic"), Ending::Drained);
        for key in &keys {
            assert_eq!(cast.get(key), Some(round.to_string()));
        }
        cast.begin(round);
        cast.until_in_sync(2);
    }
    println!("the longest that anybody waited was {longest:?}");
    (0..3).for_each(|number| cast.end(number));
}

#[test]
fn three_nodes_lose_nothing_when_one_falls_silent_and_comes_back() {
    let mut cast = Cast::of(3);
    cast.until_in_sync(2);
    let keys: Vec<String> = (0..100).map(|number| format!("key-{number}")).collect();
    let mut expected = BTreeMap::new();
    let mut round = |cast: &Cast| {
        for key in &keys {
            let number = expected.get(key).copied().unwrap_or(0) + 1;
            // One whose outcome is unknown may be done or not.
            if cast.put(key, &number.to_string()).is_ok() {
                expected.insert(key.clone(), number);
            }
            let found: u64 = cast.get(key).expect("it was written").parse().expect("a number");
            assert!(found == expected[key] || found == expected[key] + 1, "'{key}' is {found}, not {}", expected[key]);
            expected.insert(key.clone(), found);
        }
    };
    round(&cast);
    for number in 0..3 {
        let begun = now();
        cast.crash(number);
        round(&cast);
        println!("all keys were written without n-{number} after {:?}", begun.elapsed());
        cast.begin(number);
        cast.until_in_sync(2);
    }
    (0..3).for_each(|number| cast.end(number));
}

#[test]
fn three_nodes_form_a_cluster_and_lose_nothing_when_each_ends_well_and_comes_back_empty() {
    let mut cast = Cast::of(3);
    cast.until_in_sync(2);
    let keys: Vec<String> = (0..300).map(|number| format!("key-{number}")).collect();
    for key in &keys {
        cast.put(key, "1").expect("nobody fails");
    }
    for gone in 0..3 {
        let begun = now();
        cast.end(gone);
        for key in &keys {
            assert_eq!(cast.get(key).as_deref(), Some(if gone == 0 { "1" } else { "2" }), "'{key}' without n-{gone}");
        }
        println!("without n-{gone} after {:?}", begun.elapsed());
        for key in &keys {
            cast.put(key, "2").expect("nobody fails now");
        }
        cast.begin(gone);
        cast.until_in_sync(2);
        println!("whole again after {:?}", begun.elapsed());
    }
    for key in &keys {
        assert_eq!(cast.get(key).as_deref(), Some("2"));
    }
    (0..3).for_each(|number| cast.end(number));
}
