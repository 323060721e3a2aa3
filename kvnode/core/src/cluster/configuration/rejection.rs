//! Why a change was not made. Whoever proposed it learns from it what to do next; nothing was changed.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Term;
use crate::cluster::member::{Member, NodeId, NodeName};
use crate::store::slot::PartitionNumber;

#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rejection {
    #[error("the change is based on number {based_on} of the partition, which has number {number} by now")]
    Outdated { based_on: u64, number: u64 },
    #[error("the change is of the leader of term {}, and it is term {} now", of.0, now.0)]
    OtherTerm { of: Term, now: Term },
    #[error("the change is not its proposer's to make")]
    NotAllowed,
    #[error("member {0} is not registered; another life of its node may be")]
    NotRegistered(Member),
    #[error("member {0} is not in sync")]
    NotInSync(Member),
    #[error("member {0} is in sync already")]
    InSync(Member),
    #[error("member {0} is the primary")]
    IsPrimary(Member),
    #[error("another member is joining")]
    OtherJoining,
    #[error("member {0} is not joining")]
    NotJoining(Member),
    #[error("the partition has been made before")]
    Made,
    #[error("the partition was never made")]
    NeverMade,
    #[error("member {0} is still registered, so nothing is lost")]
    StillThere(Member),
    #[error("a partition needs a member to begin with")]
    Nobody,
    #[error("node {0} has left for good, and its id is accepted no more")]
    Retired(NodeId),
    #[error("member {known} is registered, which is as new as {offered} or newer")]
    NotNewer { known: Member, offered: Member },
    #[error("the name '{name}' is that of node {node}")]
    NameTaken { name: NodeName, node: NodeId },
    #[error("there is no node {0}")]
    UnknownNode(NodeId),
    #[error("node {node} still holds partition {}", partition.get())]
    StillHolds { node: NodeId, partition: PartitionNumber },
    #[error("node {0} is not leaving")]
    NotLeaving(NodeId),
}
