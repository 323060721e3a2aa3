//! One of the 256 parts of the store, and the unit that the shell locks: everything a single key needs (condition,
//! version, expiry, memory) is decided in here at once. A partition's clock never goes back: what has expired once stays
//! expired, even if the machine's clock is set back.

use std::collections::HashMap;

use foldhash::SharedSeed;
use foldhash::quality::FixedState;

use super::arena::Handle;
use super::attributes::Version;
use super::change;
use super::command::{KeyAction, KeyCommand, NewExpiry, NewTags, Write};
use super::condition::{Condition, Present};
use super::cursor::Cursor;
use super::entry::{Draft, Due, EntryRef, LAST_MOMENT};
use super::key::{Address, Namespace};
use super::keyspace::{Keyspace, hash_of};
use super::ledger::Ledger;
use super::limits::Limits;
use super::outcome::{Outcome, Refusal, Reply};
use super::slot::PartitionNumber;
use super::value::Kind;
use super::{Eviction, StoreConfig};
use crate::time::UnixMillis;

/// Entries an eviction compares. With ten, the one that goes is hardly ever among the more used half.
const EVICTION_SAMPLE: usize = 10;

/// Lots drawn for one sample. Some fall on tombstones, of which there can be more than entries where those are large.
const EVICTION_DRAWS_MAX: usize = 16 * EVICTION_SAMPLE;

/// Evictions for one write. Entries far smaller than the one to be written must make room for it, but a write must not
/// hold the partition for long; beyond this it is refused.
const EVICTIONS_PER_WRITE_MAX: usize = 128;

/// Of a linear congruential generator: the lots need not be secret, only spread.
const LOT_FACTOR: u64 = 6_364_136_223_846_793_005;

#[derive(Debug)]
pub struct Partition {
    number: PartitionNumber,
    seed: SharedSeed,
    limits: Limits,
    tombstone_retention_ms: u64,
    eviction: Eviction,
    /// Draws the entries that an eviction looks at.
    lot: u64,
    shared: Keyspace,
    /// Their order decides whose entries are swept or evicted first; a hasher with a seed makes that repeatable, too.
    others: HashMap<Namespace, Box<Keyspace>, FixedState>,
    /// The latest moment this partition was told of.
    clock: UnixMillis,
}

/// Where a key's entry is looked for: found out once, before any lock is taken.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub partition: PartitionNumber,
    hash: u64,
}

/// What one turn of the sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub expired: usize,
    pub tombstones_dropped: usize,
    /// Whether the turn ended because it had done enough, not because nothing was left.
    pub more: bool,
}

/// Bytes added up from what is there, and as counted along the way. They must agree with each other and the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    pub counted: u64,
    pub recounted: u64,
    pub tombstones_counted: u64,
    pub tombstones_recounted: u64,
}

impl Place {
    pub(super) fn of(seed: &SharedSeed, key: &str) -> Self {
        Self { partition: PartitionNumber::of(key.as_bytes()), hash: hash_of(seed, key.as_bytes()) }
    }
}

impl Partition {
    pub(super) fn new(number: PartitionNumber, seed: SharedSeed, config: &StoreConfig) -> Self {
        Self {
            number,
            shared: Keyspace::new(seed.clone()),
            seed,
            limits: config.limits.clone(),
            tombstone_retention_ms: config.tombstone_retention_ms,
            eviction: config.eviction,
            lot: config.hash_seed,
            others: HashMap::with_hasher(FixedState::with_seed(config.hash_seed)),
            clock: UnixMillis::default(),
        }
    }

    /// Brings what a command for this place will read near the processor (see [`Keyspace::touch`]).
    pub fn touch(&self, namespace: Namespace, place: Place) -> u8 {
        self.keyspace(namespace).map_or(0, |keyspace| keyspace.touch(place.hash))
    }

