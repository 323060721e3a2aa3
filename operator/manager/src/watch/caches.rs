//! All caches together, and the watches that fill them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::channel::mpsc;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, Service, ServiceAccount};
use kube::Client;
use kube::api::Api;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::{self, ObjectRef, Store};
use kvtenant_api::KVTenant;
use kvtenant_plan::PodSeen;
use kvtenant_plan::children::ChildKind;

use super::cache::{Cache, TenantKey};
use super::follow::{Outlets, WatchEnded, follow};
use super::seen::{ChildSeen, child, pod, stateful_set};
use super::tenants;
use super::unlisted::Unlisted;
use crate::metrics::Metrics;

/// Announcements on their way to the controller, which takes them at once; more than this means it is behind, and the
/// watches wait.
const WAKES_BUFFERED: usize = 1_024;
const POD: &str = "Pod";

/// What the operator knows without asking.
#[derive(Clone, Debug)]
pub(crate) struct Caches {
    pub(crate) tenants: Store<KVTenant>,
    children: Arc<HashMap<ChildKind, Mutex<Cache<ChildSeen>>>>,
    pods: Arc<Mutex<Cache<PodSeen>>>,
    /// What has not been listed to the end yet.
    pub(crate) unlisted: Unlisted,
}

/// The watches, to be driven; they end only when something is wrong.
pub(crate) struct Watchers {
    tasks: FuturesUnordered<BoxFuture<'static, WatchEnded>>,
}

impl Watchers {
    /// Drives all watches until one ends.
    pub(crate) async fn run(mut self) -> WatchEnded {
        self.tasks.next().await.unwrap_or(WatchEnded { kind: "anything" })
    }
}

impl Caches {
    /// Starts watching: the caches, the watches to drive, and the tenants to be looked at.
    pub(crate) fn start(client: &Client, metrics: &Metrics) -> (Self, Watchers, mpsc::Receiver<ObjectRef<KVTenant>>) {
        let (wake, woken) = mpsc::channel(WAKES_BUFFERED);
        let (tenants, writer) = reflector::store();
        let children = ChildKind::ALL.map(|kind| (kind, Mutex::default()));
        let kinds = ChildKind::ALL.map(ChildKind::as_str).into_iter().chain([POD, tenants::KIND]);
        let unlisted = Unlisted::all(kinds);
        let outlets = Outlets { wake, unlisted: unlisted.clone(), metrics: metrics.clone() };
        let caches = Self { tenants, children: Arc::new(HashMap::from(children)), pods: Arc::default(), unlisted };

        let tasks = FuturesUnordered::new();
        for kind in ChildKind::ALL {
            let (caches, client, outlets) = (caches.clone(), client.clone(), outlets.clone());
            tasks.push(async move { caches.follow_children(kind, client, outlets).await }.boxed());
        }
        let (pods, api, pod_outlets) = (Arc::clone(&caches.pods), Api::<Pod>::all(client.clone()), outlets.clone());
        tasks.push(async move { follow(api, POD, &pods, pod, pod_outlets).await }.boxed());
        tasks.push(tenants::follow(Api::all(client.clone()), writer, outlets).boxed());
        (caches, Watchers { tasks }, woken)
    }

    /// Only a StatefulSet's body matters; of all other kinds the API server sends metadata alone, so that no content
    /// of a Secret ever enters this process.
    async fn follow_children(&self, kind: ChildKind, client: Client, outlets: Outlets) -> WatchEnded {
        let (cache, name) = (self.of_kind(kind), kind.as_str());
        macro_rules! follow_metadata {
            ($kind:ty) => {{
                let api = Api::<PartialObjectMeta<$kind>>::all(client);
                follow(api, name, cache, |object| child(&object.metadata), outlets).await
            }};
        }
        match kind {
            ChildKind::ServiceAccount => follow_metadata!(ServiceAccount),
            ChildKind::Secret => follow_metadata!(Secret),
            ChildKind::ConfigMap => follow_metadata!(ConfigMap),
            ChildKind::Service => follow_metadata!(Service),
            ChildKind::StatefulSet => follow(Api::<StatefulSet>::all(client), name, cache, stateful_set, outlets).await,
        }
    }

    fn of_kind(&self, kind: ChildKind) -> &Mutex<Cache<ChildSeen>> {
        self.children.get(&kind).expect("there is a cache for every kind")
    }

    /// A tenant's children of one kind, by name.
    pub(crate) fn children(&self, kind: ChildKind, tenant: &TenantKey) -> Vec<(String, ChildSeen)> {
        lock(self.of_kind(kind)).of(tenant).map(|(name, seen)| (name.clone(), seen.clone())).collect()
    }

    /// A tenant's pods.
    pub(crate) fn pods(&self, tenant: &TenantKey) -> Vec<PodSeen> {
        lock(&self.pods).of(tenant).map(|(_, seen)| seen.clone()).collect()
    }
}

/// A cache is never left half-changed, so what a panicking thread left behind is still sound.
fn lock<V>(cache: &Mutex<Cache<V>>) -> MutexGuard<'_, Cache<V>> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}
