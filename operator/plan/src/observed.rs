//! What exists, reduced to what decisions need. Whoever fills these structs may read from caches that lag; every
//! delete therefore carries the uid of the object it means.

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kvtenant_api::names::GROUP;

use crate::children::ChildKind;
use crate::image::ImageRef;

/// The world as far as one tenant is concerned.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The image this operator brings along.
    pub operator_image: ImageRef,
    /// The image pinned on the live StatefulSet.
    pub pinned_image: Option<ImageRef>,
    /// Every object of a child kind that carries the tenant's label or has a child's name.
    pub held: Vec<Held>,
}

/// An object that exists under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub kind: ChildKind,
    pub name: String,
    pub uid: String,
    pub holder: Holder,
    /// Being deleted, and so no longer to be counted on.
    pub going: bool,
}

/// Whose object it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// This very KVTenant, by uid.
    Us,
    /// A KVTenant of the same name that was deleted: the garbage collector will remove the object.
    Predecessor,
    /// Somebody else, in words for a message.
    Stranger(String),
}

impl Holder {
    /// Whose object is the one with these owners, seen from the KVTenant `tenant_name` with `tenant_uid`?
    pub fn of_owners(owners: &[OwnerReference], tenant_name: &str, tenant_uid: &str) -> Self {
        let Some(owner) = owners.iter().find(|owner| owner.controller == Some(true)) else {
            return Self::Stranger("nobody's object".to_owned());
        };
        let is_kvtenant = owner.kind == "KVTenant" && owner.api_version.split('/').next() == Some(GROUP);
        match (is_kvtenant, owner.uid == tenant_uid, owner.name == tenant_name) {
            (true, true, _) => Self::Us,
            (true, false, true) => Self::Predecessor,
            _ => Self::Stranger(format!("an object of {} {}", owner.kind, owner.name)),
        }
    }
}

/// The figures of a StatefulSet that tell how far its controller has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatefulSetSeen {
    pub generation: i64,
    pub observed_generation: i64,
    pub replicas: i32,
    pub ready: i32,
    pub updated: i32,
    /// All pods run the newest revision.
    pub revisions_agree: bool,
}

impl From<&StatefulSet> for StatefulSetSeen {
    fn from(set: &StatefulSet) -> Self {
        let status = set.status.clone().unwrap_or_default();
        Self {
            generation: set.metadata.generation.unwrap_or_default(),
            observed_generation: status.observed_generation.unwrap_or_default(),
            replicas: status.replicas,
            ready: status.ready_replicas.unwrap_or_default(),
            updated: status.updated_replicas.unwrap_or_default(),
            revisions_agree: status.current_revision == status.update_revision,
        }
    }
}

/// What a pod says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PodSeen {
    pub name: String,
    pub ready: bool,
    pub going: bool,
    pub problem: Option<PodProblem>,
}

/// Why a pod cannot run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PodProblem {
    /// One word, as Kubernetes has it.
    pub reason: String,
    /// More, where it does not change from try to try (a changing text would be a status write per try).
    pub detail: Option<String>,
}

/// Reasons of a waiting container that do not pass by themselves. `ContainerCreating` and `PodInitializing` do.
const WAITING_PROBLEMS: [&str; 8] = [
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImageNeverPull",
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "RunContainerError",
];

/// A scheduler's explanation on a large cluster names every node; conditions have no room for that.
const DETAIL_CHARS_MAX: usize = 300;

impl From<&Pod> for PodSeen {
    fn from(pod: &Pod) -> Self {
        let status = pod.status.clone().unwrap_or_default();
        let conditions = status.conditions.unwrap_or_default();
        let ready = conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
        let unschedulable = conditions
            .iter()
            .find(|condition| condition.type_ == "PodScheduled" && condition.reason.as_deref() == Some("Unschedulable"))
            .map(|condition| PodProblem {
                reason: "Unschedulable".to_owned(),
                detail: condition.message.as_deref().map(shortened),
            });
        let containers = status.container_statuses.unwrap_or_default();
        Self {
            name: pod.metadata.name.clone().unwrap_or_default(),
            ready,
            going: pod.metadata.deletion_timestamp.is_some(),
            problem: unschedulable.or_else(|| containers.iter().find_map(container_problem)),
        }
    }
}

