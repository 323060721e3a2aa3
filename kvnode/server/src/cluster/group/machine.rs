//! What the group's log has led to: the configuration. Every entry is applied here once, in its order, on every node, and
//! whoever is concerned learns of it before anybody is told that it was applied.

use std::fmt;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kvnode_core::cluster::configuration::{Change, Configuration, Term};
use kvnode_core::store::slot::PartitionNumber;
use openraft::storage::{RaftStateMachine, Snapshot};
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder, SnapshotMeta};
use serde::{Deserialize, Serialize};

use super::files::{self, GroupFileError};
use super::{Decision, Entry, LogId, Membership, Proposal, StorageError, StorageIoError, Types};

const SNAPSHOT: &str = "snapshot";

/// The configuration as it is after an entry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) configuration: Arc<Configuration>,
    /// Of the entry.
    pub(crate) index: u64,
    pub(crate) term: Term,
    /// Who votes in the group, and who only listens.
    pub(crate) voters: Vec<u128>,
    pub(crate) members: Vec<u128>,
}

/// What may be another than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    /// No partition.
    None,
    Partition(PartitionNumber),
    Everything,
}

/// Whoever has to know of every change. It is called in the order of the entries, and must not wait for anything.
pub(crate) trait Learner: Send + Sync + fmt::Debug + 'static {
    fn learned(&self, known: &Known, changed: Changed);
}

/// What a snapshot holds, beside what Raft says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    applied: Option<LogId>,
    membership: Membership,
    configuration: Arc<Configuration>,
}

#[derive(Clone, Debug)]
pub(super) struct Machine {
    path: PathBuf,
    state: State,
    learner: Arc<dyn Learner>,
}

impl Machine {
    pub(super) fn open(folder: &Path, learner: Arc<dyn Learner>) -> Result<Self, GroupFileError> {
        let path = folder.join(SNAPSHOT);
        let state: Option<State> = files::read_one(&path)?;
        let machine = Self { path, state: state.unwrap_or_default(), learner };
        machine.tell(Changed::Everything);
        Ok(machine)
    }

    fn tell(&self, changed: Changed) {
        let State { applied, membership, configuration } = &self.state;
        let known = Known {
            configuration: Arc::clone(configuration),
            index: applied.map_or(0, |applied| applied.index),
            term: Term(applied.map_or(0, |applied| applied.leader_id.term)),
            voters: membership.voter_ids().collect(),
            members: membership.nodes().map(|(node, ())| *node).collect(),
        };
        self.learner.learned(&known, changed);
    }

    fn apply(&mut self, entry: Entry) -> Decision {
        self.state.applied = Some(entry.log_id);
        let (decision, changed) = match entry.payload {
            EntryPayload::Blank => (Ok(()), Changed::None),
            EntryPayload::Membership(membership) => {
                self.state.membership = Membership::new(Some(entry.log_id), membership);
                (Ok(()), Changed::None)
            }
            EntryPayload::Normal(Proposal { proposer, change }) => {
                let term = Term(entry.log_id.leader_id.term);
                let decision = Arc::make_mut(&mut self.state.configuration).apply(proposer, term, &change);
                let changed = match change {
                    Change::Partition { partition, .. } if decision.is_ok() => Changed::Partition(partition),
                    _ => Changed::None,
                };
                if let Err(rejection) = &decision {
                    tracing::debug!(%rejection, ?change, "a change was refused");
                }
                (decision, changed)
            }
        };
        self.tell(changed);
        decision
    }

    fn snapshot(&self) -> Snapshot<Types> {
        let State { applied, membership, .. } = &self.state;
        let snapshot_id = applied.map_or_else(|| "0".to_owned(), |applied| applied.to_string());
        let meta = SnapshotMeta { last_log_id: *applied, last_membership: membership.clone(), snapshot_id };
        Snapshot { meta, snapshot: Box::new(Cursor::new(files::piece(&self.state))) }
    }
}

impl RaftSnapshotBuilder<Types> for Machine {
    async fn build_snapshot(&mut self) -> Result<Snapshot<Types>, StorageError> {
        files::write_one(&self.path, &self.state).map_err(|error| StorageIoError::write_snapshot(None, &error))?;
        Ok(self.snapshot())
    }
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, Membership), StorageError> {
        Ok((self.state.applied, self.state.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Decision>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        Ok(entries.into_iter().map(|entry| Self::apply(self, entry)).collect())
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Cursor<Vec<u8>>>, StorageError> {
        Ok(Box::default())
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta<u128, ()>,
        snapshot: Box<Cursor<Vec<u8>>>,
    ) -> Result<(), StorageError> {
        let unusable = |error: &std::io::Error| StorageIoError::write_snapshot(Some(meta.signature()), error);
        crate::disk::write_whole(&self.path, snapshot.get_ref()).map_err(|error| unusable(&error))?;
        let state = files::read_one(&self.path).map_err(|error| StorageIoError::read_snapshot(None, &error))?;
        self.state = state.unwrap_or_default();
        self.tell(Changed::Everything);
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<Types>>, StorageError> {
        let kept: Option<State> =
            files::read_one(&self.path).map_err(|error| StorageIoError::read_snapshot(None, &error))?;
        Ok(kept.map(|state| Self { path: self.path.clone(), state, learner: Arc::clone(&self.learner) }.snapshot()))
    }
}
