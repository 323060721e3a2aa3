//! What the leader of the configuration group does for the partitions: it grants leases, gives away the primaryships of
//! whoever holds none any more, and lets members join where copies are missing (R6, R13, R17). It is of one term, and
//! proposes; what it has proposed is done when the configuration says so, and not before (R4).

mod wishes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::configuration::{Change, Configuration, PartitionChange, Term};
use super::lease::{Grant, Grantor, NoGrant, Nonce};
use super::member::{Member, NodeId};
use super::safeguard::Safeguard;
use crate::store::slot::PartitionNumber;
use crate::time::{UnixMillis, Uptime};
use wishes::Seen;

/// A change of which nothing was heard is proposed again, or what is wished for by then: on the same number, so that one
/// of them can happen only.
const PROPOSE_AGAIN_AFTER: Duration = Duration::from_millis(300);

/// Who was not heard of for so long is not chosen for anything.
const SILENT_AFTER: Duration = Duration::from_millis(700);

/// After so long another node takes the place of one that is silent. Most come back earlier, and every copy costs.
const REPLACED_AFTER: Duration = Duration::from_secs(30);

/// Partitions whose joiners take rows at the same time: enough to keep a network busy, and a bound for the records that
/// are kept for them.
const JOINS_MAX: usize = 16;

/// A joiner that has taken nothing for so long makes room for another try.
const STALLED_AFTER: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Of each partition.
    pub copies: usize,
    /// A new cluster begins when so many nodes are there (R25).
    pub begins_with: usize,
    /// A partition of which every copy is lost begins anew, empty; otherwise it waits for somebody to decide.
    pub recreates: bool,
}

#[derive(Debug)]
pub struct Leader {
    term: Term,
    policy: Policy,
    grantor: Grantor,
    elected: Uptime,
    /// Every life of a node that has spoken in this term. One for each node and restart of it, in one term.
    heard: BTreeMap<Member, Uptime>,
    /// Lives that end soon, by their own word. Nothing new is given to them.
    leaving: BTreeSet<Member>,
    pending: BTreeMap<PartitionNumber, Pending>,
    placed: Option<Pending>,
    joins: BTreeMap<PartitionNumber, Join>,
}

/// A change that may have happened.
#[derive(Debug)]
struct Pending {
    /// On which it is based.
    number: u64,
    change: Change,
    proposed: Uptime,
    /// Whose primaryship it takes.
    evicts: Option<NodeId>,
}

/// How far a joiner is, by the word of the primary.
#[derive(Clone, Copy, Debug)]
struct Join {
    number: u64,
    taken: u64,
    since: Uptime,
}

impl Leader {
    pub fn elected(term: Term, policy: Policy, now: Uptime) -> Self {
        Self {
            term,
            policy,
            grantor: Grantor::elected_at(now),
            elected: now,
            heard: BTreeMap::new(),
            leaving: BTreeSet::new(),
            pending: BTreeMap::new(),
            placed: None,
            joins: BTreeMap::new(),
        }
    }

    pub fn term(&self) -> Term {
        self.term
    }

    pub fn grantor(&mut self) -> &mut Grantor {
        &mut self.grantor
    }

    /// Somebody is there, and asks whether it may serve.
    pub fn asked(
        &mut self,
        nonce: Nonce,
        asking: Member,
        configuration: &Configuration,
        index: u64,
        now: Uptime,
    ) -> Result<Grant, NoGrant> {
        self.heard.insert(asking, now);
        let registered = configuration.nodes().get(asking.node).map(|node| node.member);
        self.grantor.grant(nonce, asking, registered, index, now)
    }

    /// It ends soon; or it does not after all.
    pub fn leaves(&mut self, member: Member, is_leaving: bool) {
        if is_leaving {
            self.leaving.insert(member);
        } else {
            self.leaving.remove(&member);
        }
    }

    /// A primary tells how much whoever joins has taken.
    pub fn heard_of_join(&mut self, partition: PartitionNumber, number: u64, taken: u64, now: Uptime) {
        let join = self.joins.entry(partition).or_insert(Join { number, taken, since: now });
        if (join.number, join.taken) != (number, taken) {
            *join = Join { number, taken, since: now };
        }
    }

