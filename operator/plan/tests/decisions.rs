//! What is done in which world. Each test names the damage a wrong decision would do.

use kvtenant_api::{KVTenant, KVTenantSpec};
use kvtenant_plan::children::{Child, ChildKind};
use kvtenant_plan::{Action, Held, Holder, ImageRef, NameTaken, Observed, Plan, Waiting, plan, validate};

const CHILDREN: [(ChildKind, &str); 6] = [
    (ChildKind::ServiceAccount, "analytics"),
    (ChildKind::Secret, "analytics-api-key"),
    (ChildKind::ConfigMap, "analytics"),
    (ChildKind::Service, "analytics"),
    (ChildKind::Service, "analytics-headless"),
    (ChildKind::StatefulSet, "analytics"),
];

fn image(text: &str) -> ImageRef {
    text.parse().expect("an image")
}

fn tenant() -> KVTenant {
    let mut tenant = KVTenant::new("analytics", KVTenantSpec::default());
    tenant.metadata.namespace = Some("shop".to_owned());
    tenant.metadata.uid = Some("uid-1".to_owned());
    tenant
}

fn nothing() -> Observed {
    Observed { operator_image: image("kvnode:1"), pinned_image: None, held: Vec::new() }
}

fn held(kind: ChildKind, name: &str, holder: Holder) -> Held {
    Held { kind, name: name.to_owned(), uid: format!("uid-of-{kind}-{name}"), holder, going: false }
}

/// All children exist and are ours.
fn everything() -> Observed {
    Observed { held: CHILDREN.iter().map(|(kind, name)| held(*kind, name, Holder::Us)).collect(), ..nothing() }
}

fn decide(tenant: &KVTenant, observed: &Observed) -> Plan {
    plan(&validate(tenant).expect("the fixture is valid"), observed)
}

/// A plan in short: what is done to which child, and to which incarnation of it.
fn steps(plan: &Plan) -> Vec<String> {
    let step = |action: &Action| match action {
        Action::Generate(blueprint) => {
            format!("generate Secret/{}", blueprint.frame().metadata.name.as_deref().unwrap_or_default())
        }
        Action::Apply { child, uid } => {
            format!("apply {}/{} {}", child.kind(), child.name(), uid.as_deref().unwrap_or("new"))
        }
        Action::Delete { kind, name, uid } => format!("delete {kind}/{name} {uid}"),
        Action::Wait(waiting) => format!("wait {waiting:?}"),
        Action::Refuse(taken) => format!("refuse {}/{}", taken.kind, taken.name),
    };
    plan.actions.iter().map(step).collect()
}

/// K55. Pods come last: made before their account or Secret they would fail and back off.
#[test]
fn a_new_tenant_gets_all_its_objects_and_pods_last() {
    assert_eq!(
        steps(&decide(&tenant(), &nothing())),
        [
            "apply ServiceAccount/analytics new",
            "generate Secret/analytics-api-key",
            "apply ConfigMap/analytics new",
            "apply Service/analytics new",
            "apply Service/analytics-headless new",
            "apply StatefulSet/analytics new",
        ]
    );
}

/// G2, F41. A key generated twice locks out everybody who holds the first; an apply without a uid could land on an
/// object of another incarnation.
#[test]
fn what_exists_is_applied_by_uid_and_the_key_is_never_generated_again() {
    let steps = steps(&decide(&tenant(), &everything()));
    let expected: Vec<String> =
        CHILDREN.iter().map(|(kind, name)| format!("apply {kind}/{name} uid-of-{kind}-{name}")).collect();
    assert_eq!(steps, expected);
}

/// The frame of the Secret says nothing about data, so keeping its labels can never touch the key.
#[test]
fn the_secret_is_kept_without_naming_its_data() {
    for action in decide(&tenant(), &everything()).actions {
        if let Action::Apply { child: child @ Child::Secret(_), .. } = action {
            let json = child.to_json();
            assert!(json.get("data").is_none() && json.get("stringData").is_none(), "{json}");
            return;
        }
    }
    panic!("the Secret is not in the plan");
}

/// A stranger's object under a child's name is nobody's to take; and half a tenant helps no one.
#[test]
fn a_name_held_by_a_stranger_stops_everything() {
    for (kind, name) in CHILDREN {
        let mut observed = nothing();
        observed.held.push(held(kind, name, Holder::Stranger("an object of Deployment web".to_owned())));
        let holder = "an object of Deployment web".to_owned();
        assert_eq!(
            decide(&tenant(), &observed).actions,
            [Action::Refuse(NameTaken { kind, name: name.to_owned(), holder })]
        );
    }
}

/// Deleting and making a tenant again at once must not fight the garbage collector, nor end in a taken name.
#[test]
fn what_a_predecessor_left_is_waited_for() {
    let mut observed = nothing();
    observed.held.push(held(ChildKind::StatefulSet, "analytics", Holder::Predecessor));
    let waiting = Waiting::PredecessorGone { kind: ChildKind::StatefulSet, name: "analytics".to_owned() };
    assert_eq!(decide(&tenant(), &observed).actions, [Action::Wait(waiting)]);
}

/// A stranger outranks a predecessor: waiting would hide what only a person can change.
#[test]
fn a_stranger_is_reported_even_while_a_predecessor_goes() {
    let mut observed = nothing();
    observed.held.push(held(ChildKind::ServiceAccount, "analytics", Holder::Predecessor));
    observed.held.push(held(ChildKind::StatefulSet, "analytics", Holder::Stranger("nobody's object".to_owned())));
    assert_eq!(steps(&decide(&tenant(), &observed)), ["refuse StatefulSet/analytics"]);
}

