//! A running node: its threads, its tasks, and how it ends. Each serving thread has a runtime of its own and answers a
//! request to its end; the thread that calls [`Node::run`] has the rest: probes, scrapes, background tasks.
//! When a thread or task that should run for ever ends, the node ends: half a node must not go on looking healthy.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use thiserror::Error;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::cluster;
use crate::connections::{Lifetime, Ways, serve};
use crate::disk::{Disk, FolderError, Records, RecoveryError, Running};
use crate::http::hot::Hot;
use crate::http::{monitoring, public};
use crate::listeners::{self, ListenError};
use crate::reread::reread_files;
use crate::resp::serving::{EventLoop, Port};
use crate::settings::Settings;
use crate::shared::Shared;
use crate::tasks;

/// Kubernetes kills a pod 30 s after it asked it to end; the node ends by itself before that, and says so.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(25);

#[derive(Debug)]
pub struct Node {
    shared: Arc<Shared>,
    address: SocketAddr,
    monitoring: Option<std::net::TcpListener>,
    monitoring_address: Option<SocketAddr>,
    resp_addresses: RespAddresses,
    serving: usize,
    disk: Option<Disk>,
    /// The name of each serving thread, when it ends.
    ended: mpsc::UnboundedReceiver<String>,
}

/// Where the Redis protocol is spoken, if it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct RespAddresses {
    pub plain: Option<SocketAddr>,
    pub cluster: Option<SocketAddr>,
}

#[derive(Debug, Error)]
pub enum StartError {
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("The node cannot start its threads: {0}; give it fewer --threads or raise the limit on processes.")]
    Threads(#[from] io::Error),
}

/// How a node came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All requests were answered.
    Drained,
    /// Requests were cut off: the drain took too long, or someone insisted.
    Forced,
    /// Something that should run for ever did not.
    Failed,
    /// What is kept on the disk cannot be used, for the reason that this sentence gives. Nothing was served.
    Refused(String),
}