fn container_problem(container: &ContainerStatus) -> Option<PodProblem> {
    let waiting = container.state.as_ref().and_then(|state| state.waiting.as_ref());
    let reason = waiting.and_then(|waiting| waiting.reason.as_deref());
    // The kubelet alternates between these two words on every try.
    let reason = if reason == Some("ErrImagePull") { Some("ImagePullBackOff") } else { reason };
    let crashed = container
        .last_state
        .as_ref()
        .and_then(|state| state.terminated.as_ref())
        .filter(|terminated| terminated.exit_code != 0 && !container.ready);
    match reason.filter(|reason| WAITING_PROBLEMS.contains(reason)) {
        Some("CrashLoopBackOff") | None => {
            // Between two crashes a container runs for a while; calling that healthy would make the condition flap.
            let last = crashed?;
            let why = last.reason.as_deref().unwrap_or("Error");
            Some(PodProblem {
                reason: "CrashLoopBackOff".to_owned(),
                detail: Some(format!("it ended with {why}, exit code {}", last.exit_code)),
            })
        }
        Some("ImagePullBackOff" | "ErrImageNeverPull" | "InvalidImageName") => {
            Some(PodProblem { reason: reason?.to_owned(), detail: Some(format!("image {}", container.image)) })
        }
        Some(other) => Some(PodProblem {
            reason: other.to_owned(),
            detail: waiting.and_then(|waiting| waiting.message.as_deref()).map(shortened),
        }),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= DETAIL_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(DETAIL_CHARS_MAX).chain(std::iter::once('…')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(status: &Value) -> PodSeen {
        let pod: Pod = serde_json::from_value(json!({"metadata": {"name": "a-0"}, "status": status})).expect("a pod");
        PodSeen::from(&pod)
    }

    fn waiting(reason: &str, last_exit: Option<i32>) -> Value {
        let mut container = json!({
            "name": "kvnode", "image": "kvnode:1", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": reason, "message": "back-off 10s"}},
        });
        if let Some(code) = last_exit {
            container["lastState"] = json!({"terminated": {"exitCode": code, "reason": "OOMKilled"}});
        }
        json!({"containerStatuses": [container]})
    }

    fn problem(reason: &str, detail: &str) -> PodProblem {
        PodProblem { reason: reason.to_owned(), detail: Some(detail.to_owned()) }
    }

    /// A user who mistyped an image must read so, however the kubelet words it in that second.
    #[test]
    fn a_missing_image_is_one_problem_under_both_its_names() {
        for reason in ["ErrImagePull", "ImagePullBackOff"] {
            assert_eq!(pod(&waiting(reason, None)).problem, Some(problem("ImagePullBackOff", "image kvnode:1")));
        }
    }

    #[test]
    fn a_crashing_container_is_a_problem_also_while_it_runs_between_crashes() {
        let expected = Some(problem("CrashLoopBackOff", "it ended with OOMKilled, exit code 137"));
        assert_eq!(pod(&waiting("CrashLoopBackOff", Some(137))).problem, expected);
        let mut running = waiting("x", Some(137));
        running["containerStatuses"][0]["state"] = json!({"running": {}});
        assert_eq!(pod(&running).problem, expected);
        running["containerStatuses"][0]["ready"] = json!(true);
        assert_eq!(pod(&running).problem, None, "a container that came back is no problem");
    }

    #[test]
    fn a_pod_that_is_only_starting_has_no_problem() {
        for reason in ["ContainerCreating", "PodInitializing"] {
            assert_eq!(pod(&waiting(reason, None)).problem, None);
        }
    }

    #[test]
    fn a_pod_without_a_place_says_so_in_bounded_words() {
        let message = "0/3 nodes are available. ".repeat(100);
        let seen = pod(&json!({"conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        ]}));
        let problem = seen.problem.expect("a problem");
        assert_eq!(problem.reason, "Unschedulable");
        assert_eq!(problem.detail.expect("the scheduler's words").chars().count(), DETAIL_CHARS_MAX + 1);
    }

    fn owned_by(kind: &str, api_version: &str, name: &str, uid: &str, controller: bool) -> Vec<OwnerReference> {
        vec![OwnerReference {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            uid: uid.to_owned(),
            controller: Some(controller),
            block_owner_deletion: None,
        }]
    }

    #[test]
    fn an_object_is_ours_by_uid_and_controller_only() {
        let of = |owners: &[OwnerReference]| Holder::of_owners(owners, "analytics", "uid-1");
        let v1 = "kvtenant.io/v1alpha1";
        assert_eq!(of(&owned_by("KVTenant", v1, "analytics", "uid-1", true)), Holder::Us);
        assert_eq!(of(&owned_by("KVTenant", "kvtenant.io/v1", "analytics", "uid-1", true)), Holder::Us);
        assert_eq!(of(&owned_by("KVTenant", v1, "analytics", "uid-0", true)), Holder::Predecessor);
        for stranger in [
            owned_by("KVTenant", v1, "reports", "uid-2", true),
            owned_by("KVTenant", v1, "analytics", "uid-1", false),
            owned_by("KVTenant", "example.com/v1", "analytics", "uid-1", true),
            owned_by("Deployment", "apps/v1", "analytics", "uid-1", true),
            Vec::new(),
        ] {
            assert!(matches!(of(&stranger), Holder::Stranger(_)), "{stranger:?}");
        }
    }
}
