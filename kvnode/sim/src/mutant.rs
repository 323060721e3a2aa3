//! Defects on purpose. A mutant stands between the simulator and the core and spoils one thing; the simulator must see
//! it. An invariant that no mutant can turn red proves nothing.

use std::str::FromStr;
use std::sync::Arc;

use kvnode_core::store::attributes::Version;
use kvnode_core::store::command::{Command, KeyAction, KeyCommand};
use kvnode_core::store::entry::Entry;
use kvnode_core::store::outcome::{Outcome, Refusal, Reply};
use kvnode_core::time::UnixMillis;

use crate::subject::{Accounts, Subject};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// Every write answers with the version it replaced.
    VersionStandsStill,
    /// A key made again starts at 1, as if its tombstone had never been.
    TombstoneForgotten,
    /// A get still finds the entry it found last, when that has expired since.
    ExpiredStillReadable,
    /// A list shows the last key that was deleted.
    DeletedStillListed,
    /// A list leaves out the last key of a page.
    ListForgetsAKey,
    /// A list has its keys in the wrong order.
    ListOutOfOrder,
    /// A count is one too high when there is anything to count.
    CountOffByOne,
    /// A condition that does not hold is not noticed.
    ConditionIgnored,
    /// A refused write is done all the same.
    RefusedWriteDone,
    /// A write is acknowledged and then lost.
    WriteLost,
    /// The figure for used memory is one byte off.
    BytesDrift,
    /// More memory is used than allowed.
    LimitIgnored,
}

impl Mutation {
    pub const ALL: [Self; 12] = [
        Self::VersionStandsStill,
        Self::TombstoneForgotten,
        Self::ExpiredStillReadable,
        Self::DeletedStillListed,
        Self::ListForgetsAKey,
        Self::ListOutOfOrder,
        Self::CountOffByOne,
        Self::ConditionIgnored,
        Self::RefusedWriteDone,
        Self::WriteLost,
        Self::BytesDrift,
        Self::LimitIgnored,
    ];

    /// As it is written on the command line: `list-forgets-a-key`.
    pub fn name(self) -> String {
        let mut name = String::new();
        for character in format!("{self:?}").chars() {
            if character.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(character.to_ascii_lowercase());
        }
        name
    }
}

impl FromStr for Mutation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|mutation| mutation.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no mutant '{text}'; there are: {names}")
        })
    }
}

#[derive(Debug)]
pub struct Mutant<S> {
    inner: S,
    mutation: Mutation,
    last_found: Option<Arc<Entry>>,
    last_deleted: Option<Box<str>>,
}

impl<S: Subject> Mutant<S> {
    pub fn new(inner: S, mutation: Mutation) -> Self {
        Self { inner, mutation, last_found: None, last_deleted: None }
    }

    fn spoil(&mut self, command: &Command, outcome: Outcome, now: UnixMillis) -> Outcome {
        match (self.mutation, outcome) {
            (Mutation::VersionStandsStill, Ok(Reply::Stored { entry, created })) => {
                let version = Version::new(entry.version.get().saturating_sub(1).max(1));
                Ok(Reply::Stored { entry: with_version(&entry, version), created })
            }
            (Mutation::TombstoneForgotten, Ok(Reply::Stored { entry, created: true })) => {
                Ok(Reply::Stored { entry: with_version(&entry, Version::new(1)), created: true })
            }
            (Mutation::ExpiredStillReadable, Ok(Reply::Absent)) => Ok(self.ghost(command, now)),
            (Mutation::DeletedStillListed, Ok(Reply::Keys(mut page))) => {
                page.keys.extend(self.last_deleted.clone());
                Ok(Reply::Keys(page))
            }
            (Mutation::ListForgetsAKey, Ok(Reply::Keys(mut page))) => {
                page.keys.pop();
                Ok(Reply::Keys(page))
            }
            (Mutation::ListOutOfOrder, Ok(Reply::Keys(mut page))) => {
                page.keys.reverse();
                Ok(Reply::Keys(page))
            }
            (Mutation::CountOffByOne, Ok(Reply::Count(keys))) => Ok(Reply::Count(keys + u64::from(keys > 0))),
            (Mutation::ConditionIgnored, Err(Refusal::VersionMismatch { .. })) => {
                self.inner.execute(without_conditions(command), now)
            }
            (Mutation::RefusedWriteDone, Err(refusal)) => {
                // Whether it works out this time or not, the caller is told that it was refused.
                drop(self.inner.execute(without_conditions(command), now));
                Err(refusal)
            }
            (Mutation::WriteLost, Ok(Reply::Stored { entry, created })) if entry.version.get() == 3 => {
                let delete = Command::delete(entry.address.clone(), vec![]);
                drop(self.inner.execute(delete, now));
                Ok(Reply::Stored { entry, created })
            }
            (_, outcome) => outcome,
        }
    }

    /// What [`Mutation::ExpiredStillReadable`] shows in place of nothing.
    fn ghost(&self, command: &Command, now: UnixMillis) -> Reply {
        let Command::Key(KeyCommand { address, action: KeyAction::Get }) = command else { return Reply::Absent };
        match &self.last_found {
            Some(entry) if entry.address == *address && entry.is_expired_at(now) => Reply::Found(Arc::clone(entry)),
            _ => Reply::Absent,
        }
    }

    fn remember(&mut self, command: &Command, outcome: &Outcome) {
        match (command, outcome) {
            (_, Ok(Reply::Stored { entry, .. })) if entry.expires_at.is_some() => {
                self.last_found = Some(Arc::clone(entry));
            }
            (Command::Key(command), Ok(Reply::Deleted { .. })) => {
                self.last_deleted = Some(command.address.key.as_str().into());
            }
            _ => {}
        }
    }
}

impl<S: Subject> Subject for Mutant<S> {
    fn execute(&mut self, command: Command, now: UnixMillis) -> Outcome {
        let outcome = self.inner.execute(command.clone(), now);
        self.remember(&command, &outcome);
        self.spoil(&command, outcome, now)
    }

    fn sweep(&mut self, now: UnixMillis, turn: usize) {
        self.inner.sweep(now, turn);
    }

    fn accounts(&self) -> Accounts {
        let accounts = self.inner.accounts();
        match self.mutation {
            Mutation::BytesDrift if accounts.used > 0 => Accounts { used: accounts.used + 1, ..accounts },
            Mutation::LimitIgnored if accounts.used > 0 => Accounts { limit: accounts.used - 1, ..accounts },
            _ => accounts,
        }
    }
}

fn with_version(entry: &Entry, version: Version) -> Arc<Entry> {
    let mut entry = entry.clone();
    entry.version = version;
    Arc::new(entry)
}

fn without_conditions(command: &Command) -> Command {
    let mut command = command.clone();
    if let Command::Key(KeyCommand { action, .. }) = &mut command {
        match action {
            KeyAction::Put(put) => put.conditions.clear(),
            KeyAction::Delete { conditions } => conditions.clear(),
            KeyAction::Get => {}
        }
    }
    command
}
