//! How the nodes stand, as one value: the StatefulSet's figures and the pods' own words, weighed against the wish.

use kvtenant_api::{KVTenantStatus, Phase};

use crate::observed::{PodSeen, StatefulSetSeen};

/// What was seen of a tenant's nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodesSeen {
    pub stateful_set: Option<StatefulSetSeen>,
    pub pods: Vec<PodSeen>,
}

/// The verdict on the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NodesState {
    /// As many as wanted, ready, of the wanted revision.
    Ready,
    /// None wanted, none left.
    Gone,
    /// None wanted, some are still ending.
    Ending,
    /// On the way to the wish, nothing is wrong.
    Moving,
    /// A pod says why it cannot run.
    Failing(String),
    /// They served, the wish did not change, and now they do not serve.
    Lost,
}

impl NodesSeen {
    pub(super) fn existing(&self) -> i32 {
        self.stateful_set.as_ref().map_or(0, |set| set.replicas)
    }

    pub(super) fn ready(&self) -> i32 {
        self.stateful_set.as_ref().map_or(0, |set| set.ready)
    }

    /// Weighs what was seen against `wanted` nodes.
    pub(super) fn state(&self, wanted: i32, previous: Option<&KVTenantStatus>) -> NodesState {
        let settled = self.stateful_set.as_ref().is_some_and(|set| is_settled(set, wanted));
        if wanted == 0 {
            return if settled { NodesState::Gone } else { NodesState::Ending };
        }
        if settled && self.ready() >= wanted {
            return NodesState::Ready;
        }
        if let Some(words) = self.problem() {
            return NodesState::Failing(words);
        }
        // Only nodes that served can be lost; ones that start for the first time, or again after a pause, are moving.
        let phase = previous.and_then(|status| status.summary.as_ref()).map(|summary| summary.phase);
        let served = matches!(phase, Some(Phase::Ready | Phase::Degraded));
        if settled && served { NodesState::Lost } else { NodesState::Moving }
    }

    /// The first pod, by name, that says it cannot run.
    fn problem(&self) -> Option<String> {
        let failing = self.pods.iter().filter(|pod| !pod.going && !pod.ready);
        let (pod, problem) = failing
            .filter_map(|pod| pod.problem.as_ref().map(|problem| (pod, problem)))
            .min_by(|(one, _), (other, _)| one.name.cmp(&other.name))?;
        let detail = problem.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
        Some(format!("pod {} cannot run: {}{detail}", pod.name, problem.reason))
    }
}

/// The controller has seen the newest set, and every pod is there in the newest revision.
fn is_settled(set: &StatefulSetSeen, wanted: i32) -> bool {
    set.observed_generation >= set.generation
        && set.replicas == wanted
        && (wanted == 0 || (set.updated == wanted && set.revisions_agree))
}
