//! What a leader wants changed, by what it sees.

use super::{Leader, Policy, SILENT_AFTER, STALLED_AFTER};
use crate::cluster::configuration::{Configuration, NodeState, PartitionChange, PartitionConfiguration};
use crate::cluster::member::{Member, NodeId};
use crate::cluster::placement::{Candidate, Placement};
use crate::cluster::safeguard::Safeguard;
use crate::store::attributes::Version;
use crate::store::slot::PartitionNumber;
use crate::time::{UnixMillis, Uptime};

/// Versions start above what anybody could have counted to in this many steps a second (R15).
const VERSIONS_PER_SECOND: u64 = 1 << 20;

/// Where copies are to be; none if the cluster has not begun.
pub(super) fn placement(
    configuration: &Configuration,
    policy: Policy,
    is_there: &dyn Fn(Member) -> bool,
) -> Option<Placement> {
    let nodes = configuration.nodes();
    let has_begun = configuration.partitions().any(|(_, partition)| partition.primary().is_some());
    if !has_begun && nodes.count() < policy.begins_with {
        return None;
    }
    let candidates = nodes.iter().filter(|node| node.state == NodeState::Active && is_there(node.member));
    let candidates: Vec<Candidate> = candidates
        .map(|node| Candidate { node: node.member.node, weight: node.weight, zone: node.zone.clone() })
        .collect();
    // With nobody to be seen the fault is here.
    (!candidates.is_empty()).then(|| configuration.placement().onto(&candidates, policy.copies))
}

/// What a wish is made from.
#[derive(Clone, Copy)]
pub(super) struct Seen<'s> {
    pub(super) configuration: &'s Configuration,
    pub(super) now: Uptime,
    pub(super) wall: UnixMillis,
    /// There is room for one more joiner.
    pub(super) may_join: bool,
}

impl Leader {
    pub(super) fn wish(
        &self,
        partition: PartitionNumber,
        state: &PartitionConfiguration,
        seen: &Seen<'_>,
    ) -> Option<PartitionChange> {
        let Seen { configuration, now, wall, may_join } = *seen;
        let nodes = configuration.nodes();
        let member_of = |node: &NodeId| nodes.get(*node).map(|node| node.member);
        let is_there = |member: &Member| {
            nodes.is_registered(*member) && self.is_heard(*member, SILENT_AFTER, now) && !self.leaving.contains(member)
        };
        let mut placed = configuration.placement().of(partition.index()).iter().filter_map(member_of).filter(is_there);
        let Some(primary) = state.primary() else {
            let members: Vec<Member> = placed.collect();
            return (!members.is_empty()).then_some(PartitionChange::Make { members });
        };
        if self.policy.recreates && state.all_over(nodes) {
            let floor = Version::new(wall.get() / 1000 * VERSIONS_PER_SECOND);
            return placed.next().map(|primary| PartitionChange::Recreate { primary, floor });
        }
        if self.grantor.may_take_from(primary, self.newer(primary), now)
            && let Some(to) = successors(state, configuration).into_iter().find(is_there)
        {
            return Some(PartitionChange::TakeOver { to });
        }
        if let Some(joining) = state.joining() {
            let join = self.joins.get(&partition);
            let is_stalled = join.is_some_and(|join| now.since(join.since) > STALLED_AFTER);
            // Without a primary nobody gives it anything, and others could join elsewhere.
            let goes_on = is_there(&primary) && is_there(&joining) && !is_stalled;
            return (!goes_on).then_some(PartitionChange::ClearJoining);
        }
        let lacking = placed.find(|member| !state.isr().contains(member));
        lacking.filter(|_| may_join && is_there(&primary)).map(PartitionChange::SetJoining)
    }
}

/// Who may be primary next.
fn successors(state: &PartitionConfiguration, configuration: &Configuration) -> Vec<Member> {
    if Safeguard::OnlyInSyncLeads.holds() {
        return state.isr()[1..].to_vec();
    }
    let others = configuration.nodes().iter().map(|node| node.member);
    others.filter(|other| Some(*other) != state.primary()).collect()
}
