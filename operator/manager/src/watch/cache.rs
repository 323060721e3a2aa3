//! Reduced objects, kept by tenant. Fed with the events of a watch, it answers which tenants have to be looked at.

use std::collections::{HashMap, HashSet};
use std::fmt;

use kube::runtime::watcher::Event;

/// Namespace and name of a KVTenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TenantKey {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl TenantKey {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl fmt::Display for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// An object in its reduced form: whose it is, what it is called, what matters about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry<V> {
    pub(crate) tenant: TenantKey,
    pub(crate) name: String,
    pub(crate) value: V,
}

type ByTenant<V> = HashMap<TenantKey, HashMap<String, V>>;

/// All objects of one kind, by tenant and name.
#[derive(Debug)]
pub(crate) struct Cache<V> {
    objects: ByTenant<V>,
    /// What a relist has brought so far; it replaces `objects` when it is complete.
    relisted: ByTenant<V>,
}

impl<V> Default for Cache<V> {
    fn default() -> Self {
        Self { objects: HashMap::new(), relisted: HashMap::new() }
    }
}

impl<V: Clone + PartialEq> Cache<V> {
    /// All objects of a tenant.
    pub(crate) fn of(&self, tenant: &TenantKey) -> impl Iterator<Item = (&String, &V)> {
        self.objects.get(tenant).into_iter().flatten()
    }

    /// Takes an event in and says which tenants it concerns.
    pub(crate) fn take(&mut self, event: Event<Entry<V>>) -> HashSet<TenantKey> {
        match event {
            Event::Init => {
                self.relisted.clear();
                HashSet::new()
            }
            Event::InitApply(entry) => {
                self.relisted.entry(entry.tenant).or_default().insert(entry.name, entry.value);
                HashSet::new()
            }
            Event::InitDone => self.replace(),
            Event::Apply(entry) => {
                let objects = self.objects.entry(entry.tenant.clone()).or_default();
                let changed = objects.get(&entry.name) != Some(&entry.value);
                objects.insert(entry.name, entry.value);
                changed.then_some(entry.tenant).into_iter().collect()
            }
            Event::Delete(entry) => {
                if let Some(objects) = self.objects.get_mut(&entry.tenant) {
                    objects.remove(&entry.name);
                    if objects.is_empty() {
                        self.objects.remove(&entry.tenant);
                    }
                }
                HashSet::from([entry.tenant])
            }
        }
    }

    /// A relist is complete: whatever differs from before, changed or gone unseen, concerns its tenant.
    fn replace(&mut self) -> HashSet<TenantKey> {
        let before = std::mem::replace(&mut self.objects, std::mem::take(&mut self.relisted));
        let tenants: HashSet<&TenantKey> = before.keys().chain(self.objects.keys()).collect();
        tenants.into_iter().filter(|tenant| before.get(tenant) != self.objects.get(tenant)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(tenant: &str, name: &str, value: u32) -> Entry<u32> {
        Entry { tenant: TenantKey::new("shop", tenant), name: name.to_owned(), value }
    }

    fn woken(cache: &mut Cache<u32>, event: Event<Entry<u32>>) -> Vec<String> {
        let mut tenants: Vec<String> = cache.take(event).into_iter().map(|tenant| tenant.name).collect();
        tenants.sort();
        tenants
    }

    fn relist(cache: &mut Cache<u32>, entries: &[Entry<u32>]) -> Vec<String> {
        assert!(woken(cache, Event::Init).is_empty());
        for entry in entries {
            assert!(woken(cache, Event::InitApply(entry.clone())).is_empty(), "a half-read list is no news");
        }
        woken(cache, Event::InitDone)
    }

    /// G4: an object that looks the same after a write of somebody else wakes nobody.
    #[test]
    fn only_a_visible_change_wakes_its_tenant() {
        let mut cache = Cache::default();
        assert_eq!(woken(&mut cache, Event::Apply(entry("a", "x", 1))), ["a"]);
        assert!(woken(&mut cache, Event::Apply(entry("a", "x", 1))).is_empty());
        assert_eq!(woken(&mut cache, Event::Apply(entry("a", "x", 2))), ["a"]);
        assert_eq!(woken(&mut cache, Event::Delete(entry("a", "x", 2))), ["a"]);
        assert_eq!(cache.of(&TenantKey::new("shop", "a")).count(), 0);
    }

    /// G3: what changed while the watch was down is found by the relist, deletions included.
    #[test]
    fn a_relist_wakes_exactly_those_whose_objects_differ() {
        let mut cache = Cache::default();
        assert_eq!(relist(&mut cache, &[entry("a", "x", 1), entry("b", "x", 1), entry("c", "x", 1)]), ["a", "b", "c"]);
        assert_eq!(relist(&mut cache, &[entry("a", "x", 1), entry("b", "x", 2), entry("d", "x", 1)]), ["b", "c", "d"]);
    }

    #[test]
    fn objects_of_one_tenant_are_found_without_those_of_others() {
        let mut cache = Cache::default();
        relist(&mut cache, &[entry("a", "x", 1), entry("a", "y", 2), entry("b", "z", 3)]);
        let mut found: Vec<_> =
            cache.of(&TenantKey::new("shop", "a")).map(|(name, value)| (name.as_str(), *value)).collect();
        found.sort_unstable();
        assert_eq!(found, [("x", 1), ("y", 2)]);
    }
}