/// An object that is being deleted cannot be brought back; the others need not wait for it.
#[test]
fn a_child_that_is_going_is_waited_for_alone() {
    let mut observed = everything();
    observed.held[3].going = true;
    let steps = steps(&decide(&tenant(), &observed));
    assert!(steps[3].starts_with("wait ChildGone"), "{steps:?}");
    assert_eq!(steps.iter().filter(|step| step.starts_with("apply")).count(), 5);
}

/// G2, G8. Only what is ours, of this incarnation, and no longer wanted may go.
#[test]
fn the_sweep_takes_ours_and_nothing_else() {
    let mut observed = everything();
    observed.held.push(held(ChildKind::ConfigMap, "analytics-old", Holder::Us));
    observed.held.push(held(ChildKind::ConfigMap, "analytics-theirs", Holder::Stranger("nobody's object".to_owned())));
    observed.held.push(held(ChildKind::ConfigMap, "analytics-before", Holder::Predecessor));
    observed.held.push(Held { going: true, ..held(ChildKind::Service, "analytics-going", Holder::Us) });
    let deletes: Vec<String> = steps(&decide(&tenant(), &observed)).split_off(CHILDREN.len());
    assert_eq!(deletes, ["delete ConfigMap/analytics-old uid-of-ConfigMap-analytics-old"]);
}

/// G11. What is made after a deletion began would be left over.
#[test]
fn nothing_is_done_for_a_tenant_that_is_being_deleted() {
    let mut tenant = tenant();
    tenant.metadata.deletion_timestamp = serde_json::from_str("\"2026-01-01T00:00:00Z\"").expect("a time");
    assert_eq!(decide(&tenant, &nothing()).actions, []);
    assert_eq!(decide(&tenant, &everything()).actions, []);
}

/// G12. Each row: what the user wrote, what was pinned in the status, what on the StatefulSet, what runs, what is
/// pinned from now on. The operator brings kvnode:1.
#[test]
fn the_image_is_pinned_at_creation_until_the_user_says_otherwise() {
    let rows = [
        ("", "", None, None, "kvnode:1", "kvnode:1"),
        ("", "", Some("kvnode:0"), None, "kvnode:0", "kvnode:0"),
        ("", "", None, Some("kvnode:0"), "kvnode:0", "kvnode:0"),
        ("", "", Some("kvnode:0"), Some("kvnode:00"), "kvnode:0", "kvnode:0"),
        ("mirror/kvnode", "", Some("kvnode:0"), None, "mirror/kvnode:0", "kvnode:0"),
        ("", "7", Some("kvnode:0"), None, "kvnode:7", "kvnode:0"),
        ("mirror/kvnode", "7", None, None, "mirror/kvnode:7", "kvnode:1"),
        ("", "", Some("unreadable"), None, "kvnode:1", "kvnode:1"),
    ];
    for (repository, tag, in_status, on_set, runs, pinned) in rows {
        let mut tenant = tenant();
        tenant.spec.image.repository = repository.to_owned();
        tenant.spec.image.tag = tag.to_owned();
        let mut first = decide(&tenant, &nothing()).derived;
        tenant.status = in_status.map(|pin| {
            pin.clone_into(&mut first.pinned_image);
            kvtenant_api::KVTenantStatus { derived: Some(first), ..Default::default() }
        });
        let observed = Observed { pinned_image: on_set.map(image), ..nothing() };
        let derived = decide(&tenant, &observed).derived;
        assert_eq!((derived.image.as_str(), derived.pinned_image.as_str()), (runs, pinned), "{repository:?} {tag:?}");
    }
}

/// The annotation lets a tenant follow the operator, and moves the pin with it.
#[test]
fn an_upgraded_tenant_follows_the_operators_image() {
    let mut tenant = tenant();
    tenant.metadata.annotations = Some([("kvtenant.io/upgrade".to_owned(), "true".to_owned())].into());
    let observed = Observed { pinned_image: Some(image("kvnode:0")), ..nothing() };
    let derived = decide(&tenant, &observed).derived;
    assert_eq!((derived.image.as_str(), derived.pinned_image.as_str()), ("kvnode:1", "kvnode:1"));
}

/// C101: objects of two tenants with one name in two namespaces have nothing in common but the name.
#[test]
fn every_object_stands_in_its_tenants_namespace() {
    for action in decide(&tenant(), &everything()).actions {
        let Action::Apply { child, .. } = action else { continue };
        assert_eq!(child.to_json()["metadata"]["namespace"], "shop", "{child:?}");
    }
}

/// G4 rests on this: one intent, one fingerprint; another intent, another fingerprint.
#[test]
fn a_fingerprint_changes_with_the_intent_and_only_with_it() {
    let prints = |tenant: &KVTenant| -> Vec<String> {
        let actions = decide(tenant, &everything()).actions;
        actions
            .iter()
            .filter_map(|action| match action {
                Action::Apply { child, .. } => Some(child.fingerprint()),
                _ => None,
            })
            .collect()
    };
    let before = prints(&tenant());
    assert_eq!(before, prints(&tenant()));
    let mut larger = tenant();
    larger.spec.memory = "1Gi".to_owned();
    let changed: Vec<bool> = before.iter().zip(prints(&larger)).map(|(old, new)| *old != new).collect();
    assert_eq!(changed, [false, false, false, false, false, true], "only the StatefulSet knows the memory");
}
