//! The side that decides who may serve: the leader of the configuration group, for as long as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use thiserror::Error;

use super::{Grant, LEASE, MARGIN, Nonce, QUORUM_AGE_MAX};
use crate::cluster::member::{Member, NodeId};
use crate::cluster::safeguard::Safeguard;
use crate::time::Uptime;

/// Of one term. The next begins with nothing, because it knows nothing of what this one has granted.
#[derive(Debug)]
pub struct Grantor {
    elected: Uptime,
    /// It has applied an entry of its own term, and so everything that was decided before it.
    is_up_to_date: bool,
    /// When the last round began that a majority has answered.
    confirmed: Option<Uptime>,
    /// Until when each node may believe to hold a lease.
    booked: BTreeMap<NodeId, Uptime>,
    /// Whose primaryships are being taken: proposed, and not decided.
    evicting: BTreeSet<NodeId>,
}

/// Why no lease is granted. Whoever asked asks again.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NoGrant {
    #[error("the leader has not applied an entry of its own term yet")]
    NotUpToDate,
    #[error("the leader has not heard from a majority lately")]
    QuorumNotConfirmed,
    #[error("another life of this node is registered")]
    NotRegistered,
    #[error("the node's partitions are being given to others")]
    Evicting,
}

impl Grantor {
    pub fn elected_at(now: Uptime) -> Self {
        Self { elected: now, is_up_to_date: false, confirmed: None, booked: BTreeMap::new(), evicting: BTreeSet::new() }
    }

    pub fn applied_own_entry(&mut self) {
        self.is_up_to_date = true;
    }

    /// A majority has answered a round that was begun at this moment, so this leader was one then.
    pub fn confirmed_since(&mut self, begun: Uptime) {
        self.confirmed = self.confirmed.max(Some(begun));
    }

    /// `registered` is what the configuration knows of the node.
    pub fn grant(
        &mut self,
        nonce: Nonce,
        asking: Member,
        registered: Option<Member>,
        configuration: u64,
        now: Uptime,
    ) -> Result<Grant, NoGrant> {
        let age = self.quorum_age(now)?;
        if registered != Some(asking) {
            return Err(NoGrant::NotRegistered);
        }
        if self.evicting.contains(&asking.node) {
            return Err(NoGrant::Evicting);
        }
        let age = if Safeguard::GrantLessAge.holds() { age } else { Duration::ZERO };
        let margin = if Safeguard::Margin.holds() { MARGIN } else { Duration::ZERO };
        let lasts = LEASE.saturating_sub(age);
        let booked = self.booked.entry(asking.node).or_default();
        *booked = (*booked).max(now.plus(lasts + margin));
        Ok(Grant { nonce, lasts, configuration })
    }

    /// Whether this life of a node holds no lease any more, whoever granted it, so that another may take its place.
    /// `newer` is set when a later life of the node has spoken: then this one has ended.
    pub fn may_take_from(&self, holder: Member, newer: Option<Member>, now: Uptime) -> bool {
        if self.quorum_age(now).is_err() {
            return false;
        }
        let has_ended = newer.is_some_and(|newer| newer.node == holder.node && newer.incarnation > holder.incarnation);
        let booked = self.booked.get(&holder.node).copied().unwrap_or_default();
        // What an earlier leader has granted is over by then.
        let others = self.elected.plus(LEASE + MARGIN);
        let is_over = now >= booked || !Safeguard::TakeWaits.holds();
        has_ended || (is_over && (now >= others || !Safeguard::NewLeaderWaits.holds()))
    }

    /// From before it is proposed until it is known what became of it.
    pub fn evicting(&mut self, node: NodeId) {
        self.evicting.insert(node);
    }

    pub fn decided(&mut self, node: NodeId) {
        self.evicting.remove(&node);
    }

    fn quorum_age(&self, now: Uptime) -> Result<Duration, NoGrant> {
        if !self.is_up_to_date {
            return Err(NoGrant::NotUpToDate);
        }
        let age = self.confirmed.map(|begun| now.since(begun));
        age.filter(|age| *age <= QUORUM_AGE_MAX).ok_or(NoGrant::QuorumNotConfirmed)
    }
}
