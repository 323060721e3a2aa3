//! The watch for KVTenants themselves. They are kept whole, since a pass needs them whole; what wakes is a change of
//! what a user can write, never the status we write.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::pin;

use futures::StreamExt;
use kube::ResourceExt;
use kube::api::Api;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kvtenant_api::KVTenant;

use super::cache::TenantKey;
use super::follow::{Outlets, WatchEnded};

pub(super) const KIND: &str = "KVTenant";

pub(super) async fn follow(api: Api<KVTenant>, mut store: Writer<KVTenant>, mut outlets: Outlets) -> WatchEnded {
    let mut events = pin!(watcher(api, watcher::Config::default()).default_backoff());
    let mut wishes = Wishes::default();
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                store.apply_watcher_event(&event);
                if matches!(event, Event::InitDone) {
                    outlets.unlisted.listed(KIND);
                }
                outlets.announce(wishes.take(&event)).await;
            }
            Err(error) => outlets.complain(KIND, &error),
        }
    }
    WatchEnded { kind: KIND }
}

/// Fingerprints of what users wrote, to tell a wish from a status.
#[derive(Debug, Default)]
struct Wishes {
    known: HashMap<TenantKey, u64>,
    relisted: HashMap<TenantKey, u64>,
}

impl Wishes {
    /// Takes an event in and says which tenants to look at. A tenant that is gone is announced too, so that what is
    /// remembered of it can be forgotten.
    fn take(&mut self, event: &Event<KVTenant>) -> HashSet<TenantKey> {
        match event {
            Event::Init => {
                self.relisted.clear();
                HashSet::new()
            }
            Event::InitApply(tenant) => {
                self.relisted.insert(key(tenant), wish(tenant));
                HashSet::new()
            }
            Event::InitDone => {
                let before = std::mem::replace(&mut self.known, std::mem::take(&mut self.relisted));
                let all = before.keys().chain(self.known.keys());
                all.filter(|tenant| before.get(tenant) != self.known.get(tenant)).cloned().collect()
            }
            Event::Apply(tenant) => {
                let (key, wish) = (key(tenant), wish(tenant));
                let before = self.known.insert(key.clone(), wish);
                (before != Some(wish)).then_some(key).into_iter().collect()
            }
            Event::Delete(tenant) => {
                let key = key(tenant);
                self.known.remove(&key);
                HashSet::from([key])
            }
        }
    }
}

fn key(tenant: &KVTenant) -> TenantKey {
    TenantKey::new(tenant.metadata.namespace.as_deref().unwrap_or_default(), &tenant.name_any())
}

/// Everything a user can change: the spec (counted by generation), annotations, deletion; and which incarnation it is.
fn wish(tenant: &KVTenant) -> u64 {
    let mut hasher = DefaultHasher::new();
    let meta = &tenant.metadata;
    (&meta.uid, meta.generation, &meta.annotations, meta.deletion_timestamp.is_some()).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kvtenant_api::{KVTenantSpec, KVTenantStatus};

    fn tenant(change: impl FnOnce(&mut KVTenant)) -> KVTenant {
        let mut tenant = KVTenant::new("analytics", KVTenantSpec::default());
        tenant.metadata.namespace = Some("shop".to_owned());
        tenant.metadata.generation = Some(1);
        change(&mut tenant);
        tenant
    }

    fn wakes(wishes: &mut Wishes, event: &Event<KVTenant>) -> bool {
        !wishes.take(event).is_empty()
    }

    /// G4: our own status write comes back as an event, and must not start another pass.
    #[test]
    fn a_status_wakes_nobody() {
        let mut wishes = Wishes::default();
        assert!(wakes(&mut wishes, &Event::Apply(tenant(|_| {}))));
        let written = tenant(|tenant| {
            tenant.status = Some(KVTenantStatus { formed: true, ..KVTenantStatus::default() });
            tenant.metadata.resource_version = Some("2".to_owned());
        });
        assert!(!wakes(&mut wishes, &Event::Apply(written)));
    }

    #[test]
    fn what_a_user_changes_wakes() {
        let mut wishes = Wishes::default();
        wishes.take(&Event::Apply(tenant(|_| {})));
        let spec = tenant(|tenant| tenant.metadata.generation = Some(2));
        let annotated = tenant(|tenant| {
            tenant.metadata.generation = Some(2);
            tenant.annotations_mut().insert("kvtenant.io/upgrade".to_owned(), "true".to_owned());
        });
        let made_again = tenant(|tenant| tenant.metadata.uid = Some("another".to_owned()));
        for changed in [spec, annotated, made_again] {
            assert!(wakes(&mut wishes, &Event::Apply(changed)));
        }
        assert!(wakes(&mut wishes, &Event::Delete(tenant(|_| {}))));
    }

    #[test]
    fn a_relist_of_the_same_wakes_nobody() {
        let mut wishes = Wishes::default();
        let mut relist = |list: &[KVTenant]| {
            wishes.take(&Event::Init);
            for tenant in list {
                wishes.take(&Event::InitApply(tenant.clone()));
            }
            wishes.take(&Event::InitDone).len()
        };
        assert_eq!(relist(&[tenant(|_| {})]), 1);
        assert_eq!(relist(&[tenant(|_| {})]), 0);
        assert_eq!(relist(&[]), 1, "one that vanished meanwhile has to be forgotten");
    }
}
