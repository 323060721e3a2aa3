//! The settings that may change while the node runs, as one snapshot that is exchanged as a whole: who reads it sees
//! all of a change or nothing of it, and reading it costs no lock.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use kvnode_core::store::attributes::Ttl;
use kvnode_core::store::limits::Limits;

use super::access::AccessSettings;
use super::cors::Origins;
use super::logs::LogLevel;
use super::shown::Shown;
use crate::tls::Tls;

#[derive(Clone, Debug)]
pub struct LiveSettings {
    pub limits: Limits,
    /// Of entries that are created under the versioned paths without one.
    pub default_ttl: Option<Ttl>,
    pub cors_origins: Origins,
    pub access: AccessSettings,
    pub log_level: LogLevel,
    pub(crate) shown: Vec<Shown>,
    /// None: no request is too slow to be told.
    pub slow_request: Option<Duration>,
    /// None: connections are plain.
    pub(crate) tls: Option<Tls>,
}

impl LiveSettings {
    /// The secrets that differ, by the words for them: what they are is never told.
    pub(super) fn other_secrets(&self, other: &Self) -> Vec<&'static str> {
        let tls = (self.tls != other.tls).then_some("the TLS certificates");
        self.access.other_secrets(&other.access).into_iter().chain(tls).collect()
    }
}

/// Copies share one snapshot.
#[derive(Clone, Debug)]
pub struct Live(Arc<ArcSwap<LiveSettings>>);

impl Live {
    pub(super) fn new(settings: LiveSettings) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(settings)))
    }

    /// What holds at this moment. Not to be kept from one request to the next.
    pub fn now(&self) -> Guard<Arc<LiveSettings>> {
        self.0.load()
    }

    pub(crate) fn replace(&self, by: Arc<LiveSettings>) {
        self.0.store(by);
    }
}
