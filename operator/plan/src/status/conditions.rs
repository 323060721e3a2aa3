//! Conditions from one pass to the next: a condition keeps its time while its status stays, and a change of status or
//! reason is a transition that people are told of by an Event.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kvtenant_api::{Condition, ConditionType, KVTenantStatus, Reason};

/// What a condition says now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) about: ConditionType,
    pub(super) holds: bool,
    pub(super) reason: Reason,
    pub(super) message: String,
}

/// A condition that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    pub about: ConditionType,
    pub holds: bool,
    pub reason: Reason,
    pub message: String,
}

impl Transition {
    /// Whether a person should look: something is wrong, or data is gone.
    pub fn is_warning(&self) -> bool {
        match self.about {
            ConditionType::Degraded | ConditionType::Stalled => self.holds,
            ConditionType::Ready => matches!(self.reason, Reason::Suspended | Reason::PodFailing),
            ConditionType::Reconciling => self.reason == Reason::ApplyFailed,
            ConditionType::Progressing => false,
        }
    }
}

/// Dates `verdicts` by the conditions before them.
pub(super) fn dated(
    verdicts: &[Verdict],
    previous: Option<&KVTenantStatus>,
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let dated = |verdict: &Verdict| {
        let status = if verdict.holds { "True" } else { "False" };
        let before = previous.and_then(|previous| find(previous, verdict.about));
        let since = before.filter(|before| before.status == status).map(|before| before.last_transition_time.clone());
        Condition {
            type_: verdict.about.to_string(),
            status: status.to_owned(),
            reason: verdict.reason.to_string(),
            message: verdict.message.clone(),
            last_transition_time: since.unwrap_or(Time(now)),
            observed_generation: generation,
        }
    };
    verdicts.iter().map(dated).collect()
}

/// What changed between two statuses. At the very beginning only what holds is news: that a new tenant is not stalled
/// needs no Event.
pub fn transitions(before: Option<&KVTenantStatus>, after: &KVTenantStatus) -> Vec<Transition> {
    let mut changed = Vec::new();
    for about in ConditionType::ALL.iter().copied() {
        let Some(new) = find(after, about) else { continue };
        let holds = new.status == "True";
        let is_news = match before.and_then(|before| find(before, about)) {
            Some(old) if old.status != new.status => true,
            // A new reason for something that still is not so (not stalled, not degraded) is no news.
            Some(old) => old.reason != new.reason && (holds || about == ConditionType::Ready),
            None => holds,
        };
        let reason = Reason::ALL.iter().copied().find(|reason| reason.as_str() == new.reason);
        if let Some(reason) = reason.filter(|_| is_news) {
            changed.push(Transition { about, holds, reason, message: new.message.clone() });
        }
    }
    changed
}

fn find(status: &KVTenantStatus, about: ConditionType) -> Option<&Condition> {
    status.conditions.iter().find(|condition| condition.type_ == about.as_str())
}
