//! Defects in making room. A mutant cannot reach into the core's choice, so it makes entries go of its own accord and
//! says that they were evicted.

use kvnode_core::store::Eviction;
use kvnode_core::store::key::{Address, Namespace};
use kvnode_core::store::outcome::{Outcome, Refusal, Reply};
use kvnode_core::time::UnixMillis;

use super::{Mutant, Mutation, Use};
use crate::subject::{Accounts, Subject};

/// With so little room left, an eviction by the mutant looks like one that was needed.
const SHORT_BELOW: u64 = 4096;

impl<S: Subject> Mutant<S> {
    pub(super) fn spoil_eviction(&mut self, outcome: Outcome, before: &Accounts, now: UnixMillis) -> Outcome {
        let Ok(Reply::Stored { entry, .. }) = &outcome else { return outcome };
        let accounts = self.inner.accounts();
        let evicted = accounts.evicted > before.evicted;
        let short = before.used + SHORT_BELOW > before.limit;
        let own = entry.address.clone();
        let neighbour = move |(address, used): &(&Address<'static>, &Use)| {
            let near = address.namespace == own.namespace && address.partition() == own.partition();
            let live = used.expires_at.is_none_or(|at| at > now);
            near && live && **address != own && own.namespace != Namespace::System
        };
        match (self.mutation, self.eviction) {
            (Mutation::EvictsTheMostUsed, Eviction::AllKeysLru) if short && !evicted => {
                let most = self.used.iter().filter(neighbour).max_by_key(|(_, used)| used.at);
                self.evict(most.map(victim), now);
            }
            (Mutation::EvictsTheLastToExpire, Eviction::VolatileTtl) if short && !evicted => {
                let expiring = self.used.iter().filter(neighbour).filter(|(_, used)| used.expires_at.is_some());
                let last = expiring.max_by_key(|(_, used)| used.expires_at);
                self.evict(last.map(victim), now);
            }
            (Mutation::EvictsSystemKeys, Eviction::AllKeysLru) if short => {
                let system = self.used.keys().find(|address| address.namespace == Namespace::System).cloned();
                self.evict(system, now);
            }
            (Mutation::EvictsWithoutNeed, Eviction::AllKeysLru) if accounts.used < accounts.limit / 4 => {
                let any = self.used.keys().find(|address| address.namespace == Namespace::Shared).cloned();
                self.evict(any, now);
            }
            (Mutation::RefusesInPlaceOfEvicting, Eviction::AllKeysLru) if evicted => {
                let address = entry.address.clone();
                self.delete(&address, now);
                let limit = accounts.limit;
                return Err(Refusal::MemoryFull { needed: 1, used: limit, limit, creating: true });
            }
            _ => {}
        }
        outcome
    }

    fn evict(&mut self, victim: Option<Address<'static>>, now: UnixMillis) {
        if let Some(victim) = victim {
            self.delete(&victim, now);
            self.evicted += 1;
        }
    }
}

fn victim((address, _): (&Address<'static>, &Use)) -> Address<'static> {
    address.clone()
}
