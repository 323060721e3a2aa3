//! The decision: given a valid tenant and what exists, what is to be done. It only says; doing it, and not doing what
//! is done already, is the operator's part. "Not ready yet" is an action too (`Wait`), never an error.

use std::fmt;

use kvtenant_api::Derived;

use crate::children::{Child, ChildKind, Children, SecretBlueprint};
use crate::image::ImageRef;
use crate::observed::{Held, Holder, Observed};
use crate::validate::ValidTenant;

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub actions: Vec<Action>,
    /// What the spec came to, for the status.
    pub derived: Derived,
}

/// One step. The list is closed: whoever carries plans out has to answer for every kind of step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Make the Secret with fresh random content. Never sent for one that exists.
    Generate(SecretBlueprint),
    /// Bring the object to this form. `uid` is the incarnation meant; none: it does not exist yet.
    Apply { child: Child, uid: Option<String> },
    /// Remove this incarnation of an object that is ours and no longer wanted.
    Delete { kind: ChildKind, name: String, uid: String },
    /// Something has to happen first that the operator cannot do; watches will tell.
    Wait(Waiting),
    /// A name belongs to somebody else. Comes alone: a tenant is not built by halves.
    Refuse(NameTaken),
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The garbage collector removes what a deleted KVTenant of this name left behind.
    PredecessorGone { kind: ChildKind, name: String },
    /// Our own object is being deleted and can be made again only when it is gone.
    ChildGone { kind: ChildKind, name: String },
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PredecessorGone { kind, name } => {
                write!(f, "{kind} {name} of a deleted KVTenant of the same name is still being removed")
            }
            Self::ChildGone { kind, name } => {
                write!(f, "{kind} {name} is being deleted and will be made again once it is gone")
            }
        }
    }
}

/// Whose object stands where a child should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of {kind} {name} is taken by {holder}; delete or rename that object, or give the KVTenant another name"
)]
pub struct NameTaken {
    pub kind: ChildKind,
    pub name: String,
    pub holder: String,
}

/// Says what to do.
pub fn plan(tenant: &ValidTenant, observed: &Observed) -> Plan {
    let pinned = pinned_image(tenant, observed);
    let image = ImageRef::fill(tenant.image.repository.as_deref(), tenant.image.tag.as_deref(), &pinned);
    let derived = derived(tenant, &image, &pinned);
    if tenant.deleting {
        // The garbage collector removes the children; one made now could outlive it all.
        return Plan { actions: Vec::new(), derived };
    }
    let wanted = Children::of(tenant, &image, &pinned).into_list();
    let actions = blocked(&wanted, observed).map_or_else(|| actions(wanted, observed), |action| vec![action]);
    Plan { actions, derived }
}

/// The operator's image at the tenant's creation, unless the tenant follows the operator.
fn pinned_image(tenant: &ValidTenant, observed: &Observed) -> ImageRef {
    if tenant.image.follow_operator {
        return observed.operator_image.clone();
    }
    let pinned = tenant.image.pinned.as_ref().or(observed.pinned_image.as_ref());
    pinned.unwrap_or(&observed.operator_image).clone()
}

fn derived(tenant: &ValidTenant, image: &ImageRef, pinned: &ImageRef) -> Derived {
    Derived {
        tenant: tenant.tenant.to_string(),
        image: image.to_string(),
        pinned_image: pinned.to_string(),
        cpu_request: tenant.sizes.cpu_request().0,
        cpu_limit: tenant.sizes.cpu_limit().0,
        memory: tenant.sizes.memory.to_string(),
        data_limit: i64::try_from(tenant.sizes.data_limit_bytes).unwrap_or(i64::MAX),
    }
}

/// A name somebody else holds stops everything; one that a predecessor holds stops everything for a while.
fn blocked(wanted: &[Child], observed: &Observed) -> Option<Action> {
    let holders = || wanted.iter().filter_map(|child| held(observed, child.kind(), child.name()));
    let taken = holders().find_map(|held| match &held.holder {
        Holder::Stranger(holder) => {
            Some(Action::Refuse(NameTaken { kind: held.kind, name: held.name.clone(), holder: holder.clone() }))
        }
        Holder::Us | Holder::Predecessor => None,
    });
    taken.or_else(|| {
        holders()
            .find(|held| held.holder == Holder::Predecessor)
            .map(|held| Action::Wait(Waiting::PredecessorGone { kind: held.kind, name: held.name.clone() }))
    })
}

fn actions(wanted: Vec<Child>, observed: &Observed) -> Vec<Action> {
    let orphans: Vec<Action> = observed
        .held
        .iter()
        .filter(|held| held.holder == Holder::Us && !held.going)
        .filter(|held| !wanted.iter().any(|child| child.kind() == held.kind && child.name() == held.name))
        .map(|held| Action::Delete { kind: held.kind, name: held.name.clone(), uid: held.uid.clone() })
        .collect();
    let steps = wanted.into_iter().map(|child| step(child, observed));
    steps.chain(orphans).collect()
}

fn step(child: Child, observed: &Observed) -> Action {
    let existing = held(observed, child.kind(), child.name());
    match (existing, child) {
        (Some(held), _) if held.going => Action::Wait(Waiting::ChildGone { kind: held.kind, name: held.name.clone() }),
        (None, Child::Secret(blueprint)) => Action::Generate(blueprint),
        (existing, child) => Action::Apply { child, uid: existing.map(|held| held.uid.clone()) },
    }
}

fn held<'a>(observed: &'a Observed, kind: ChildKind, name: &str) -> Option<&'a Held> {
    observed.held.iter().find(|held| held.kind == kind && held.name == name)
}
