//! Who holds a partition, and who may change that.
//!
//! ```text
//! primary of the epoch: remove and add members in sync, hand over, abort
//! leader:               make, take over, set and clear joining, re-admit, recover, recreate
//! ```

use serde::{Deserialize, Serialize};

use super::{Nodes, Proposer, Rejection};
use crate::cluster::member::{Member, NodeId};
use crate::cluster::safeguard::Safeguard;
use crate::store::attributes::Version;

/// Of a partition; raised whenever it gets another primary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch(u64);

impl Epoch {
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    pub const fn get(self) -> u64 {
        self.0
    }

    #[must_use]
    fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// What a member is to a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Primary,
    InSync,
    Joining,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionConfiguration {
    /// Raised by every change.
    number: u64,
    epoch: Epoch,
    /// In sync, the primary first. Empty: the partition was never made.
    isr: Vec<Member>,
    /// Gets everything, and is not counted on yet.
    joining: Option<Member>,
    /// Keys of which nothing is known start above it (R15).
    floor: Version,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartitionChange {
    /// The first members of a new partition: all of them hold all there is, which is nothing.
    Make {
        members: Vec<Member>,
    },
    /// A member in sync is counted on no more.
    Remove(Member),
    /// The one that was joining has everything.
    Add(Member),
    /// The old primary stays in sync, and removes itself no more than any other: the new one may.
    HandOver {
        to: Member,
    },
    /// Nothing but a new number: whatever was proposed on the old one can no longer happen (R4).
    Abort,
    /// The primary is given up, and one of those in sync takes its place.
    TakeOver {
        to: Member,
    },
    SetJoining(Member),
    ClearJoining,
    /// A new life of a node in sync has all that the old one had on its disk (R16).
    Readmit {
        old: Member,
        new: Member,
    },
    /// All lives that were in sync are over, and this one's disk has the most of what they had.
    Recover {
        primary: Member,
        floor: Version,
    },
    /// All that was in sync is lost, and the partition begins anew, empty.
    Recreate {
        primary: Member,
        floor: Version,
    },
}

impl PartitionConfiguration {
    pub fn number(&self) -> u64 {
        self.number
    }

    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub fn primary(&self) -> Option<Member> {
        self.isr.first().copied()
    }

    /// The primary first.
    pub fn isr(&self) -> &[Member] {
        &self.isr
    }

    pub fn joining(&self) -> Option<Member> {
        self.joining
    }

    pub fn floor(&self) -> Version {
        self.floor
    }

    pub fn role_of(&self, member: Member) -> Option<Role> {
        match self.isr.iter().position(|other| *other == member) {
            Some(0) => Some(Role::Primary),
            Some(_) => Some(Role::InSync),
            None => (self.joining == Some(member)).then_some(Role::Joining),
        }
    }

    /// Whether any life of this node has to do with the partition.
    pub(super) fn names(&self, node: NodeId) -> bool {
        self.isr.iter().chain(&self.joining).any(|member| member.node == node)
    }

    /// Whether every life that was in sync is known to be over (R17).
    pub fn all_over(&self, nodes: &Nodes) -> bool {
        !self.isr.is_empty() && self.isr.iter().all(|member| nodes.is_over(*member))
    }

    pub(super) fn changed(
        &self,
        based_on: u64,
        proposer: Proposer,
        change: &PartitionChange,
        nodes: &Nodes,
    ) -> Result<Self, Rejection> {
        if based_on != self.number && Safeguard::NumberOfChange.holds() {
            return Err(Rejection::Outdated { based_on, number: self.number });
        }
        self.may(proposer, change)?;
        let mut next = Self { number: self.number + 1, ..self.clone() };
        next.make_so(change, nodes)?;
        Ok(next)
    }

    fn may(&self, proposer: Proposer, change: &PartitionChange) -> Result<(), Rejection> {
        use PartitionChange::{Abort, Add, HandOver, Remove};
        let is_the_primarys = matches!(change, Remove(_) | Add(_) | HandOver { .. } | Abort);
        let allowed = match proposer {
            Proposer::Member(member) => is_the_primarys && self.primary() == Some(member),
            Proposer::Leader(_) => !is_the_primarys,
        };
        if allowed { Ok(()) } else { Err(Rejection::NotAllowed) }
    }

    fn make_so(&mut self, change: &PartitionChange, nodes: &Nodes) -> Result<(), Rejection> {
        match change {
            PartitionChange::Make { members } => return self.make(members, nodes),
            PartitionChange::Abort => {}
            PartitionChange::Remove(member) => {
                self.backup(*member)?;
                self.isr.retain(|other| other != member);
            }
            PartitionChange::Add(member) => {
                registered(*member, nodes)?;
                if self.joining != Some(*member) {
                    return Err(Rejection::NotJoining(*member));
                }
                self.joining = None;
                self.isr.push(*member);
            }
            PartitionChange::HandOver { to } => {
                self.backup(*to)?;
                self.begin_epoch(*to, nodes)?;
            }
            PartitionChange::TakeOver { to } => {
                self.backup(*to)?;
                self.isr.remove(0);
                self.begin_epoch(*to, nodes)?;
            }
            PartitionChange::SetJoining(member) => return self.set_joining(*member, nodes),
            PartitionChange::ClearJoining => self.joining = None,
            PartitionChange::Readmit { old, new } => return self.readmit(*old, *new, nodes),
            PartitionChange::Recover { primary, floor } => {
                if self.isr.iter().all(|member| member.node != primary.node) {
                    return Err(Rejection::NotInSync(*primary));
                }
                return self.begin_alone(*primary, *floor, nodes);
            }
            PartitionChange::Recreate { primary, floor } => return self.begin_alone(*primary, *floor, nodes),
        }
        Ok(())
    }

    fn make(&mut self, members: &[Member], nodes: &Nodes) -> Result<(), Rejection> {
        if !self.isr.is_empty() {
            return Err(Rejection::Made);
        }
        let (first, others) = members.split_first().ok_or(Rejection::Nobody)?;
        registered(*first, nodes)?;
        for (place, other) in others.iter().enumerate() {
            registered(*other, nodes)?;
            if *other == *first || others[..place].contains(other) {
                return Err(Rejection::InSync(*other));
            }
        }
        self.isr = members.to_vec();
        self.epoch = self.epoch.next();
        Ok(())
    }

    /// In sync, and not the primary.
    fn backup(&self, member: Member) -> Result<(), Rejection> {
        match self.role_of(member) {
            Some(Role::InSync) => Ok(()),
            _ if !Safeguard::OnlyInSyncLeads.holds() => Ok(()),
            Some(Role::Primary) => Err(Rejection::IsPrimary(member)),
            Some(Role::Joining) | None => Err(Rejection::NotInSync(member)),
        }
    }

    /// A join is of one epoch: its stream begins anew in the next (R13).
    fn begin_epoch(&mut self, primary: Member, nodes: &Nodes) -> Result<(), Rejection> {
        registered(primary, nodes)?;
        self.isr.retain(|other| *other != primary);
        self.isr.insert(0, primary);
        self.joining = None;
        self.epoch = self.epoch.next();
        Ok(())
    }

    fn set_joining(&mut self, member: Member, nodes: &Nodes) -> Result<(), Rejection> {
        registered(member, nodes)?;
        if self.isr.is_empty() {
            return Err(Rejection::NeverMade);
        }
        if self.isr.contains(&member) {
            return Err(Rejection::InSync(member));
        }
        if self.joining.is_some_and(|other| other != member) {
            return Err(Rejection::OtherJoining);
        }
        self.joining = Some(member);
        Ok(())
    }

    fn readmit(&mut self, old: Member, new: Member, nodes: &Nodes) -> Result<(), Rejection> {
        registered(new, nodes)?;
        if old.node != new.node || old >= new {
            return Err(Rejection::NotNewer { known: old, offered: new });
        }
        let place = self.isr.iter().position(|member| *member == old).ok_or(Rejection::NotInSync(old))?;
        self.isr[place] = new;
        if self.joining == Some(new) {
            self.joining = None;
        }
        if place == 0 { self.begin_epoch(new, nodes) } else { Ok(()) }
    }

    /// Only when all that was in sync is proved to be over, never because it is silent.
    fn begin_alone(&mut self, primary: Member, floor: Version, nodes: &Nodes) -> Result<(), Rejection> {
        if self.isr.is_empty() {
            return Err(Rejection::NeverMade);
        }
        if let Some(there) = self.isr.iter().find(|member| !nodes.is_over(**member)) {
            return Err(Rejection::StillThere(*there));
        }
        self.isr.clear();
        self.floor = self.floor.max(floor);
        self.begin_epoch(primary, nodes)
    }
}

fn registered(member: Member, nodes: &Nodes) -> Result<(), Rejection> {
    if nodes.is_registered(member) { Ok(()) } else { Err(Rejection::NotRegistered(member)) }
}
