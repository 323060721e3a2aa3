//! One watch, from the API server into one cache, for as long as the operator lives.

use std::collections::HashSet;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};

use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use kube::api::Api;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kvtenant_api::KVTenant;
use kvtenant_api::names::{LABEL_MANAGED_BY, OPERATOR};
use serde::de::DeserializeOwned;

use super::cache::{Cache, Entry, TenantKey};
use super::unlisted::Unlisted;
use crate::answer::watch_words;
use crate::metrics::Metrics;

/// A watch must not end; if one does, the operator is blind and has to go down.
#[derive(Debug, thiserror::Error)]
#[error("the watch for {kind} ended")]
pub(crate) struct WatchEnded {
    pub(super) kind: &'static str,
}

/// Where tenants are announced that have to be looked at.
pub(super) type Wake = mpsc::Sender<ObjectRef<KVTenant>>;

/// What every watch needs beside its own kind.
#[derive(Clone, Debug)]
pub(super) struct Outlets {
    pub(super) wake: Wake,
    pub(super) unlisted: Unlisted,
    pub(super) metrics: Metrics,
}

/// Follows all objects of ours of one kind.
pub(super) async fn follow<K, V>(
    api: Api<K>,
    kind: &'static str,
    cache: &Mutex<Cache<V>>,
    reduce: impl Fn(&K) -> Entry<V>,
    mut outlets: Outlets,
) -> WatchEnded
where
    K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    V: Clone + PartialEq,
{
    let config = watcher::Config::default().labels(&format!("{LABEL_MANAGED_BY}={OPERATOR}"));
    let mut events = pin!(watcher(api, config).default_backoff());
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                let event = reduced(event, &reduce);
                let listed = matches!(event, Event::InitDone);
                let tenants = cache.lock().unwrap_or_else(PoisonError::into_inner).take(event);
                if listed {
                    outlets.unlisted.listed(kind);
                }
                outlets.announce(tenants).await;
            }
            Err(error) => outlets.complain(kind, &error),
        }
    }
    WatchEnded { kind }
}

/// The event with its object reduced.
fn reduced<K, V>(event: Event<K>, reduce: impl Fn(&K) -> Entry<V>) -> Event<Entry<V>> {
    match event {
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
        Event::InitApply(object) => Event::InitApply(reduce(&object)),
        Event::Apply(object) => Event::Apply(reduce(&object)),
        Event::Delete(object) => Event::Delete(reduce(&object)),
    }
}

impl Outlets {
    /// Announces tenants. The channel is bounded; when it is full the watch waits, which the API server bears.
    pub(super) async fn announce(&mut self, tenants: HashSet<TenantKey>) {
        for tenant in tenants {
            // The other end goes away only when the operator ends.
            let _ = self.wake.send(ObjectRef::new(&tenant.name).within(&tenant.namespace)).await;
        }
    }

    pub(super) fn complain(&self, kind: &'static str, error: &watcher::Error) {
        self.metrics.watch_failed(kind);
        tracing::warn!(kind, "a watch was interrupted and will be taken up again: {}", watch_words(error));
    }
}