    /// What is to be proposed now. To be called every now and then, and when the configuration has changed.
    pub fn ticked(&mut self, configuration: &Configuration, now: Uptime, wall: UnixMillis) -> Vec<Change> {
        self.forget_what_is_decided(configuration);
        let mut changes = Vec::new();
        self.place(configuration, now, &mut changes);
        let is_joining = |pending: &Pending| {
            matches!(&pending.change, Change::Partition { change: PartitionChange::SetJoining(_), .. })
        };
        let mut joins = configuration.partitions().filter(|(_, state)| state.joining().is_some()).count()
            + self.pending.values().filter(|pending| is_joining(pending)).count();
        for (partition, state) in configuration.partitions() {
            let pending = self.pending.get(&partition);
            if pending.is_some_and(|pending| !pending.is_due(now)) {
                continue;
            }
            let may_join = joins < JOINS_MAX || pending.is_some_and(is_joining);
            let change = match self.wish(partition, state, &Seen { configuration, now, wall, may_join }) {
                Some(change) => change,
                // What was wished for may happen yet. Whatever is decided on its number says whether it has (R4).
                None if pending.is_some() => PartitionChange::ClearJoining,
                None => continue,
            };
            let takes = matches!(change, PartitionChange::TakeOver { .. });
            let evicts = pending.and_then(|pending| pending.evicts);
            let evicts = evicts.or(state.primary().filter(|_| takes).map(|primary| primary.node));
            if let Some(node) = evicts
                && Safeguard::NoGrantWhileEvicting.holds()
            {
                self.grantor.evicting(node);
            }
            joins += usize::from(pending.is_none() && matches!(change, PartitionChange::SetJoining(_)));
            let number = state.number();
            let change = Change::Partition { partition, number, change };
            changes.push(change.clone());
            self.pending.insert(partition, Pending { number, change, proposed: now, evicts });
        }
        changes
    }

    fn forget_what_is_decided(&mut self, configuration: &Configuration) {
        let evicted = |leader: &Self| leader.pending.values().filter_map(|one| one.evicts).collect::<BTreeSet<_>>();
        let before = evicted(self);
        self.pending.retain(|partition, pending| configuration.partition(*partition).number() <= pending.number);
        for node in before.difference(&evicted(self)) {
            self.grantor.decided(*node);
        }
        self.joins.retain(|partition, _| configuration.partition(*partition).joining().is_some());
    }

    /// Says where copies are to be, when those that can have some are others than before.
    fn place(&mut self, configuration: &Configuration, now: Uptime, changes: &mut Vec<Change>) {
        let wished =
            wishes::placement(configuration, self.policy, &|member| self.is_heard(member, REPLACED_AFTER, now));
        let Some(wished) = wished.filter(|wished| wished != configuration.placement()) else {
            self.placed = None;
            return;
        };
        let change = Change::Place(wished);
        if self.placed.as_ref().is_none_or(|placed| placed.change != change || placed.is_due(now)) {
            changes.push(change.clone());
            self.placed = Some(Pending { number: 0, change, proposed: now, evicts: None });
        }
    }

    /// Nobody is called silent who had no time to speak.
    fn is_heard(&self, member: Member, within: Duration, now: Uptime) -> bool {
        let last = self.heard.get(&member).copied().unwrap_or(self.elected);
        now.since(last) <= within
    }

    /// Whether a life of a node has surely ended: a later one has spoken.
    fn newer(&self, than: Member) -> Option<Member> {
        let last = self.heard.range(than..).map(|(member, _)| *member).take_while(|one| one.node == than.node).last();
        last.filter(|newer| *newer != than)
    }
}

impl Pending {
    /// Nothing was heard of it for so long that it is proposed again, or something else on the same number.
    fn is_due(&self, now: Uptime) -> bool {
        now.since(self.proposed) > PROPOSE_AGAIN_AFTER
    }
}

#[cfg(test)]
mod tests;
