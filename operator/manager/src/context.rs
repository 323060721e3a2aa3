//! What every pass shares.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kube::api::{Api, ApiResource, DynamicObject};
use kube::{Client, Resource};
use kvtenant_plan::ImageRef;
use kvtenant_plan::children::ChildKind;

use crate::backoff::Backoff;
use crate::events::Events;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::watch::{Caches, TenantKey};

/// A single small request takes milliseconds; one that takes this long will not be answered any more, and its tenant
/// would hold one of the few places for tenants in work.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) caches: Caches,
    pub(crate) ledger: Ledger,
    pub(crate) backoff: Backoff,
    pub(crate) events: Events,
    pub(crate) metrics: Metrics,
    /// The image of new tenants' nodes.
    pub(crate) image: ImageRef,
    passes: AtomicU64,
}

impl Context {
    pub(crate) fn new(client: Client, caches: Caches, metrics: Metrics, image: ImageRef) -> Self {
        Self {
            events: Events::new(client.clone(), metrics.clone()),
            client,
            caches,
            ledger: Ledger::default(),
            backoff: Backoff::default(),
            metrics,
            image,
            passes: AtomicU64::new(0),
        }
    }

    /// The number of a new pass, for the logs.
    pub(crate) fn next_pass(&self) -> u64 {
        self.passes.fetch_add(1, Ordering::Relaxed)
    }

    /// Objects of one kind in one namespace.
    pub(crate) fn objects(&self, kind: ChildKind, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &resource(kind))
    }

    /// Forgets a tenant that is gone, so that memory follows the living tenants.
    pub(crate) fn forget(&self, tenant: &TenantKey) {
        self.backoff.forget(tenant);
        let known = self.caches.tenants.state();
        let living: HashSet<String> = known.iter().filter_map(|tenant| tenant.metadata.uid.clone()).collect();
        self.ledger.keep_only(&living);
    }
}

fn resource(kind: ChildKind) -> ApiResource {
    use k8s_openapi::api::apps::v1::StatefulSet;
    use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service, ServiceAccount};
    fn of<K: Resource<DynamicType = ()>>() -> ApiResource {
        ApiResource::erase::<K>(&())
    }
    match kind {
        ChildKind::ServiceAccount => of::<ServiceAccount>(),
        ChildKind::Secret => of::<Secret>(),
        ChildKind::ConfigMap => of::<ConfigMap>(),
        ChildKind::Service => of::<Service>(),
        ChildKind::StatefulSet => of::<StatefulSet>(),
    }
}
