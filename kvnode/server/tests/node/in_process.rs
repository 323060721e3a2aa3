//! A node within the test's process, on a port of its own, with a clock that the test can put ahead.

use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use kvnode::clock::Clock;
use kvnode::node::{Ending, Node, RespAddresses, runtime};
use kvnode::settings::machine::Machine;
use kvnode::settings::{Request, Settings, resolve};
use tokio::sync::mpsc;

use crate::client::MASTER_KEY;

pub(crate) struct TestNode {
    pub(crate) address: SocketAddr,
    pub(crate) resp_addresses: RespAddresses,
    pub(crate) clock: Clock,
    stop: mpsc::Sender<()>,
    told_to_stop: AtomicBool,
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

    /// With both ports of the Redis protocol.
    pub(crate) fn with_resp(flags: &[&str]) -> Self {
        Self::with_resp_changed(flags, |_| {})
    }

    /// The same with settings that no flag can give.
    pub(crate) fn with_resp_changed(flags: &[&str], change: impl FnOnce(&mut Settings)) -> Self {
        // Held together, so that they differ; free again when the node opens them.
        let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
        let [plain, cluster] = held.map(|held| held.local_addr().expect("it is bound").port().to_string());
        Self::changed(flags, &[("RESP_PORT", &plain), ("RESP_CLUSTER_PORT", &cluster)], change)
    }

    /// Tells the node to end. To be told twice would cut off what is under way.
    pub(crate) fn stop(&self) {
        if !self.told_to_stop.swap(true, Ordering::Relaxed) {
            let told = self.stop.try_send(());
            assert!(told.is_ok() || std::thread::panicking(), "the node no longer listens to being told");
        }
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
            // Nodes of other tests have the ports that are open by default.
            let closed = matches!(name, "RESP_PORT" | "RESP_CLUSTER_PORT").then_some("0");
            found.map(|(_, value)| *value).or(closed).map(OsString::from)
        };
        let mut settings = match resolve(arguments, &variable, &Machine::read(Path::new("/"))) {
            Ok(Request::Run(settings)) => *settings,
            other => panic!("no good settings: {other:?}"),
        };
        change(&mut settings);
        let clock = Clock::default();
        let node = Node::start(settings, clock.clone()).expect("a free port");
        let (address, resp_addresses) = (node.address(), node.resp_addresses());
        let (stop, stopped) = mpsc::channel(1);
        let running = std::thread::spawn(move || runtime().expect("a runtime").block_on(node.run(stopped)));
        Self { address, resp_addresses, clock, stop, told_to_stop: AtomicBool::default(), running: Some(running) }
    }
}

/// Every node must end as it should, in every test.
impl Drop for TestNode {
    fn drop(&mut self) {
        self.stop();
        let ending = self.running.take().expect("it is taken here only").join();
        if !std::thread::panicking() {
            assert_eq!(ending.expect("no panic"), Ending::Drained);
        }
    }
}
