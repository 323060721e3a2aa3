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

/// An object in its reduced form: which one it is, whose it says it is, what matters about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry<V> {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Name of the tenant on its label; a label is easily lost, and then the object says nothing.
    pub(crate) tenant: Option<String>,
    pub(crate) value: V,
}

impl<V> Entry<V> {
    fn tenant(&self) -> Option<TenantKey> {
        self.tenant.as_ref().map(|tenant| TenantKey::new(&self.namespace, tenant))
    }
}

/// All objects of one kind, by tenant and name.
#[derive(Debug)]
pub(crate) struct Cache<V> {
    objects: Shelf<V>,
    /// What a relist has brought so far; it replaces `objects` when it is complete.
    relisted: Shelf<V>,
}

impl<V> Default for Cache<V> {
    fn default() -> Self {
        Self { objects: Shelf::default(), relisted: Shelf::default() }
    }
}

impl<V: Clone + PartialEq> Cache<V> {
    /// All objects of a tenant.
    pub(crate) fn of(&self, tenant: &TenantKey) -> impl Iterator<Item = (&String, &V)> {
        self.objects.by_tenant.get(tenant).into_iter().flatten()
    }

    /// Takes an event in and says which tenants it concerns.
    pub(crate) fn take(&mut self, event: Event<Entry<V>>) -> HashSet<TenantKey> {
        match event {
            Event::Init => {
                self.relisted = Shelf::default();
                HashSet::new()
            }
            Event::InitApply(entry) => {
                self.relisted.put(entry);
                HashSet::new()
            }
            Event::InitDone => self.replace(),
            Event::Apply(entry) => self.objects.put(entry),
            Event::Delete(entry) => {
                let home = self.objects.remove(&entry.namespace, &entry.name);
                entry.tenant().into_iter().chain(home).collect()
            }
        }
    }

    /// A relist is complete: whatever differs from before, changed or gone unseen, concerns its tenant.
    fn replace(&mut self) -> HashSet<TenantKey> {
        let before = std::mem::replace(&mut self.objects, std::mem::take(&mut self.relisted)).by_tenant;
        let now = &self.objects.by_tenant;
        let tenants: HashSet<&TenantKey> = before.keys().chain(now.keys()).collect();
        tenants.into_iter().filter(|tenant| before.get(tenant) != now.get(tenant)).cloned().collect()
    }
}

/// Objects under the tenant they say they belong to.
#[derive(Debug)]
struct Shelf<V> {
    by_tenant: HashMap<TenantKey, HashMap<String, V>>,
    /// Under which tenant the object of this namespace and name stands. When somebody changes its label, the tenant it
    /// stood under has to lose it, and to be looked at: kept there, it would look as if nothing had happened.
    homes: HashMap<(String, String), TenantKey>,
}

impl<V> Default for Shelf<V> {
    fn default() -> Self {
        Self { by_tenant: HashMap::new(), homes: HashMap::new() }
    }
}

impl<V: PartialEq> Shelf<V> {
    /// Puts an object where it says it belongs, and gives the tenants for which that changes something.
    fn put(&mut self, entry: Entry<V>) -> HashSet<TenantKey> {
        let id = (entry.namespace.clone(), entry.name.clone());
        let mut concerned = HashSet::new();
        let tenant = entry.tenant();
        if self.homes.get(&id) != tenant.as_ref() {
            concerned.extend(self.remove(&id.0, &id.1));
        }
        let Some(tenant) = tenant else { return concerned };
        let objects = self.by_tenant.entry(tenant.clone()).or_default();
        if objects.get(&entry.name) != Some(&entry.value) {
            concerned.insert(tenant.clone());
        }
        objects.insert(entry.name, entry.value);
        self.homes.insert(id, tenant);
        concerned
    }

    /// Takes an object away, and gives the tenant it stood under.
    fn remove(&mut self, namespace: &str, name: &str) -> Option<TenantKey> {
        let tenant = self.homes.remove(&(namespace.to_owned(), name.to_owned()))?;
        if let Some(objects) = self.by_tenant.get_mut(&tenant) {
            objects.remove(name);
            if objects.is_empty() {
                self.by_tenant.remove(&tenant);
            }
        }
        Some(tenant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(tenant: &str, name: &str, value: u32) -> Entry<u32> {
        Entry { namespace: "shop".to_owned(), name: name.to_owned(), tenant: Some(tenant.to_owned()), value }
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
        assert_eq!(relist(&mut cache, &[entry("a", "x", 1), entry("b", "y", 1), entry("c", "z", 1)]), ["a", "b", "c"]);
        assert_eq!(relist(&mut cache, &[entry("a", "x", 1), entry("b", "y", 2), entry("d", "z", 1)]), ["b", "c", "d"]);
    }

    /// G2: a label that somebody changed or removed is drift of the tenant that had the object before.
    #[test]
    fn an_object_whose_label_changes_is_missed_by_its_former_tenant() {
        let mut cache = Cache::default();
        relist(&mut cache, &[entry("a", "x", 1)]);
        assert_eq!(woken(&mut cache, Event::Apply(entry("b", "x", 2))), ["a", "b"]);
        assert_eq!(cache.of(&TenantKey::new("shop", "a")).count(), 0);
        let nobodys = Entry { tenant: None, ..entry("", "x", 3) };
        assert_eq!(woken(&mut cache, Event::Apply(nobodys.clone())), ["b"]);
        assert_eq!(cache.of(&TenantKey::new("shop", "b")).count(), 0);
        assert!(woken(&mut cache, Event::Apply(nobodys.clone())).is_empty());
        assert!(woken(&mut cache, Event::Delete(nobodys)).is_empty());
        assert_eq!(woken(&mut cache, Event::Apply(entry("a", "x", 4))), ["a"]);
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
