//! What all threads of one node share. Everything in here is either fixed since the start, atomic, or behind a lock
//! that is held for one partition's work at most.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::Guard;
use kvnode_core::store::StoreConfig;
use kvnode_core::store::command::{AllCommand, KeyAction, KeyCommand};
use kvnode_core::store::entry::EntryRef;
use kvnode_core::store::outcome::{Gathered, Outcome};
use tokio::sync::{Semaphore, watch};

use crate::access::Access;
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::disk::{Disk, Identity};
use crate::drain::DrainOrder;
use crate::handshakes::Handshakes;
use crate::http::body::BodyBudget;
use crate::http::slow::SlowLog;
use crate::metrics::Metrics;
use crate::metrics::process::Usage;
use crate::metrics::snapshot::Readings;
use crate::monitor::Monitor;
use crate::random;
use crate::resp::serving::Redis;
use crate::settings::Settings;
use crate::settings::live::LiveSettings;
use crate::store::SharedStore;
use crate::untold::Untold;

/// Connections at once over all listeners. Each costs some ten kilobytes; thousands of clients are promised, and
/// beyond this the kernel's queue makes the next one wait.
const CONNECTIONS_MAX: usize = 10_000;

/// Files, sockets of listeners and runtimes: what a process needs beside its connections.
const FILES_BESIDE_CONNECTIONS: u64 = 128;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) store: SharedStore,
    pub(crate) access: Access,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
    /// Of the data folder, if there is one.
    pub(crate) identity: Option<Identity>,
    pub(crate) bodies: BodyBudget,
    pub(crate) connections: Arc<Semaphore>,
    pub(crate) monitor: Arc<Monitor>,
    pub(crate) drain_order: DrainOrder,
    pub(crate) handshakes: Handshakes,
    pub(crate) slow_log: SlowLog,
    /// How many of them there are when nobody is connected.
    pub(crate) connections_max: usize,
    pub(crate) redis: Redis,
    started: Instant,
    draining: watch::Sender<bool>,
}

impl Shared {
    pub(crate) fn new(settings: Settings, clock: Clock, disk: Option<&Disk>) -> io::Result<Self> {
        let live = Arc::clone(&settings.live.now());
        let config = StoreConfig {
            memory_limit: settings.memory_limit,
            tombstone_retention_ms: milliseconds(settings.tombstone_retention),
            hash_seed: random::hash_seed(),
            limits: live.limits.clone(),
            eviction: settings.eviction,
        };
        let identity = disk.map(|disk| disk.folder().identity().clone());
        let cluster = settings.cluster.as_ref().zip(identity.as_ref());
        let cluster = cluster.map(|(cluster, identity)| Arc::new(Cluster::new(&settings, cluster, identity, &clock)));
        let store = SharedStore::new(&config, disk.and_then(Disk::log).cloned(), cluster);
        store.ledger().set_account_quota(live.access.quota);
        let connections_max = connections_max();
        Ok(Self {
            access: Access::new(&settings)?,
            metrics: Metrics::new(
                settings.tenant.as_str(),
                settings.memory_limit,
                settings.cpu_limit_cores,
                store.log().is_some(),
            ),
            identity,
            bodies: BodyBudget::new(settings.memory_limit, live.limits.value_bytes_max, settings.timeouts.body),
            monitor: Arc::new(Monitor::new()),
            drain_order: DrainOrder::default(),
            handshakes: Handshakes::default(),
            slow_log: SlowLog::default(),
            connections: Arc::new(Semaphore::new(connections_max)),
            connections_max,
            redis: Redis::default(),
            started: clock.instant(),
            draining: watch::Sender::new(false),
            settings,
            store,
            clock,
        })
    }

    /// Runs a command about one key. Gives what `answer` made of the outcome, which it sees while the partition is still
    /// locked, as soon as that may be told to a client.
    pub(crate) async fn run<R>(
        &self,
        command: &KeyCommand<'_>,
        answer: impl FnOnce(Outcome<EntryRef<'_>>) -> R,
    ) -> Result<R, Untold> {
        self.store.ready()?;
        if !matches!(command.action, KeyAction::Get) {
            self.store.admitted().await?;
        }
        let begun = self.store.begin();
        let answered = self.store.execute(command, self.clock.now(), answer);
        self.store.settled(self.store.ticket(&command.address.key, begun)).await?;
        Ok(answered)
    }

    /// The same for a question about all keys of a namespace.
    pub(crate) async fn gather(&self, command: AllCommand) -> Result<Gathered, Untold> {
        self.store.ready()?;
        if matches!(command, AllCommand::Flush(_)) {
            self.store.admitted().await?;
        }
        if self.store.cluster().is_some() {
            return Err(Untold::OnlyAPart);
        }
        let begun = self.store.begin();
        let gathered = self.store.gather(command, self.clock.now()).await;
        self.store.settled(self.store.ticket_of_all(begun)).await?;
        Ok(gathered)
    }

    /// The settings that can change, as they are at this moment.
    pub(crate) fn live(&self) -> Guard<Arc<LiveSettings>> {
        self.settings.live.now()
    }

    /// Takes over what has changed in settings that were put together after these.
    pub(crate) fn take_over(&self, newer: &Settings) {
        let live = self.settings.take_over(newer);
        self.store.set_limits(&live.limits);
        self.bodies.allow_values_of(live.limits.value_bytes_max);
        self.access.settings_changed();
        self.store.ledger().set_account_quota(live.access.quota);
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.clock.instant().duration_since(self.started)
    }

    /// From now on the node is not ready and takes no new connections.
    pub(crate) fn begin_drain(&self) {
        self.draining.send_replace(true);
        self.redis.wake_all();
    }

    pub(crate) fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Why nobody should be sent to this node; none when it is ready.
    pub(crate) fn not_ready(&self) -> Option<String> {
        if self.is_draining() {
            return Some("The node is shutting down.".to_owned());
        }
        if let Err(untold) = self.store.ready() {
            return Some(untold.to_string());
        }
        self.drain_order.mode().map(|_| "The node was asked to step aside.".to_owned())
    }

    /// Returns when the drain has begun.
    pub(crate) async fn drain_begun(&self) {
        let mut draining = self.draining.subscribe();
        draining.wait_for(|&draining| draining).await.expect("the sender lives as long as self");
    }

    pub(crate) fn count_keys(&self) -> u64 {
        self.store.count_users(self.clock.now())
    }

    pub(crate) fn metrics_page(&self) -> String {
        let ledger = self.store.ledger();
        self.metrics.page(&Readings {
            keys: self.count_keys(),
            memory_bytes: ledger.used(),
            expired_keys: ledger.expired(),
            evicted_keys: ledger.evicted(),
            uptime: self.uptime(),
            process: Usage::now(),
            disk: self.store.log().map(|log| log.readings()),
        })
    }
}

/// As many as are wanted, or as the process may open files for.
fn connections_max() -> usize {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return CONNECTIONS_MAX };
    let wanted = CONNECTIONS_MAX as u64 + FILES_BESIDE_CONNECTIONS;
    let raised = soft.max(wanted.min(hard));
    let files = if setrlimit(Resource::RLIMIT_NOFILE, raised, hard).is_ok() { raised } else { soft };
    let allowed = usize::try_from(files.saturating_sub(FILES_BESIDE_CONNECTIONS)).unwrap_or(CONNECTIONS_MAX);
    allowed.clamp(1, CONNECTIONS_MAX)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