impl Node {
    /// When this returns, the node takes connections.
    pub fn start(settings: Settings, clock: Clock) -> Result<Self, StartError> {
        // The folder first: a node that has no right to it must not take connections even for a moment.
        let disk = Disk::open(&settings, &clock)?;
        let listeners = listeners::open(&settings)?;
        let address = listeners.public[0].local_addr()?;
        let monitoring_address = listeners.monitoring.as_ref().map(std::net::TcpListener::local_addr).transpose()?;
        let first_address =
            |listeners: &[std::net::TcpListener]| listeners.first().map(std::net::TcpListener::local_addr);
        let resp_addresses = RespAddresses {
            plain: first_address(&listeners.resp).transpose()?,
            cluster: first_address(&listeners.resp_cluster).transpose()?,
        };
        let shared = Arc::new(Shared::new(settings, clock, disk.as_ref())?);
        let (ending, ended) = mpsc::unbounded_channel();
        let mut serving = listeners.public.len();
        for (number, listener) in listeners.public.into_iter().enumerate() {
            start_thread(number, listener, &shared, ending.clone())?;
        }
        let (mut plain, mut cluster) = (listeners.resp.into_iter(), listeners.resp_cluster.into_iter());
        for number in 0..shared.settings.threads {
            let plain = plain.next().map(|listener| (listener, Port::Plain));
            let cluster = cluster.next().map(|listener| (listener, Port::Cluster));
            let listeners: Vec<_> = plain.into_iter().chain(cluster).collect();
            if !listeners.is_empty() {
                start_event_loop(number, listeners, &shared, ending.clone())?;
                serving += 1;
            }
        }
        if let (Some(cluster), Some(listener)) = (shared.store.cluster(), listeners.peers) {
            let data_dir = shared.settings.data_dir.clone().expect("a member has an identity");
            cluster::start(&shared, cluster, cluster::Running { listener, data_dir }, &ending)?;
        }
        let monitoring = listeners.monitoring;
        Ok(Self { shared, address, monitoring, monitoring_address, resp_addresses, serving, disk, ended })
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Where the interface answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the metrics port answers, if there is one.
    pub fn monitoring_address(&self) -> Option<SocketAddr> {
        self.monitoring_address
    }

    /// Where the Redis protocol is spoken.
    pub fn resp_addresses(&self) -> RespAddresses {
        self.resp_addresses
    }

    /// Runs until told to stop: the first message drains, a second one ends the node at once.
    pub async fn run(mut self, mut stop: mpsc::Receiver<()>) -> Ending {
        let mut forever = JoinSet::new();
        forever.spawn(tasks::measure_rate(Arc::clone(&self.shared)));
        forever.spawn(reread_files(Arc::clone(&self.shared)));
        forever.spawn(tasks::write_audit(Arc::clone(&self.shared)));
        forever.spawn(tasks::tell_of_disk(Arc::clone(&self.shared)));
        if let Some(listener) = self.monitoring.take() {
            let listener = match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => listener,
                Err(error) => return failed(&format!("the metrics port cannot be used: {error}")),
            };
            let ways = Ways { router: monitoring(&self.shared), hot: None };
            forever.spawn(serve(listener, ways, Arc::clone(&self.shared), Lifetime::UntilProcessEnds));
        }
        let (breaking, broken) = oneshot::channel();
        let mut log = None;
        // One that holds the identity alone stays locked for as long as the node is there.
        let recovering = recover(self.disk.take_if(|disk| disk.log().is_some()), Arc::clone(&self.shared), breaking);
        let event = tokio::select! {
            recovered = recovering => match recovered {
                Err(error) => return Ending::Refused(error.to_string()),
                Ok(running) => {
                    log = running;
                    forever.spawn(tasks::sweep(Arc::clone(&self.shared)));
                    tokio::select! {
                        event = self.next_event(&mut stop, &mut forever) => event,
                        // Without a log there is nobody who could tell.
                        Ok(()) = broken => Event::Broken("the log can no longer be written".to_owned()),
                    }
                }
            },
            event = self.next_event(&mut stop, &mut forever) => event,
        };
        let ending = match event {
            Event::Stop => self.drain(&mut stop, &mut forever).await,
            Event::Broken(what) => failed(&what),
        };
        if let Some(cluster) = self.shared.store.cluster() {
            cluster.end();
        }
        match log.map(Running::close) {
            Some(false) => failed("the log could not be closed"),
            _ => ending,
        }
    }

    async fn next_event(&mut self, stop: &mut mpsc::Receiver<()>, forever: &mut JoinSet<()>) -> Event {
        tokio::select! {
            _ = stop.recv() => Event::Stop,
            name = self.ended.recv() => Event::Broken(format!("{} ended", name.unwrap_or_default())),
            _ = forever.join_next() => Event::Broken("a background task ended".to_owned()),
        }
    }

    async fn drain(&mut self, stop: &mut mpsc::Receiver<()>, forever: &mut JoinSet<()>) -> Ending {
        tracing::info!(tenant_id = self.shared.settings.tenant.as_str(), "draining");
        let shared = Arc::clone(&self.shared);
        let drained = async {
            // While others take over, whoever still comes is answered.
            if let Some(cluster) = shared.store.cluster() {
                cluster.leave().await;
            }
            shared.begin_drain();
            for _ in 0..self.serving {
                self.ended.recv().await;
            }
        };
        tokio::select! {
            drained = timeout(DRAIN_TIME_MAX, drained) => match drained {
                Ok(()) => {
                    tracing::info!(tenant_id = self.shared.settings.tenant.as_str(), "drained");
                    Ending::Drained
                }
                Err(_) => forced(&format!("requests were still under way after {} s", DRAIN_TIME_MAX.as_secs())),
            },
            Some(()) = stop.recv() => forced("the node was told to stop again"),
            _ = forever.join_next() => failed("a background task ended"),
        }
    }
}

/// What ends a node.
enum Event {
    Stop,
    Broken(String),
}

/// Brings back what is kept, while all ports answer already that this is so. Nothing to do for a node that keeps nothing.
async fn recover(
    disk: Option<Disk>,
    shared: Arc<Shared>,
    broken: oneshot::Sender<()>,
) -> Result<Option<Running>, RecoveryError> {
    let Some((log, disk)) = disk.and_then(|disk| Some((disk.log().cloned()?, disk))) else { return Ok(None) };
    let recovering = move || {
        let records = Records::of(&shared);
        let running = disk.recover(&log, shared.store.recovery(), records, broken)?;
        shared.store.open();
        tracing::info!(tenant_id = shared.settings.tenant.as_str(), "ready");
        Ok(Some(running))
    };
    tokio::task::spawn_blocking(recovering).await.expect("a panic ends the process")
}

