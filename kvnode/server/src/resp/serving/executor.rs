//! The store as one command sees it: whose keys, at which moment, and among others or alone.

use kvnode_core::store::attributes::Version;
use kvnode_core::store::command::{KeyAction, KeyCommand};
use kvnode_core::store::entry::EntryRef;
use kvnode_core::store::key::{Address, Key, Namespace};
use kvnode_core::store::outcome::{Outcome, Refusal, Reply};
use kvnode_core::store::partition::Place;
use kvnode_core::time::UnixMillis;

use super::tally::Tally;
use crate::access::{Access, Caller};
use crate::monitor::{Monitor, Seen};
use crate::store::{Alone, SharedStore};

#[derive(Debug)]
pub(super) struct Executor<'t, 's> {
    pub(super) store: &'s SharedStore,
    pub(super) namespace: Namespace,
    /// The same for all commands of a turn.
    pub(super) now: UnixMillis,
    pub(super) tally: &'t mut Tally,
    pub(super) monitor: &'s Monitor,
    /// The partition that a transaction has to itself. All places are in it.
    pub(super) alone: Option<Alone<'s>>,
    /// In whose audit trail it is written what was done.
    pub(super) noted: Option<(&'s Access, Caller)>,
}

impl Executor<'_, '_> {
    /// Has the answer made while the partition is locked: the entry is read where it lies.
    #[inline]
    pub(super) fn execute<R>(
        &mut self,
        key: Key<'_>,
        place: Place,
        action: KeyAction<'_>,
        answer: impl FnOnce(Outcome<EntryRef<'_>>) -> R,
    ) -> R {
        let command = KeyCommand { address: Address { namespace: self.namespace, key }, action, idempotency: None };
        let (tally, monitor, now) = (&mut *self.tally, self.monitor, self.now);
        let noted = self.noted;
        let counted = |outcome: Outcome<EntryRef<'_>>| {
            let (operation, status) = tally.outcome(&command.action, &outcome);
            let Address { namespace, key } = &command.address;
            let version = version_of(&outcome).get();
            let key = Some(key.as_str());
            let seen = Seen { protocol: "resp", operation, status, namespace: *namespace, key, version };
            monitor.show(|| now, &seen);
            if let Some((access, caller)) = noted
                && status == "success"
            {
                let version = Some(version_of(&outcome)).filter(|version| *version != Version::ABSENT);
                access.audit_of(caller, operation, key, version, || now);
            }
            answer(outcome)
        };
        match &mut self.alone {
            None => self.store.execute_at(place, &command, self.now, counted),
            Some(alone) => alone.execute(place, &command, self.now, counted),
        }
    }

    /// The key's version, or the one of its end.
    pub(super) fn last_version(&mut self, key: Key<'_>, place: Place) -> Version {
        let address = Address { namespace: self.namespace, key };
        let now = self.now;
        match &mut self.alone {
            None => self.store.alone(place.partition).last_version(&address, place, now),
            Some(alone) => alone.last_version(&address, place, now),
        }
    }

    /// Does several things to a partition as one.
    pub(super) fn alone_with<R>(&mut self, place: Place, work: impl FnOnce(&mut Self) -> R) -> R {
        if self.alone.is_some() {
            return work(self);
        }
        self.alone = Some(self.store.alone(place.partition));
        let done = work(self);
        self.alone = None;
        done
    }
}

/// The version that the answer is about.
fn version_of(outcome: &Outcome<EntryRef<'_>>) -> Version {
    match outcome {
        Ok(Reply::Found(entry) | Reply::Stored { entry, .. }) => entry.version(),
        Ok(Reply::Deleted { version, .. }) => *version,
        Err(Refusal::VersionMismatch { actual, .. }) => *actual,
        Ok(Reply::Absent) | Err(_) => Version::ABSENT,
    }
}