    /// The place must be that of the command's key.
    pub fn execute(
        &mut self,
        command: &KeyCommand<'_>,
        place: Place,
        now: UnixMillis,
        ledger: &Ledger,
    ) -> Outcome<EntryRef<'_>> {
        self.advance(now);
        let address = &command.address;
        let found = self.find_live(place.hash, address, ledger);
        match &command.action {
            KeyAction::Get => Ok(match found {
                Some(handle) => {
                    if self.eviction == Eviction::AllKeysLru {
                        let clock = seconds(self.clock);
                        self.existing_mut(address.namespace).use_at(handle, clock);
                    }
                    Reply::Found(self.existing(address.namespace).view(handle))
                }
                None => Reply::Absent,
            }),
            KeyAction::Write(write) => self.write((place.hash, address), found, write, ledger),
            KeyAction::Delete { conditions, with_previous } => {
                let Some(handle) = found else {
                    check(conditions, Present::default(), *with_previous)?;
                    return Ok(Reply::Absent);
                };
                let entry = self.existing(address.namespace).view(handle);
                check(conditions, present(entry), *with_previous)?;
                let previous = with_previous.then(|| entry.content().into());
                let version = self.bury(address.namespace, place.hash, handle, ledger);
                Ok(Reply::Deleted { version, previous })
            }
        }
    }

    /// Removes what has expired and forgets tombstones whose retention is over, oldest first, at most `turn` of both.
    pub fn sweep(&mut self, now: UnixMillis, turn: usize, ledger: &Ledger) -> Swept {
        self.advance(now);
        let mut swept = Swept::default();
        let others: Vec<Namespace> = self.others.keys().copied().collect();
        for namespace in others.into_iter().chain([Namespace::Shared]) {
            self.sweep_namespace(namespace, turn, &mut swept, ledger);
            if swept.more {
                return swept;
            }
            let keyspace = self.existing_mut(namespace);
            let before = keyspace.held();
            keyspace.give_back_room();
            ledger.settle(before, keyspace.held());
            if namespace != Namespace::Shared && keyspace.is_empty() && keyspace.floor == Version::ABSENT {
                self.others.remove(&namespace);
                ledger.settle(Self::OTHER_BYTES, 0);
            }
        }
        swept
    }

    /// Live keys, without those that have expired and await the sweep.
    pub fn count(&mut self, namespace: Namespace, now: UnixMillis) -> u64 {
        self.advance(now);
        self.keyspace(namespace).map_or(0, |keyspace| keyspace.live_at(self.clock.get()))
    }

    /// Live keys of all users' namespaces.
    pub fn count_users(&mut self, now: UnixMillis) -> u64 {
        self.advance(now);
        let others = self.others.iter().filter(|(namespace, _)| **namespace != Namespace::System);
        let others = others.map(|(_, keyspace)| keyspace.as_ref());
        others.chain([&self.shared]).map(|keyspace| keyspace.live_at(self.clock.get())).sum()
    }

    /// Every live entry of a namespace once, in no order.
    pub fn entries(&mut self, namespace: Namespace, now: UnixMillis) -> impl Iterator<Item = EntryRef<'_>> {
        self.advance(now);
        let clock = self.clock.get();
        self.keyspace(namespace).into_iter().flat_map(move |keyspace| keyspace.iter_at(clock))
    }

    /// The place of an entry of this partition in the order of lists.
    pub fn cursor_of(&self, entry: EntryRef<'_>) -> Cursor {
        Cursor::within(self.number, entry.key_bytes())
    }

    /// Deletes all entries of a namespace at once, and says how many.
    pub fn flush(&mut self, namespace: Namespace, now: UnixMillis, ledger: &Ledger) -> u64 {
        self.advance(now);
        let clock = self.clock.get();
        let Some(keyspace) = self.keyspace_mut(namespace) else { return 0 };
        let (held, tombstones, live) = (keyspace.held(), keyspace.tombstone_bytes(), keyspace.live_at(clock));
        keyspace.clear();
        ledger.settle(held, keyspace.held());
        ledger.remove_tombstones(tombstones);
        live
    }

    pub fn audit(&self) -> Audit {
        let mut audit = Audit::default();
        for keyspace in self.others.values().map(Box::as_ref).chain([&self.shared]) {
            let parts = keyspace.audit();
            audit.counted += parts.held[0];
            audit.recounted += parts.held[1];
            audit.tombstones_counted += parts.tombstones[0];
            audit.tombstones_recounted += parts.tombstones[1];
        }
        audit.counted += self.others.len() as u64 * Self::OTHER_BYTES;
        audit.recounted += self.others.len() as u64 * Self::OTHER_BYTES;
        audit
    }

    /// What a namespace costs a partition before it has any entry: itself and its place in the map.
    const OTHER_BYTES: u64 = size_of::<Keyspace>() as u64 + 2 * size_of::<(Namespace, Box<Keyspace>)>() as u64;

    fn write(
        &mut self,
        (hash, address): (u64, &Address<'_>),
        found: Option<Handle>,
        write: &Write<'_>,
        ledger: &Ledger,
    ) -> Outcome<EntryRef<'_>> {
        let namespace = address.namespace;
        let before = found.map(|handle| self.existing(namespace).view(handle));
        check(&write.conditions, before.map_or_else(Present::default, present), write.with_previous)?;
        let before_value = before.map(|entry| change::Present { kind: entry.kind(), content: entry.content() });
        let value = write.value.apply(before_value, &self.limits)?;
        let due = self.due(write.expiry, before);
        let previous = before.filter(|_| write.with_previous).map(|entry| entry.content().into());
        if due.is_some_and(|due| due.at <= self.clock) {
            return Ok(match found {
                None => Reply::Absent,
                Some(handle) => Reply::Deleted { version: self.bury(namespace, hash, handle, ledger), previous },
            });
        }
        let kept_tags = before.filter(|_| write.tags == NewTags::Keep).map(|entry| entry.tags().to_tags());
        let tags = match &write.tags {
            NewTags::Set(tags) => tags.packed(),
            NewTags::Keep => kept_tags.as_ref().map_or(&[][..], |tags| tags.packed()),
        };
        let clock = seconds(self.clock);
        let draft = Draft {
            key: address.key.as_str(),
            kind: value.kind(),
            content: value.content(),
            tags,
            version: Version::ABSENT,
            created: before.map_or(clock, |entry| entry.created()),
            updated: clock,
            due,
            used: (self.eviction == Eviction::AllKeysLru).then_some(clock),
            tombstone: false,
        };
        let created = before.is_none();
        let handle = self.put(namespace, hash, draft, ledger)?;
        let entry = self.existing(namespace).view(handle);
        Ok(Reply::Stored { entry, created, previous })
    }

    /// Writes the draft with the version that comes next, if memory allows it.
    fn put(
        &mut self,
        namespace: Namespace,
        hash: u64,
        mut draft: Draft<'_>,
        ledger: &Ledger,
    ) -> Result<Handle, Refusal> {
        let mut evictions = 0;
        let (found, own, growth) = loop {
            // A namespace's first entry takes what the namespace itself takes; if it is refused, neither is there.
            let unborn;
            let (keyspace, own) = if let Some(keyspace) = self.keyspace(namespace) {
                (keyspace, 0)
            } else {
                unborn = Keyspace::new(self.seed.clone());
                (&unborn, Self::OTHER_BYTES)
            };
            // A tombstone is found here, too: its place is taken over, and its version gone on from.
            let found = keyspace.find(hash, draft.key.as_bytes());
            let known = found.map(|handle| keyspace.view(handle));
            draft.version = known.map_or(keyspace.floor, |entry| entry.version()).next();
            let creating = known.is_none_or(|entry| entry.is_tombstone());
            let growth = own + keyspace.growth(found, &draft);
            let reserved = reserve(growth, creating, ledger);
            // Tombstones of what was evicted may have begun blocks: then the write fits, and the store is still too large.
            let over = evictions > 0 && ledger.used() > ledger.limit();
            if reserved.is_ok() && !over {
                break (found, own, growth);
            }
            if evictions < EVICTIONS_PER_WRITE_MAX && self.evict_but(found, namespace, ledger) {
                evictions += 1;
                continue;
            }
            reserved?;
            break (found, own, growth);
        };
        let keyspace = match namespace {
            Namespace::Shared => &mut self.shared,
            other => self.others.entry(other).or_insert_with(|| Box::new(Keyspace::new(self.seed.clone()))),
        };
        let (held, tombstones) = (keyspace.held(), keyspace.tombstone_bytes());
        let handle = keyspace.put(hash, found, &draft);
        ledger.settle(held + growth, own + keyspace.held());
        ledger.remove_tombstones(tombstones - keyspace.tombstone_bytes());
        Ok(handle)
    }

    /// Deletes one entry to make room, if that is what the store is to do; from this namespace, if it has any. Entries of
    /// the node itself never go.
    pub fn evict(&mut self, namespace: Namespace, now: UnixMillis, ledger: &Ledger) -> bool {
        // The retention of the tombstone begins now, not when this partition was last asked something.
        self.advance(now);
        self.evict_but(None, namespace, ledger)
    }

    /// Spares the entry that is being replaced: its write was decided by what it holds now.
    fn evict_but(&mut self, spared: Option<Handle>, namespace: Namespace, ledger: &Ledger) -> bool {
        if self.eviction == Eviction::None {
            return false;
        }
        let others = self.others.keys().copied().chain([Namespace::Shared]).filter(|&other| other != namespace);
        let others = others.map(|other| (other, None));
        let candidates = [(namespace, spared)].into_iter().chain(others);
        let candidates: Vec<_> = candidates.filter(|(candidate, _)| *candidate != Namespace::System).collect();
        let victim = candidates.into_iter().find_map(|(namespace, spared)| {
            let victim = match self.eviction {
                Eviction::None => None,
                Eviction::VolatileTtl => self.keyspace(namespace)?.next_to_expire(spared),
                Eviction::AllKeysLru => self.little_used(namespace, spared),
            };
            victim.map(|handle| (namespace, handle))
        });
        let Some((namespace, handle)) = victim else { return false };
        let hash = self.existing(namespace).hash_at(handle);
        self.bury(namespace, hash, handle, ledger);
        ledger.add_evicted();
        true
    }

    fn little_used(&mut self, namespace: Namespace, spared: Option<Handle>) -> Option<Handle> {
        let mut lot = self.lot;
        let keyspace = self.keyspace(namespace)?;
        let draws = (0..EVICTION_DRAWS_MAX).filter_map(|_| {
            lot = lot.wrapping_mul(LOT_FACTOR).wrapping_add(1);
            keyspace.any_live(usize::try_from(lot >> 33).expect("31 bits"))
        });
        let sample = draws.filter(|&handle| Some(handle) != spared).take(EVICTION_SAMPLE);
        let victim = sample.min_by_key(|&handle| keyspace.view(handle).used()).or_else(|| keyspace.first_live(spared));
        self.lot = lot;
        victim
    }

    fn due(&self, expiry: NewExpiry, before: Option<EntryRef<'_>>) -> Option<Due> {
        match expiry {
            NewExpiry::Never => None,
            NewExpiry::Keep => before.and_then(|entry| entry.due()),
            NewExpiry::KeepOrAfter(_) if before.is_some() => before.and_then(|entry| entry.due()),
            NewExpiry::KeepOrAfter(ttl) | NewExpiry::After(ttl) => {
                Some(Due { at: self.clock.plus_millis(ttl.milliseconds()), ttl: saturated(ttl.seconds()) })
            }
            NewExpiry::At(moment) => {
                let moment = moment.min(LAST_MOMENT);
                let left = moment.get().saturating_sub(self.clock.get()).div_ceil(1000);
                Some(Due { at: moment, ttl: saturated(left.max(1)) })
            }
        }
    }

    fn find_live(&mut self, hash: u64, address: &Address<'_>, ledger: &Ledger) -> Option<Handle> {
        let keyspace = self.keyspace(address.namespace)?;
        let handle = keyspace.find(hash, address.key.as_str().as_bytes())?;
        let entry = keyspace.view(handle);
        if entry.is_tombstone() {
            return None;
        }
        if entry.due().is_some_and(|due| due.at <= self.clock) {
            self.bury(address.namespace, hash, handle, ledger);
            ledger.add_expired();
            return None;
        }
        Some(handle)
    }

    /// Turns an entry into a tombstone with the next version, which is returned.
    fn bury(&mut self, namespace: Namespace, hash: u64, handle: Handle, ledger: &Ledger) -> Version {
        let (clock, retention_ms) = (self.clock, self.tombstone_retention_ms);
        let keyspace = self.existing_mut(namespace);
        let (held, tombstones) = (keyspace.held(), keyspace.tombstone_bytes());
        let entry = keyspace.view(handle);
        let version = entry.version().next();
        let key = entry.key().to_owned();
        let draft = Draft {
            key: &key,
            kind: Kind::Json,
            content: &[],
            tags: &[],
            version,
            created: seconds(clock),
            updated: seconds(clock),
            due: Some(Due { at: clock.plus_millis(retention_ms), ttl: 0 }),
            used: None,
            tombstone: true,
        };
        keyspace.put(hash, Some(handle), &draft);
        ledger.settle(held, keyspace.held());
        ledger.add_tombstones(keyspace.tombstone_bytes() - tombstones);
        self.drop_tombstones_over_limit(ledger);
        version
    }

    /// Takes them from the namespace that has most of them. The share is one for all namespaces of the partition: a share
    /// for each would let many accounts fill the memory with nothing but tombstones.
    fn drop_tombstones_over_limit(&mut self, ledger: &Ledger) {
        while ledger.tombstones() > ledger.tombstone_limit() && self.tombstone_bytes() > ledger.tombstone_share() {
            let keyspaces = self.others.values_mut().map(Box::as_mut).chain([&mut self.shared]);
            let Some(keyspace) = keyspaces.max_by_key(|keyspace| keyspace.tombstone_bytes()) else { break };
            let Some(oldest) = keyspace.forgotten_until(u64::MAX) else { break };
            keyspace.floor = keyspace.floor.max(keyspace.view(oldest).version());
            remove(keyspace, oldest, ledger);
        }
    }

    fn tombstone_bytes(&self) -> u64 {
        self.others.values().map(Box::as_ref).chain([&self.shared]).map(Keyspace::tombstone_bytes).sum()
    }

    fn sweep_namespace(&mut self, namespace: Namespace, turn: usize, swept: &mut Swept, ledger: &Ledger) {
        let clock = self.clock.get();
        while let Some(handle) = self.existing(namespace).expired_until(clock) {
            if swept.expired + swept.tombstones_dropped == turn {
                swept.more = true;
                return;
            }
            let hash = self.existing(namespace).hash_at(handle);
            self.bury(namespace, hash, handle, ledger);
            ledger.add_expired();
            swept.expired += 1;
        }
        while let Some(handle) = self.existing(namespace).forgotten_until(clock) {
            if swept.expired + swept.tombstones_dropped == turn {
                swept.more = true;
                return;
            }
            remove(self.existing_mut(namespace), handle, ledger);
            swept.tombstones_dropped += 1;
        }
    }

    fn keyspace(&self, namespace: Namespace) -> Option<&Keyspace> {
        match namespace {
            Namespace::Shared => Some(&self.shared),
            other => self.others.get(&other).map(Box::as_ref),
        }
    }

    fn keyspace_mut(&mut self, namespace: Namespace) -> Option<&mut Keyspace> {
        match namespace {
            Namespace::Shared => Some(&mut self.shared),
            other => self.others.get_mut(&other).map(Box::as_mut),
        }
    }

    /// For a namespace in which something was found.
    fn existing(&self, namespace: Namespace) -> &Keyspace {
        self.keyspace(namespace).expect("something was found in it")
    }

    fn existing_mut(&mut self, namespace: Namespace) -> &mut Keyspace {
        self.keyspace_mut(namespace).expect("something was found in it")
    }

    fn advance(&mut self, now: UnixMillis) {
        self.clock = self.clock.max(now);
    }
}

