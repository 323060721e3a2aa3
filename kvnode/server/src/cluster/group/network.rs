//! How the group's members talk: each question is a message to a node, and its answer comes back under the same number.
//! Whoever carries them knows nothing of what they are about.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use openraft::error::{InstallSnapshotError, NetworkError, RPCError, RaftError, RemoteError, Unreachable};
use openraft::network::{RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse, VoteRequest,
    VoteResponse,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Types;

/// A question of one member of the group to another.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Append(AppendEntriesRequest<Types>),
    Vote(VoteRequest<u128>),
    Snapshot(InstallSnapshotRequest<Types>),
}

/// What it says to that.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    Append(Result<AppendEntriesResponse<u128>, RaftError<u128>>),
    Vote(Result<VoteResponse<u128>, RaftError<u128>>),
    Snapshot(Result<InstallSnapshotResponse<u128>, RaftError<u128, InstallSnapshotError>>),
}

#[derive(Debug, Error)]
#[error("the node is not connected, or did not answer in time")]
pub(crate) struct Unheard;

pub(crate) type Replying = Pin<Box<dyn Future<Output = Result<Reply, Unheard>> + Send>>;

/// Carries questions to other nodes.
pub(crate) trait Exchange: Send + Sync + 'static {
    /// Waits for the answer so long at most.
    fn ask(&self, node: u128, ask: Ask, at_most: Duration) -> Replying;
}

#[derive(Clone)]
pub(super) struct Network(pub(super) Arc<dyn Exchange>);

pub(super) struct Way {
    to: u128,
    exchange: Arc<dyn Exchange>,
}

impl RaftNetworkFactory<Types> for Network {
    type Network = Way;

    async fn new_client(&mut self, to: u128, (): &()) -> Way {
        Way { to, exchange: Arc::clone(&self.0) }
    }
}

type Failure<E = openraft::error::Infallible> = RPCError<u128, (), RaftError<u128, E>>;

impl Way {
    async fn ask<E: std::error::Error>(&self, ask: Ask, option: &RPCOption) -> Result<Reply, Failure<E>> {
        let asked = self.exchange.ask(self.to, ask, option.hard_ttl()).await;
        asked.map_err(|unheard| RPCError::Unreachable(Unreachable::new(&unheard)))
    }

    fn remote<E: std::error::Error>(&self, error: RaftError<u128, E>) -> Failure<E> {
        RPCError::RemoteError(RemoteError::new(self.to, error))
    }
}

/// Somebody answered another question than the one that was asked.
fn confused<E: std::error::Error>() -> Failure<E> {
    RPCError::Network(NetworkError::new(&Unheard))
}

impl RaftNetwork<Types> for Way {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Types>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<u128>, Failure> {
        match self.ask(Ask::Append(request), &option).await? {
            Reply::Append(told) => told.map_err(|error| self.remote(error)),
            _ => Err(confused()),
        }
    }

    async fn install_snapshot(
        &mut self,
        request: InstallSnapshotRequest<Types>,
        option: RPCOption,
    ) -> Result<InstallSnapshotResponse<u128>, Failure<InstallSnapshotError>> {
        match self.ask(Ask::Snapshot(request), &option).await? {
            Reply::Snapshot(told) => told.map_err(|error| self.remote(error)),
            _ => Err(confused()),
        }
    }

    async fn vote(&mut self, request: VoteRequest<u128>, option: RPCOption) -> Result<VoteResponse<u128>, Failure> {
        match self.ask(Ask::Vote(request), &option).await? {
            Reply::Vote(told) => told.map_err(|error| self.remote(error)),
            _ => Err(confused()),
        }
    }
}
