//! The configuration group: a few nodes that agree by Raft on who takes part in the cluster and who holds what (R3).
//! Consensus is openraft's; here is what it is about, where it is kept and how it reaches the others.
//!
//! ```text
//! proposal ──▶ Raft (leader) ──▶ log on the disks of a majority ──▶ Machine: the configuration ──▶ Learner
//! ```

mod elections;
mod files;
mod log;
mod machine;
mod network;

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kvnode_core::cluster::configuration::{Change, Proposer, Rejection};
use openraft::raft::AppendEntriesResponse;
use openraft::{Config, Raft, SnapshotPolicy};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use files::GroupFileError;
pub(crate) use machine::{Changed, Known, Learner};
pub(crate) use network::{Ask, Exchange, Reply, Replying, Unheard};

use elections::Signs;
use log::Log;
use machine::Machine;
use network::Network;

use crate::clock::Clock;

/// A leader says so often that it is there.
const HEARTBEAT: Duration = Duration::from_millis(100);

/// Whoever has heard of a leader so lately votes for nobody else. Elections begin later than that.
const FAITHFUL_FOR: Duration = Duration::from_millis(400);

/// Changes of roles are few; after so many, what they have led to is kept in their place.
const ENTRIES_BETWEEN_SNAPSHOTS: u64 = 2000;

/// Kept behind a snapshot, so that a node that was away for a moment needs no snapshot.
const ENTRIES_KEPT: u64 = 500;

openraft::declare_raft_types!(
    pub(crate) Types:
        D = Proposal,
        R = Decision,
        NodeId = u128,
        Node = (),
        Entry = openraft::Entry<Types>,
        SnapshotData = Cursor<Vec<u8>>,
        AsyncRuntime = openraft::TokioRuntime,
);

/// This node's part in the group.
#[derive(Clone)]
pub(crate) struct Group {
    raft: Raft<Types>,
    signs: Signs,
}

type Entry = openraft::Entry<Types>;
type LogId = openraft::LogId<u128>;
type Vote = openraft::Vote<u128>;
type Membership = openraft::StoredMembership<u128, ()>;
type StorageError = openraft::StorageError<u128>;
type StorageIoError = openraft::StorageIOError<u128>;

/// What stands in the group's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proposal {
    pub(crate) proposer: Proposer,
    pub(crate) change: Change,
}

/// What became of it.
pub(crate) type Decision = Result<(), Rejection>;

#[derive(Debug, Error)]
pub(crate) enum GroupError {
    #[error(transparent)]
    Files(#[from] GroupFileError),
    #[error("The configuration group cannot start: {0}")]
    Raft(String),
}

/// Takes part in the group with what is in this folder. To be called inside the runtime that it is to run on.
pub(crate) async fn start(
    me: u128,
    folder: &Path,
    exchange: Arc<dyn Exchange>,
    learner: Arc<dyn Learner>,
    clock: Clock,
) -> Result<Group, GroupError> {
    let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let config = Config {
        cluster_name: "kvnode".to_owned(),
        heartbeat_interval: milliseconds(HEARTBEAT),
        election_timeout_min: milliseconds(FAITHFUL_FOR) - 1,
        election_timeout_max: milliseconds(FAITHFUL_FOR),
        enable_elect: false,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(ENTRIES_BETWEEN_SNAPSHOTS),
        max_in_snapshot_log_to_keep: ENTRIES_KEPT,
        ..Config::default()
    };
    let config = config.validate().map_err(|error| GroupError::Raft(error.to_string()))?;
    let (log, machine) = (Log::open(folder)?, Machine::open(folder, learner)?);
    let raft = Raft::new(me, Arc::new(config), Network(exchange), log, machine).await;
    let raft = raft.map_err(|error| GroupError::Raft(error.to_string()))?;
    let signs = Signs::new(clock);
    tokio::spawn(elections::call(raft.clone(), me, signs.clone()));
    Ok(Group { raft, signs })
}

impl Group {
    pub(crate) fn raft(&self) -> &Raft<Types> {
        &self.raft
    }

    /// What this member says to a question of another.
    pub(crate) async fn answer(&self, ask: Ask) -> Reply {
        match ask {
            Ask::Append(request) => {
                let told = self.raft.append_entries(request).await;
                // Of a former leader this is no sign.
                if matches!(told, Ok(AppendEntriesResponse::Success | AppendEntriesResponse::PartialSuccess(_))) {
                    self.signs.note();
                }
                Reply::Append(told)
            }
            Ask::Vote(request) => {
                let told = self.raft.vote(request).await;
                if told.as_ref().is_ok_and(|told| told.vote_granted) {
                    self.signs.note();
                }
                Reply::Vote(told)
            }
            Ask::Snapshot(request) => {
                let told = self.raft.install_snapshot(request).await;
                if told.is_ok() {
                    self.signs.note();
                }
                Reply::Snapshot(told)
            }
        }
    }
}

#[cfg(test)]
mod tests;