fn remove(keyspace: &mut Keyspace, tombstone: Handle, ledger: &Ledger) {
    let (held, tombstones) = (keyspace.held(), keyspace.tombstone_bytes());
    keyspace.remove(keyspace.hash_at(tombstone), tombstone);
    ledger.settle(held, keyspace.held());
    ledger.remove_tombstones(tombstones - keyspace.tombstone_bytes());
}

fn reserve(bytes: u64, creating: bool, ledger: &Ledger) -> Result<(), Refusal> {
    ledger.reserve(bytes).map_err(|used| Refusal::MemoryFull { needed: bytes, used, limit: ledger.limit(), creating })
}

fn present(entry: EntryRef<'_>) -> Present<'_> {
    Present { version: entry.version(), content: entry.content(), expires_at: entry.expires_at() }
}

fn check(conditions: &[Condition], present: Present<'_>, with_previous: bool) -> Result<(), Refusal> {
    let Some(failed) = conditions.iter().find(|condition| !condition.holds(present)) else { return Ok(()) };
    let previous = (with_previous && present.version != Version::ABSENT).then(|| present.content.into());
    Err(Refusal::VersionMismatch { expected: failed.clone(), actual: present.version, previous })
}

/// Good until the year 2106.
fn seconds(moment: UnixMillis) -> u32 {
    saturated(moment.get() / 1000)
}

fn saturated(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
