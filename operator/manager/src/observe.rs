//! Gathers what exists. Nearly all of it comes from the caches, for nothing; a child the caches do not show is looked
//! up by name, because the caches show only objects with our label, and an object of a stranger has none.

use std::collections::HashMap;

use kvtenant_api::KVTenant;
use kvtenant_plan::children::{ChildKind, names};
use kvtenant_plan::status::NodesSeen;
use kvtenant_plan::{Held, Holder, Observed};

use crate::answer::words;
use crate::context::{Context, REQUEST_TIMEOUT};
use crate::ledger::ChildKey;
use crate::watch::{ChildSeen, TenantKey, Version};

/// Why the world could not be seen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ObserveError {
    #[error("{kind} {name} could not be looked up: {}", words(source))]
    LookupFailed { kind: ChildKind, name: String, source: Box<kube::Error> },
    #[error("the API server did not say within {} s whether {kind} {name} exists", REQUEST_TIMEOUT.as_secs())]
    LookupTimedOut { kind: ChildKind, name: String },
}

impl ObserveError {
    /// The variant's name: reason of the Event and label of the metric.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::LookupFailed { .. } => "LookupFailed",
            Self::LookupTimedOut { .. } => "LookupTimedOut",
        }
    }
}

/// What exists for one tenant.
#[derive(Debug)]
pub(crate) struct Observation {
    /// For the plan.
    pub(crate) observed: Observed,
    /// For the ledger.
    pub(crate) versions: HashMap<ChildKey, Version>,
    /// For the status.
    pub(crate) nodes: NodesSeen,
}

pub(crate) async fn observe(
    context: &Context,
    tenant: &KVTenant,
    key: &TenantKey,
) -> Result<Observation, ObserveError> {
    let mut children: Vec<(ChildKey, ChildSeen)> = Vec::new();
    for kind in ChildKind::ALL {
        let cached = context.caches.children(kind, key);
        children.extend(cached.into_iter().map(|(name, seen)| ((kind, name), seen)));
    }
    // Nothing is made for a tenant that goes, so there are no names to look up.
    if tenant.metadata.deletion_timestamp.is_none() {
        for child in names(&key.name) {
            if !children.iter().any(|(known, _)| *known == child) {
                let found = look_up(context, &child, key).await?;
                children.extend(found.map(|seen| (child, seen)));
            }
        }
    }
    Ok(observation(context, tenant, key, &children))
}

fn observation(
    context: &Context,
    tenant: &KVTenant,
    key: &TenantKey,
    children: &[(ChildKey, ChildSeen)],
) -> Observation {
    let uid = tenant.metadata.uid.as_deref().unwrap_or_default();
    let held = |((kind, name), seen): &(ChildKey, ChildSeen)| Held {
        kind: *kind,
        name: name.clone(),
        uid: seen.uid.clone(),
        holder: Holder::of_owners(&seen.owners, &key.name, uid),
        going: seen.going,
    };
    let set = children
        .iter()
        .find(|((kind, name), _)| *kind == ChildKind::StatefulSet && *name == key.name)
        .filter(|(_, seen)| Holder::of_owners(&seen.owners, &key.name, uid) == Holder::Us)
        .and_then(|(_, seen)| seen.set.clone());
    Observation {
        observed: Observed {
            operator_image: context.image.clone(),
            pinned_image: set.as_ref().and_then(|set| set.pinned_image.as_deref()?.parse().ok()),
            held: children.iter().map(held).collect(),
        },
        versions: children.iter().map(|(child, seen)| (child.clone(), seen.version.clone())).collect(),
        nodes: NodesSeen { stateful_set: set.map(|set| set.figures), pods: context.caches.pods(key) },
    }
}

/// Asks the API server itself.
async fn look_up(context: &Context, child: &ChildKey, key: &TenantKey) -> Result<Option<ChildSeen>, ObserveError> {
    let (kind, name) = child;
    let api = context.objects(*kind, &key.namespace);
    let answer = tokio::time::timeout(REQUEST_TIMEOUT, api.get_metadata_opt(name)).await;
    let found = answer
        .map_err(|_| ObserveError::LookupTimedOut { kind: *kind, name: name.clone() })?
        .map_err(|source| ObserveError::LookupFailed { kind: *kind, name: name.clone(), source: Box::new(source) })?;
    Ok(found.map(|object| ChildSeen::of(&object.metadata)))
}
