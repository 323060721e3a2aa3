//! One pass over one tenant: observe, validate, plan, apply, status. Only the first and the last two touch the
//! network. A pass changes nothing when nothing has to change, and may be cut off anywhere: the next one starts over.

use std::time::Duration;

use kube::ResourceExt;
use kube::runtime::controller::Action;
use kvtenant_api::{KVTenant, Reason};
use kvtenant_plan::status::Standing;
use kvtenant_plan::{InvalidTenant, ValidTenant, plan, validate};

use crate::apply::{ApplyError, apply};
use crate::clock::Stopwatch;
use crate::context::Context;
use crate::metrics::Outcome;
use crate::observe::{Observation, ObserveError, observe};
use crate::random;
use crate::status::{Findings, StatusError, standing, update};
use crate::watch::TenantKey;

/// A settled tenant is looked at this often even if no watch speaks: should an event ever have been missed, this is
/// when it is found.
const RESYNC: Duration = Duration::from_secs(3_600);

/// A name held by a stranger, or by an object that lost its labels, becomes free without our watches seeing it, since
/// they see only our own objects.
const RECHECK: Duration = Duration::from_secs(30);

/// So many failures in a row are worth a condition, even of a kind that usually passes by itself.
const FAILURES_TOLD: u32 = 3;

/// Why a pass did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReconcileError {
    #[error(transparent)]
    Observe(#[from] ObserveError),
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error(transparent)]
    Status(#[from] StatusError),
}

impl ReconcileError {
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Observe(error) => error.reason(),
            Self::Apply(error) => error.reason(),
            Self::Status(error) => error.reason(),
        }
    }
}

/// The key of a tenant.
pub(crate) fn key(tenant: &KVTenant) -> TenantKey {
    TenantKey::new(&tenant.namespace().unwrap_or_default(), &tenant.name_any())
}

/// One pass, counted and timed.
pub(crate) async fn reconcile(context: &Context, tenant: &KVTenant) -> Result<Action, ReconcileError> {
    context.caches.unlisted.wait().await;
    let key = key(tenant);
    tracing::debug!("a pass begins");
    // Boxed: the future of a whole pass is too large to be copied from hand to hand.
    match Box::pin(pass(context, tenant, &key)).await {
        Ok(outcome) => {
            context.backoff.forget(&key);
            context.metrics.reconciled(outcome);
            let next = if outcome == Outcome::Done { RESYNC } else { RECHECK };
            Ok(Action::requeue(random::jittered(next)))
        }
        Err(error) => {
            context.metrics.reconciled(Outcome::Failed);
            context.metrics.failed(error.reason());
            Err(error)
        }
    }
}

async fn pass(context: &Context, tenant: &KVTenant, key: &TenantKey) -> Result<Outcome, ReconcileError> {
    let observation = timed(context, "observe", observe(context, tenant, key)).await?;
    match validate(tenant) {
        Ok(valid) => carry_out(context, tenant, &valid, key, observation).await,
        Err(invalid) => refuse(context, tenant, &invalid, observation).await,
    }
}

async fn carry_out(
    context: &Context,
    tenant: &KVTenant,
    valid: &ValidTenant,
    key: &TenantKey,
    observation: Observation,
) -> Result<Outcome, ReconcileError> {
    let plan = plan(valid, &observation.observed);
    let derived = Some(plan.derived.clone());
    let applied = timed(context, "apply", apply(context, key, &valid.uid, plan, &observation)).await;
    let mut nodes = observation.nodes;
    let standing = match &applied {
        Ok(applied) => {
            // What the API server just answered is newer than the cache, which may still call an old set settled.
            nodes.stateful_set = applied.stateful_set.clone().or(nodes.stateful_set);
            context.events.tell_applied(tenant, applied).await;
            standing(valid, applied)
        }
        Err(error) => Standing::Failed(error.to_string()),
    };
    let outcome = match &standing {
        Standing::Stalled { .. } => Outcome::Stalled,
        Standing::Waiting { .. } => Outcome::Waiting,
        Standing::Failed(_) => Outcome::Failed,
        Standing::Applied | Standing::Deleting => Outcome::Done,
    };
    let findings = Findings { tenant: Some(valid), derived, standing, nodes };
    match applied {
        Ok(_) => {
            timed(context, "status", update(context, tenant, findings)).await?;
            Ok(outcome)
        }
        // Nothing can be made there any more, and nobody reads a status that vanishes with its namespace.
        Err(ApplyError::NamespaceGoing { .. }) => Ok(Outcome::Waiting),
        Err(error) => {
            let failures = context.backoff.failed(key);
            // A conflict or a blink of the network passes by itself and is no news.
            if matches!(error, ApplyError::Refused { .. }) || failures >= FAILURES_TOLD {
                timed(context, "status", update(context, tenant, findings)).await?;
            }
            Err(error.into())
        }
    }
}

/// A spec that breaks a rule: what runs is left alone, and the status says which rule.
async fn refuse(
    context: &Context,
    tenant: &KVTenant,
    invalid: &InvalidTenant,
    observation: Observation,
) -> Result<Outcome, ReconcileError> {
    let standing = if tenant.metadata.deletion_timestamp.is_some() {
        Standing::Deleting
    } else {
        Standing::Stalled { reason: Reason::InvalidSpec, message: invalid.to_string() }
    };
    let findings = Findings { tenant: None, derived: None, standing, nodes: observation.nodes };
    timed(context, "status", update(context, tenant, findings)).await?;
    Ok(Outcome::Stalled)
}

async fn timed<T>(context: &Context, stage: &'static str, work: impl Future<Output = T>) -> T {
    let watch = Stopwatch::start();
    let result = work.await;
    context.metrics.stage_took(stage, watch.elapsed());
    result
}
