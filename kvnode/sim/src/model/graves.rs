//! What is remembered of keys that are gone, and at which versions they may begin again.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use kvnode_core::store::attributes::Version;
use kvnode_core::store::key::{Address, Namespace};
use kvnode_core::store::slot::{PARTITIONS, PartitionNumber};
use kvnode_core::time::UnixMillis;

use super::Known;

#[derive(Debug)]
pub(super) struct Graves {
    gone: BTreeMap<Address<'static>, Gone>,
    /// Left behind by a flush: keys of this namespace and partition start above it.
    floors: BTreeMap<(Namespace, PartitionNumber), Floor>,
    retention_ms: u64,
    /// No tombstone is ever dropped before its retention is over.
    roomy: bool,
}

#[derive(Clone, Copy, Debug)]
struct Gone {
    /// That of its tombstone.
    version: Version,
    /// Not later than the moment at which the store wrote its tombstone.
    since: UnixMillis,
    /// Its time came, and the store may not have noticed yet.
    expired: bool,
}

/// Not exactly known, because the store forgets tombstones at a sweep of its choice.
#[derive(Clone, Copy, Debug, Default)]
struct Floor {
    at_least: Version,
    at_most: Version,
}

impl Graves {
    pub(super) fn new(retention_ms: u64, roomy: bool) -> Self {
        Self { gone: BTreeMap::new(), floors: BTreeMap::new(), retention_ms, roomy }
    }

    pub(super) fn has(&self, address: &Address<'static>) -> bool {
        self.gone.contains_key(address)
    }

    pub(super) fn has_floor(&self, address: &Address<'static>) -> bool {
        self.floors.contains_key(&floor_of(address))
    }

    /// `version` is the last one of the entry.
    pub(super) fn bury(&mut self, address: &Address<'static>, version: Version, since: UnixMillis, expired: bool) {
        self.gone.insert(address.clone(), Gone { version: version.next(), since, expired });
    }

    pub(super) fn reopen(&mut self, address: &Address<'static>) {
        self.gone.remove(address);
    }

    /// Whether a key that is made can have this version.
    pub(super) fn judge(&self, address: &Address<'static>, clock: UnixMillis, version: Version) -> Result<(), String> {
        let begins = self.begins(address, clock);
        if begins.iter().any(|begin| begin.contains(&version)) {
            Ok(())
        } else {
            Err(format!("version {version}, but it begins within {begins:?}"))
        }
    }

    /// Whether a key that is put back can have this version, if it had `before`: that one, unless it would begin higher.
    pub(super) fn judge_put_back(
        &self,
        address: &Address<'static>,
        clock: UnixMillis,
        (before, version): (Version, Version),
    ) -> Result<(), String> {
        let begins = self.begins(address, clock);
        let right = match version.cmp(&before) {
            Ordering::Less => false,
            Ordering::Equal => begins.iter().any(|begin| *begin.start() <= before),
            Ordering::Greater => begins.iter().any(|begin| begin.contains(&version)),
        };
        if right { Ok(()) } else { Err(format!("version {version} for {before}, but it begins within {begins:?}")) }
    }

    /// The versions that a key may begin with.
    fn begins(&self, address: &Address<'static>, clock: UnixMillis) -> Vec<RangeInclusive<Version>> {
        const LAST: Version = Version::new(u64::MAX);
        let floor = self.floors.get(&floor_of(address)).copied().unwrap_or_default();
        let above_floor = floor.at_least.next()..=if self.roomy { floor.at_most.next() } else { LAST };
        let Some(gone) = self.gone.get(address) else { return vec![above_floor] };
        let next = gone.version.next();
        match self.is_remembered(gone, clock) {
            true if self.roomy => vec![next..=next],
            true => vec![next..=LAST],
            false => vec![next..=next, above_floor],
        }
    }

    /// Everything of the namespace is gone, tombstones as well.
    pub(super) fn flush(
        &mut self,
        namespace: Namespace,
        live: &[(Address<'static>, Known)],
        clocks: &[UnixMillis; PARTITIONS],
    ) {
        for (address, known) in live {
            self.floors.entry(floor_of(address)).or_default().rise(known.version.next(), known.version.next());
        }
        let gone: Vec<_> = self.gone.extract_if(.., |address, _| address.namespace == namespace).collect();
        for (address, gone) in gone {
            let remembered = self.is_remembered(&gone, clocks[address.partition().index()]);
            // An entry whose end was not noticed has no tombstone yet; one dropped for want of memory is as good as its
            // version.
            let at_least = match remembered {
                false => Version::ABSENT,
                true if gone.expired || !self.roomy => gone.version,
                true => gone.version.next(),
            };
            self.floors.entry(floor_of(&address)).or_default().rise(at_least, gone.version.next());
        }
    }

    fn is_remembered(&self, gone: &Gone, clock: UnixMillis) -> bool {
        clock < gone.since.plus_millis(self.retention_ms)
    }
}

impl Floor {
    fn rise(&mut self, at_least: Version, at_most: Version) {
        self.at_least = self.at_least.max(at_least);
        self.at_most = self.at_most.max(at_most);
    }
}

fn floor_of(address: &Address<'_>) -> (Namespace, PartitionNumber) {
    (address.namespace, address.partition())
}
