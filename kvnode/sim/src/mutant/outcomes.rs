//! Defects in answers about one key, some of which do something behind the back of whoever asked.

use kvnode_core::store::attributes::Version;
use kvnode_core::store::command::{KeyAction, KeyCommand};
use kvnode_core::store::entry::Entry;
use kvnode_core::store::key::{Address, Namespace};
use kvnode_core::store::outcome::{Outcome, Refusal, Reply};
use kvnode_core::time::UnixMillis;

use super::commands::{newest, without_conditions};
use super::{Mutant, Mutation};
use crate::subject::Subject;

impl<S: Subject> Mutant<S> {
    pub(super) fn spoil_outcome(&mut self, command: &KeyCommand<'_>, outcome: Outcome, now: UnixMillis) -> Outcome {
        match outcome {
            Ok(Reply::Stored { entry, created, previous }) => {
                let version = match &command.action {
                    KeyAction::PutBack(dumped) if self.mutation == Mutation::PutBackGoesBack => dumped.version(),
                    _ => self.spoil_version(&entry, created),
                };
                let previous = match previous {
                    Some(_) if self.mutation == Mutation::PreviousIsPresent => Some(entry.value.content().into()),
                    previous => previous,
                };
                self.spoil_stored(command, &entry, now);
                Ok(Reply::Stored { entry: Entry { version, ..entry }, created, previous })
            }
            Ok(Reply::Found(_)) if self.mutation == Mutation::PutBackReplacesNewer => match &command.action {
                KeyAction::PutBack(dumped) => self.inner.execute(&newest(&command.address, dumped, now), now),
                _ => outcome,
            },
            Ok(Reply::Absent) if command.action == KeyAction::Get => Ok(self.ghost(command, now)),
            Ok(Reply::Deleted { .. }) if self.mutation == Mutation::TombstoneNotCounted => {
                self.hidden += 1;
                outcome
            }
            Err(refusal) => self.spoil_refusal(command, refusal, now),
            outcome => outcome,
        }
    }

    fn spoil_version(&self, entry: &Entry, created: bool) -> Version {
        let flushed = self.flushed.contains(&entry.address.namespace);
        match self.mutation {
            Mutation::VersionStandsStill => Version::new(entry.version.get().saturating_sub(1).max(1)),
            Mutation::TombstoneForgotten if created => Version::new(1),
            Mutation::FlushForgetsTheFloor if created && flushed => Version::new(1),
            _ => entry.version,
        }
    }

    fn spoil_stored(&mut self, command: &KeyCommand<'_>, entry: &Entry, now: UnixMillis) {
        match (self.mutation, entry.address.namespace) {
            (Mutation::WriteLost, _) if entry.version.get() == 3 => self.delete(&entry.address, now),
            (Mutation::WriteReachesAnotherAccount, Namespace::Account(number)) => {
                let mut command = without_conditions(command);
                command.address.namespace = Namespace::Account(3 - number);
                drop(self.inner.execute(&command, now));
            }
            _ => {}
        }
    }

    fn spoil_refusal(&mut self, command: &KeyCommand<'_>, refusal: Refusal, now: UnixMillis) -> Outcome {
        match self.mutation {
            Mutation::ConditionIgnored if matches!(refusal, Refusal::VersionMismatch { .. }) => {
                self.inner.execute(&without_conditions(command), now)
            }
            Mutation::RefusedWriteDone => {
                // Whether it works out this time or not, the caller is told that it was refused.
                drop(self.inner.execute(&without_conditions(command), now));
                Err(refusal)
            }
            _ => Err(refusal),
        }
    }

    /// What some show in place of nothing.
    fn ghost(&mut self, command: &KeyCommand<'_>, now: UnixMillis) -> Reply {
        let address = &command.address;
        match (self.mutation, address.namespace) {
            (Mutation::ExpiredStillReadable, _) => match &self.last_expiring {
                Some(entry) if entry.address == *address && entry.is_expired_at(now) => Reply::Found(entry.clone()),
                _ => Reply::Absent,
            },
            (Mutation::AccountSeesAnothersKey, Namespace::Account(_)) => {
                let shared = Address { namespace: Namespace::Shared, key: address.key.clone() };
                let get = KeyCommand::new(shared, KeyAction::Get);
                match self.inner.execute(&get, now) {
                    Ok(Reply::Found(entry)) => Reply::Found(Entry { address: address.clone().into_owned(), ..entry }),
                    _ => Reply::Absent,
                }
            }
            _ => Reply::Absent,
        }
    }

    pub(super) fn delete(&mut self, address: &Address<'static>, now: UnixMillis) {
        let action = KeyAction::Delete { conditions: vec![], with_previous: false };
        drop(self.inner.execute(&KeyCommand::new(address.clone(), action), now));
        self.used.remove(address);
    }
}
