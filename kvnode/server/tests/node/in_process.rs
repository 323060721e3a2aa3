//! A node within the test's process, on a port of its own, with a clock that the test can put ahead.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::JoinHandle;

use kvnode::clock::Clock;
use kvnode::node::{Ending, Node, runtime};
use kvnode::settings::machine::Machine;
use kvnode::settings::{Request, Settings, resolve};
use tokio::sync::mpsc;

use crate::client::MASTER_KEY;

pub(crate) struct TestNode {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Clock,
    stop: mpsc::Sender<()>,
    running: Option<JoinHandle<Ending>>,
}

impl TestNode {
    pub(crate) fn start() -> Self {
        Self::with(&[], &[])
    }

    /// With the key that the client sends under the versioned paths.
    pub(crate) fn with_master_key() -> Self {
        Self::with(&[], &[("ADMIN_KEY", MASTER_KEY)])
    }

    /// Flags and variables beside free ports; the tenant is `dev` unless they name another.
    pub(crate) fn with(flags: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::changed(flags, variables, |_| {})
    }

    /// The same with settings that no flag can give.
    pub(crate) fn changed(flags: &[&str], variables: &[(&str, &str)], change: impl FnOnce(&mut Settings)) -> Self {
        let fixed = ["kvnode", "--name", "n0", "--bind", "127.0.0.1", "--port", "0", "--metrics-port", "0"];
        let tenant: &[&str] = if flags.contains(&"--tenant") { &[] } else { &["--tenant", "dev"] };
        let arguments = fixed.iter().chain(tenant).chain(flags).map(OsString::from);
        let variable = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let mut settings = match resolve(arguments, &variable, &Machine::read(Path::new("/"))) {
            Ok(Request::Run(settings)) => *settings,
            other => panic!("no good settings: {other:?}"),
        };
        change(&mut settings);
        let clock = Clock::default();
        let node = Node::start(settings, clock.clone()).expect("a free port");
        let address = node.address();
        let (stop, stopped) = mpsc::channel(1);
        let running = std::thread::spawn(move || runtime().expect("a runtime").block_on(node.run(stopped)));
        Self { address, clock, stop, running: Some(running) }
    }
}

/// Every node must end as it should, in every test.
impl Drop for TestNode {
    fn drop(&mut self) {
        let told = self.stop.try_send(());
        let ending = self.running.take().expect("it is taken here only").join();
        if !std::thread::panicking() {
            told.expect("the node still listens to being told");
            assert_eq!(ending.expect("no panic"), Ending::Drained);
        }
    }
}