fn forced(reason: &str) -> Ending {
    tracing::warn!("ending with requests under way: {reason}");
    Ending::Forced
}

fn failed(reason: &str) -> Ending {
    tracing::error!("ending because something that should run for ever did not: {reason}");
    Ending::Failed
}

/// Says that its thread has ended, however it did.
struct Farewell {
    name: String,
    ending: mpsc::UnboundedSender<String>,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        // Nobody listens any more when the node has ended already.
        let _ = self.ending.send(std::mem::take(&mut self.name));
    }
}

fn start_thread(
    number: usize,
    listener: std::net::TcpListener,
    shared: &Arc<Shared>,
    ending: mpsc::UnboundedSender<String>,
) -> io::Result<()> {
    let runtime = runtime()?;
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let name = format!("kvnode-serve-{number}");
    let farewell = Farewell { name: name.clone(), ending };
    let shared = Arc::clone(shared);
    thread::Builder::new().name(name).spawn(move || {
        let _farewell = farewell;
        let ways = Ways { router: public(&shared), hot: Some(Arc::new(Hot::new(&shared))) };
        runtime.block_on(serve(listener, ways, shared, Lifetime::UntilDrain));
    })?;
    Ok(())
}

/// The threads of the Redis protocol have no runtime: an event loop of their own is what makes them quick.
fn start_event_loop(
    number: usize,
    listeners: Vec<(std::net::TcpListener, Port)>,
    shared: &Arc<Shared>,
    ending: mpsc::UnboundedSender<String>,
) -> io::Result<()> {
    let event_loop = EventLoop::new(listeners, shared)?;
    let name = format!("kvnode-resp-{number}");
    let farewell = Farewell { name: name.clone(), ending };
    thread::Builder::new().name(name).spawn(move || {
        let _farewell = farewell;
        if let Err(error) = event_loop.run() {
            tracing::error!(%error, "the system no longer tells of the Redis protocol's connections");
        }
    })?;
    Ok(())
}

/// The runtime of one thread, for serving threads and for the one that calls [`Node::run`].
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::settings::machine::Machine;
    use crate::settings::{Request, resolve};

    fn node() -> Node {
        let arguments = ["kvnode", "--tenant", "dev", "--name", "n0", "--port", "0", "--metrics-port", "0"];
        let no_resp = ["--resp-port", "0", "--resp-cluster-port", "0"];
        let machine = Machine { memory_bytes: Some(1 << 30), cpu_cores: 1.0 };
        let settings = match resolve(arguments.into_iter().chain(no_resp).map(OsString::from), &|_| None, &machine) {
            Ok(Request::Run(settings)) => *settings,
            other => panic!("no good settings: {other:?}"),
        };
        Node::start(settings, Clock::default()).expect("a free port")
    }

    /// A listener nobody serves any more would leave clients waiting behind a node that looks healthy.
    #[test]
    fn a_serving_thread_that_ends_takes_the_node_down() {
        let mut node = node();
        let (ending, ended) = mpsc::unbounded_channel();
        node.ended = ended;
        let shared = Arc::clone(&node.shared);
        let farewell = Farewell { name: "kvnode-serve-7".to_owned(), ending };
        let died = thread::spawn(move || {
            let _farewell = farewell;
            panic!("as if a promise was broken");
        });
        assert!(died.join().is_err());
        let (_stop, stopped) = mpsc::channel(1);
        assert_eq!(runtime().expect("a runtime").block_on(node.run(stopped)), Ending::Failed);
        shared.begin_drain();
    }

    #[test]
    fn told_to_stop_it_drains() {
        let (stop, stopped) = mpsc::channel(1);
        stop.try_send(()).expect("room for one");
        assert_eq!(runtime().expect("a runtime").block_on(node().run(stopped)), Ending::Drained);
    }
}
