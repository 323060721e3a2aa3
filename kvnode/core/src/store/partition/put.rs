//! Writing an entry down: with a version that its key never had, and only if the quota of its account and the memory of
//! the node allow it.

use std::sync::Arc;

use super::Partition;
use super::execute::At;
use crate::store::arena::Handle;
use crate::store::entry::Draft;
use crate::store::key::{Address, Namespace};
use crate::store::keyspace::Keyspace;
use crate::store::ledger::Ledger;
use crate::store::outcome::Refusal;
use crate::store::usage::{Usage, Used};

/// Evictions for one write. Entries far smaller than the one to be written must make room for it, but a write must not
/// hold the partition for long; beyond this it is refused.
const EVICTIONS_PER_WRITE_MAX: usize = 128;

/// What a write takes the place of, and by how much it makes the memory in use grow, which is reserved.
struct Room {
    found: Option<Handle>,
    growth: u64,
}

/// What an account's usage becomes by a write.
struct Charge {
    usage: Arc<Usage>,
    before: Used,
    after: Used,
}

impl Partition {
    /// Writes the draft with the version that comes next, or with its own if that is higher. `beside` are bytes that this
    /// takes elsewhere.
    pub(super) fn put(
        &mut self,
        at: At<'_>,
        mut draft: Draft<'_>,
        beside: u64,
        ledger: &Ledger,
    ) -> Result<Handle, Refusal> {
        let At { hash, address: &Address { namespace, .. }, .. } = at;
        // A namespace's first entry takes what the namespace itself takes; if it is refused, neither is there.
        let unborn = self.keyspace(namespace).is_none().then(|| self.unborn(namespace, ledger));
        let charge = self.charge(at, &draft, unborn.as_ref());
        let room = match &charge {
            None => self.make_room(at, &mut draft, beside, unborn.as_ref(), ledger),
            Some(Charge { usage, before, after }) => match usage.exchange(*before, *after, ledger.account_quota()) {
                Ok(()) => {
                    let room = self.make_room(at, &mut draft, beside, unborn.as_ref(), ledger);
                    room.inspect_err(|_| usage.replace(*after, *before))
                }
                Err(exceeded) => Err(exceeded.into()),
            },
        };
        drop(charge);
        let Room { found, growth } = match room {
            Ok(room) => room,
            Err(refusal) => {
                drop(unborn);
                ledger.accounts().forget_unused(namespace);
                return Err(refusal);
            }
        };
        let own = Self::own_bytes(unborn.as_ref());
        if let Some(unborn) = unborn {
            self.others.insert(namespace, Box::new(unborn));
        }
        let keyspace = self.existing_mut(namespace);
        let (held, tombstones) = (keyspace.held(), keyspace.tombstone_bytes());
        let handle = keyspace.put(hash, found, &draft);
        ledger.settle(held + growth, own + beside + keyspace.held());
        ledger.remove_tombstones(tombstones - keyspace.tombstone_bytes());
        Ok(handle)
    }

    pub(super) fn unborn(&self, namespace: Namespace, ledger: &Ledger) -> Keyspace {
        Keyspace::new(self.seed.clone(), ledger.accounts().usage_of(namespace))
    }

    /// What a namespace takes that comes into being.
    fn own_bytes(unborn: Option<&Keyspace>) -> u64 {
        if unborn.is_some() { Self::OTHER_BYTES } else { 0 }
    }

    fn charge(&self, at: At<'_>, draft: &Draft<'_>, unborn: Option<&Keyspace>) -> Option<Charge> {
        let keyspace = unborn.or_else(|| self.keyspace(at.address.namespace))?;
        let usage = keyspace.usage.clone()?;
        let before = keyspace.used_by(at.found);
        Some(Charge { usage, before, after: Used { keys: 1, bytes: draft.given_bytes() } })
    }

    /// Reserves the memory that the draft takes, and makes room for it where that is allowed.
    fn make_room(
        &mut self,
        at: At<'_>,
        draft: &mut Draft<'_>,
        beside: u64,
        unborn: Option<&Keyspace>,
        ledger: &Ledger,
    ) -> Result<Room, Refusal> {
        let At { hash, address: &Address { namespace, .. }, found: mut known, .. } = at;
        let least = draft.version;
        let mut evictions = 0;
        loop {
            let keyspace = unborn.or_else(|| self.keyspace(namespace)).expect("it exists or is about to");
            // A tombstone is found here, too: its place is taken over, and its version gone on from.
            let found = known.take().or_else(|| keyspace.find(hash, draft.key.as_bytes()));
            let before = found.map(|handle| keyspace.view(handle));
            draft.version = before.map_or(keyspace.floor, |entry| entry.version()).next().max(least);
            let creating = before.is_none_or(|entry| entry.is_tombstone());
            let growth = Self::own_bytes(unborn) + beside + keyspace.growth(found, draft);
            let reserved = reserve(growth, creating, ledger);
            // Tombstones of what was evicted may have begun blocks: then the write fits, and the store is still too large.
            let over = evictions > 0 && ledger.used() > ledger.limit();
            if reserved.is_ok() && !over {
                return Ok(Room { found, growth });
            }
            if evictions < EVICTIONS_PER_WRITE_MAX && self.evict_but(found, namespace, ledger) {
                evictions += 1;
                if reserved.is_ok() {
                    ledger.settle(growth, 0);
                }
                continue;
            }
            reserved?;
            return Ok(Room { found, growth });
        }
    }
}

fn reserve(bytes: u64, creating: bool, ledger: &Ledger) -> Result<(), Refusal> {
    ledger.reserve(bytes).map_err(|used| Refusal::MemoryFull { needed: bytes, used, limit: ledger.limit(), creating })
}
