//! The status as a whole: figures, conditions, and the one word of the STATUS column, which follows a fixed order of
//! precedence (see `phase`).

use k8s_openapi::jiff::Timestamp;
use kvtenant_api::ConditionType::{Degraded, Progressing, Ready, Reconciling, Stalled};
use kvtenant_api::{ConditionType, Derived, KVTenantStatus, Phase, Reason, Summary};

use super::conditions::{Verdict, dated};
use super::nodes::{NodesSeen, NodesState};
use crate::children::selector_text;
use crate::validate::ValidTenant;

/// How far the operator came with this tenant in this pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Every object is as intended.
    Applied,
    /// Something has to go away first.
    Waiting { reason: Reason, message: String },
    /// The API server refused an object.
    Failed(String),
    /// Nothing will move until a person acts.
    Stalled { reason: Reason, message: String },
    /// On its way out.
    Deleting,
}

/// Everything a status is computed from.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    pub name: &'a str,
    pub namespace: &'a str,
    pub generation: Option<i64>,
    /// None when the spec breaks a rule.
    pub tenant: Option<&'a ValidTenant>,
    pub derived: Option<Derived>,
    pub standing: Standing,
    pub nodes: NodesSeen,
    pub previous: Option<&'a KVTenantStatus>,
    pub now: Timestamp,
}

/// Computes the status.
pub fn report(report: &Report<'_>) -> KVTenantStatus {
    let previous = report.previous;
    let nodes = &report.nodes;
    let wanted = report.tenant.map_or_else(|| nodes.existing(), |tenant| tenant.nodes);
    let state = nodes.state(wanted, previous);
    let formed = previous.is_some_and(|previous| previous.formed) || state == NodesState::Ready;
    let counts = format!("{} of {wanted} nodes are ready", nodes.ready());
    let verdicts = verdicts(report, &state, &counts);
    let derived = report.derived.clone().or_else(|| previous.and_then(|previous| previous.derived.clone()));
    let url_name = derived.as_ref().map(|derived| derived.tenant.clone());
    KVTenantStatus {
        observed_generation: report.generation,
        replicas: nodes.existing(),
        ready_replicas: nodes.ready(),
        selector: Some(selector_text(report.name)),
        endpoint: url_name.map(|tenant| format!("http://{}.{}.svc/{tenant}", report.name, report.namespace)),
        formed,
        summary: Some(Summary {
            ready: format!("{}/{wanted}", nodes.ready()),
            phase: phase(report, &state, formed),
            memory: derived.as_ref().map(|derived| derived.memory.clone()).unwrap_or_default(),
        }),
        derived,
        conditions: dated(&verdicts, previous, report.generation, report.now),
    }
}

/// The first that applies, from the top: what a person must know outranks what passes by itself.
fn phase(report: &Report<'_>, state: &NodesState, formed: bool) -> Phase {
    match (&report.standing, state) {
        (Standing::Deleting, _) => Phase::Deleting,
        (Standing::Stalled { .. }, _) => Phase::Stalled,
        (_, NodesState::Gone | NodesState::Ending) => Phase::Suspended,
        (_, NodesState::Failing(_) | NodesState::Lost) => Phase::Degraded,
        (_, NodesState::Ready) => Phase::Ready,
        (_, NodesState::Moving) if formed => Phase::Progressing,
        (_, NodesState::Moving) if report.nodes.existing() > 0 => Phase::Forming,
        (_, NodesState::Moving) => Phase::Pending,
    }
}

/// What suspending costs, said wherever it shows.
const SUSPENDED: &str = "the tenant is suspended: no nodes run, and what they held in memory is gone";

fn verdicts(report: &Report<'_>, state: &NodesState, counts: &str) -> Vec<Verdict> {
    match &report.standing {
        Standing::Deleting => uniform(Reason::Deleting, "the KVTenant is being deleted", None),
        Standing::Stalled { reason, message } => uniform(*reason, message, Some(Stalled)),
        Standing::Waiting { reason, message } => with_reconciling(nodes_verdicts(state, counts), *reason, message),
        Standing::Failed(message) => with_reconciling(nodes_verdicts(state, counts), Reason::ApplyFailed, message),
        Standing::Applied => nodes_verdicts(state, counts),
    }
}

/// All conditions for one reason; `holding` is the only one that is true.
fn uniform(reason: Reason, message: &str, holding: Option<ConditionType>) -> Vec<Verdict> {
    let verdict = |about| Verdict { about, holds: holding == Some(about), reason, message: message.to_owned() };
    ConditionType::ALL.iter().copied().map(verdict).collect()
}

fn with_reconciling(mut verdicts: Vec<Verdict>, reason: Reason, message: &str) -> Vec<Verdict> {
    for verdict in verdicts.iter_mut().filter(|verdict| verdict.about == Reconciling) {
        verdict.holds = true;
        verdict.reason = reason;
        message.clone_into(&mut verdict.message);
    }
    verdicts
}

fn nodes_verdicts(state: &NodesState, counts: &str) -> Vec<Verdict> {
    let says = |about, holds, reason, message: &str| Verdict { about, holds, reason, message: message.to_owned() };
    let settled = "objects and nodes are as the spec says";
    let healthy = says(Degraded, false, Reason::Healthy, "no node is failing");
    let proceeding = says(Stalled, false, Reason::Proceeding, "nothing stands in the way");
    let [ready, progressing, degraded, reconciling] = match state {
        NodesState::Ready => [
            says(Ready, true, Reason::NodesReady, counts),
            says(Progressing, false, Reason::Settled, settled),
            healthy,
            says(Reconciling, false, Reason::Settled, settled),
        ],
        NodesState::Gone => [
            says(Ready, false, Reason::Suspended, SUSPENDED),
            says(Progressing, false, Reason::Suspended, SUSPENDED),
            healthy,
            says(Reconciling, false, Reason::Suspended, SUSPENDED),
        ],
        NodesState::Ending => [
            says(Ready, false, Reason::Suspended, SUSPENDED),
            says(Progressing, true, Reason::Suspended, "nodes are ending"),
            healthy,
            says(Reconciling, true, Reason::Suspended, "nodes are ending"),
        ],
        NodesState::Moving => [
            says(Ready, false, Reason::RollingOut, &format!("{counts}, and a change is on its way")),
            says(Progressing, true, Reason::RollingOut, counts),
            healthy,
            says(Reconciling, true, Reason::RollingOut, counts),
        ],
        NodesState::Failing(words) => [
            says(Ready, false, Reason::PodFailing, words),
            says(Progressing, true, Reason::PodFailing, words),
            says(Degraded, true, Reason::PodFailing, words),
            says(Reconciling, true, Reason::PodFailing, words),
        ],
        NodesState::Lost => [
            says(Ready, false, Reason::NodesNotReady, counts),
            says(Progressing, false, Reason::Settled, "no change is on its way"),
            says(Degraded, true, Reason::NodesNotReady, counts),
            says(Reconciling, true, Reason::NodesNotReady, counts),
        ],
    };
    vec![ready, progressing, degraded, reconciling, proceeding]
}
