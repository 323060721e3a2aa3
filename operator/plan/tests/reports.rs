//! What people read in each situation: phase, conditions and their times, and what becomes an Event.

use k8s_openapi::jiff::Timestamp;
use kvtenant_api::{KVTenant, KVTenantSpec, KVTenantStatus, Phase, Reason};
use kvtenant_plan::status::{NodesSeen, Report, Standing, Transition, report, transitions};
use kvtenant_plan::{Observed, PodProblem, PodSeen, StatefulSetSeen, ValidTenant, plan, validate};

fn tenant(suspend: bool) -> ValidTenant {
    let mut tenant = KVTenant::new("analytics", KVTenantSpec { suspend, ..KVTenantSpec::default() });
    tenant.metadata.namespace = Some("shop".to_owned());
    validate(&tenant).expect("the fixture is valid")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

/// The status of one more pass, at `second`, after `previous`.
fn pass(
    tenant: &ValidTenant,
    standing: Standing,
    nodes: NodesSeen,
    previous: Option<&KVTenantStatus>,
    second: i64,
) -> KVTenantStatus {
    let operator_image = "kvnode:1".parse().expect("an image");
    let derived = plan(tenant, &Observed { operator_image, pinned_image: None, held: Vec::new() }).derived;
    report(&Report {
        name: "analytics",
        namespace: "shop",
        generation: Some(1),
        tenant: Some(tenant),
        derived: Some(derived),
        standing,
        nodes,
        previous,
        now: at(second),
    })
}

fn set(replicas: i32, ready: i32) -> StatefulSetSeen {
    StatefulSetSeen { generation: 1, observed_generation: 1, replicas, ready, updated: replicas, revisions_agree: true }
}

fn nodes(set: StatefulSetSeen) -> NodesSeen {
    NodesSeen { stateful_set: Some(set), pods: Vec::new() }
}

fn failing(reason: &str) -> NodesSeen {
    let problem = PodProblem { reason: reason.to_owned(), detail: Some("image kvnode:9".to_owned()) };
    let pod = PodSeen { name: "analytics-0".to_owned(), ready: false, going: false, problem: Some(problem) };
    NodesSeen { stateful_set: Some(set(1, 0)), pods: vec![pod] }
}

fn phase(status: &KVTenantStatus) -> Phase {
    status.summary.as_ref().expect("a summary").phase
}

/// `Ready=True/NodesReady …`, in the order of the conditions.
fn conditions(status: &KVTenantStatus) -> Vec<String> {
    status
        .conditions
        .iter()
        .map(|condition| format!("{}={}/{}", condition.type_, condition.status, condition.reason))
        .collect()
}

fn told(before: Option<&KVTenantStatus>, after: &KVTenantStatus) -> Vec<String> {
    let words = |transition: Transition| {
        let mark = if transition.is_warning() { "!" } else { "" };
        format!("{mark}{}={}/{}", transition.about, transition.holds, transition.reason)
    };
    transitions(before, after).into_iter().map(words).collect()
}

fn ready_status() -> KVTenantStatus {
    pass(&tenant(false), Standing::Applied, nodes(set(1, 1)), None, 100)
}

/// K10, K64: the whole way of a first start, as `kubectl get -w` shows it.
#[test]
fn a_first_start_goes_from_pending_over_forming_to_ready() {
    let tenant = tenant(false);
    let pending = pass(&tenant, Standing::Applied, nodes(set(0, 0)), None, 1);
    let forming = pass(&tenant, Standing::Applied, nodes(set(1, 0)), Some(&pending), 2);
    let ready = pass(&tenant, Standing::Applied, nodes(set(1, 1)), Some(&forming), 3);
    assert_eq!([&pending, &forming, &ready].map(phase), [Phase::Pending, Phase::Forming, Phase::Ready]);
    assert_eq!(
        conditions(&ready),
        [
            "Ready=True/NodesReady",
            "Progressing=False/Settled",
            "Degraded=False/Healthy",
            "Reconciling=False/Settled",
            "Stalled=False/Proceeding",
        ]
    );
    assert_eq!(told(None, &pending), ["Progressing=true/RollingOut", "Reconciling=true/RollingOut"]);
    assert!(told(Some(&pending), &forming).is_empty(), "the same news twice is noise");
    assert_eq!(
        told(Some(&forming), &ready),
        ["Ready=true/NodesReady", "Progressing=false/Settled", "Reconciling=false/Settled"]
    );
}

#[test]
fn the_figures_say_what_the_spec_came_to() {
    let status = ready_status();
    let summary = status.summary.expect("a summary");
    assert_eq!((summary.ready.as_str(), summary.memory.as_str()), ("1/1", "512Mi"));
    assert_eq!((status.replicas, status.ready_replicas, status.observed_generation), (1, 1, Some(1)));
    assert_eq!(status.endpoint.as_deref(), Some("http://analytics.shop.svc/analytics"));
    let derived = status.derived.expect("derived figures");
    assert_eq!((derived.cpu_request.as_str(), derived.cpu_limit.as_str()), ("250m", "1"));
    assert_eq!(derived.data_limit, 429_496_728);
}

/// A condition that keeps its status keeps its time, else "ready since" would say "since the last pass".
#[test]
fn a_condition_remembers_since_when_it_holds() {
    let first = ready_status();
    let again = pass(&tenant(false), Standing::Applied, nodes(set(1, 1)), Some(&first), 200);
    assert_eq!(first, again, "a second pass over the same world is the same status");
    let lost = pass(&tenant(false), Standing::Applied, nodes(set(1, 0)), Some(&first), 300);
    let times: Vec<i64> =
        lost.conditions.iter().map(|condition| condition.last_transition_time.0.as_second()).collect();
    assert_eq!(times, [300, 100, 300, 300, 100]);
}

/// A set whose controller has not yet read the newest spec says nothing about it: Ready would be a lie.
#[test]
fn a_change_under_way_is_progress_and_not_ready() {
    let before = ready_status();
    let unseen = StatefulSetSeen { generation: 2, ..set(1, 1) };
    let half = StatefulSetSeen { revisions_agree: false, ..set(1, 1) };
    let old_pod = StatefulSetSeen { updated: 0, ..set(1, 1) };
    for seen in [unseen, half, old_pod] {
        let status = pass(&tenant(false), Standing::Applied, nodes(seen), Some(&before), 200);
        assert_eq!(phase(&status), Phase::Progressing);
        assert_eq!(conditions(&status)[..2], ["Ready=False/RollingOut", "Progressing=True/RollingOut"]);
    }
}

/// G6: a mistyped image names pod and reason where people look first.
#[test]
fn a_failing_pod_is_named_with_its_reason() {
    let status = pass(&tenant(false), Standing::Applied, failing("ImagePullBackOff"), None, 1);
    assert_eq!(phase(&status), Phase::Degraded);
    assert_eq!(conditions(&status)[0], "Ready=False/PodFailing");
    assert_eq!(status.conditions[0].message, "pod analytics-0 cannot run: ImagePullBackOff: image kvnode:9");
    assert!(told(None, &status).contains(&"!Degraded=true/PodFailing".to_owned()));
}

/// A pod that is on its way out may fail as it likes.
#[test]
fn a_pod_that_is_going_or_ready_does_not_count_as_failing() {
    for (ready, going) in [(false, true), (true, false)] {
        let mut seen = failing("CrashLoopBackOff");
        (seen.pods[0].ready, seen.pods[0].going) = (ready, going);
        assert_eq!(phase(&pass(&tenant(false), Standing::Applied, seen, None, 1)), Phase::Forming);
    }
}

#[test]
fn a_node_that_served_and_is_gone_is_a_loss() {
    let lost = pass(&tenant(false), Standing::Applied, nodes(set(1, 0)), Some(&ready_status()), 200);
    assert_eq!(phase(&lost), Phase::Degraded);
    assert_eq!(told(Some(&ready_status()), &lost)[1], "!Degraded=true/NodesNotReady");
    let back = pass(&tenant(false), Standing::Applied, nodes(set(1, 1)), Some(&lost), 300);
    assert_eq!(phase(&back), Phase::Ready);
}

/// What was in memory is gone, and a person is told so once.
#[test]
fn suspending_warns_that_data_are_gone_and_resuming_is_no_loss() {
    let ready = ready_status();
    let suspended = pass(&tenant(true), Standing::Applied, nodes(set(0, 0)), Some(&ready), 200);
    assert_eq!(phase(&suspended), Phase::Suspended);
    assert_eq!(told(Some(&ready), &suspended)[0], "!Ready=false/Suspended");
    assert!(suspended.conditions[0].message.contains("memory is gone"));
    let again = pass(&tenant(true), Standing::Applied, nodes(set(0, 0)), Some(&suspended), 300);
    assert!(told(Some(&suspended), &again).is_empty());
    let resumed = pass(&tenant(false), Standing::Applied, nodes(set(1, 0)), Some(&again), 400);
    assert_eq!(phase(&resumed), Phase::Progressing, "a node that starts after a pause was not lost");
}

/// While nodes of a suspended tenant end, kstatus must say that something is still moving.
#[test]
fn a_tenant_is_suspended_at_once_and_settled_when_its_nodes_are_gone() {
    let ending = pass(&tenant(true), Standing::Applied, nodes(set(1, 1)), Some(&ready_status()), 200);
    assert_eq!(phase(&ending), Phase::Suspended);
    assert_eq!(conditions(&ending)[3], "Reconciling=True/Suspended");
}

/// Stalled outranks everything but deletion, and its message is the sentence that helps.
#[test]
fn what_needs_a_person_outranks_what_passes_by_itself() {
    let standing =
        || Standing::Stalled { reason: Reason::NameTaken, message: "the name is taken; rename it".to_owned() };
    let stalled = pass(&tenant(false), standing(), failing("CrashLoopBackOff"), Some(&ready_status()), 200);
    assert_eq!(phase(&stalled), Phase::Stalled);
    assert_eq!(conditions(&stalled)[4], "Stalled=True/NameTaken");
    assert_eq!(stalled.conditions[4].message, "the name is taken; rename it");
    assert!(told(Some(&ready_status()), &stalled).contains(&"!Stalled=true/NameTaken".to_owned()));
    let deleting = pass(&tenant(false), Standing::Deleting, failing("CrashLoopBackOff"), Some(&stalled), 300);
    assert_eq!(phase(&deleting), Phase::Deleting);
    assert_eq!(
        told(
            Some(&ready_status()),
            &pass(&tenant(false), Standing::Deleting, nodes(set(1, 1)), Some(&ready_status()), 300)
        ),
        ["Ready=false/Deleting"],
        "that a tenant on its way out is neither degraded nor stalled is no news"
    );
}

/// The nodes serve on while an object cannot be written; saying otherwise would wake people for nothing.
#[test]
fn a_refused_object_shows_in_reconciling_and_leaves_ready_alone() {
    let failed = Standing::Failed("Service analytics was refused: quota exceeded".to_owned());
    let status = pass(&tenant(false), failed, nodes(set(1, 1)), Some(&ready_status()), 200);
    assert_eq!(phase(&status), Phase::Ready);
    assert_eq!(conditions(&status)[0], "Ready=True/NodesReady");
    assert_eq!(told(Some(&ready_status()), &status), ["!Reconciling=true/ApplyFailed"]);
}

/// A spec that broke its rules later keeps showing what runs, and reads the reason as its status.
#[test]
fn an_invalid_spec_keeps_the_figures_of_what_runs() {
    let before = ready_status();
    let message = "replicas must be 1: one node per tenant until clustering is there";
    let status = report(&Report {
        name: "analytics",
        namespace: "shop",
        generation: Some(2),
        tenant: None,
        derived: None,
        standing: Standing::Stalled { reason: Reason::InvalidSpec, message: message.to_owned() },
        nodes: nodes(set(1, 1)),
        previous: Some(&before),
        now: at(200),
    });
    assert_eq!(status.derived, before.derived);
    assert_eq!(status.summary.as_ref().map(|summary| summary.ready.as_str()), Some("1/1"));
    assert_eq!(status.conditions[4].message, message);
    assert!(status.formed);
}
