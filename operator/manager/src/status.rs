//! Writes the status, when it says something new, and tells of every transition. It is computed in kvtenant-plan; what
//! can be claimed to have been applied comes as an `Applied`, which only `apply` can make.

use kube::ResourceExt;
use kube::api::{Api, Patch, PatchParams};
use kvtenant_api::names::STATUS_MANAGER;
use kvtenant_api::{Derived, KVTenant, KVTenantStatus, Reason};
use kvtenant_plan::status::{NodesSeen, Report, Standing, report, transitions};
use kvtenant_plan::{ValidTenant, Waiting};
use serde_json::json;

use crate::answer::words;
use crate::apply::Applied;
use crate::clock;
use crate::context::{Context, REQUEST_TIMEOUT};

/// Why a status could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StatusError {
    #[error("the status could not be written: {}", words(.0))]
    StatusNotWritten(Box<kube::Error>),
    #[error("the status could not be written: the API server did not answer within {} s", REQUEST_TIMEOUT.as_secs())]
    StatusTimedOut,
}

impl StatusError {
    /// The variant's name: label of the metric.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::StatusNotWritten(_) => "StatusNotWritten",
            Self::StatusTimedOut => "StatusTimedOut",
        }
    }
}

/// What a pass found out.
#[derive(Debug)]
pub(crate) struct Findings<'a> {
    /// None when the spec breaks a rule.
    pub(crate) tenant: Option<&'a ValidTenant>,
    pub(crate) derived: Option<Derived>,
    pub(crate) standing: Standing,
    pub(crate) nodes: NodesSeen,
}

/// How a tenant stands whose plan was carried out.
pub(crate) fn standing(tenant: &ValidTenant, applied: &Applied) -> Standing {
    if tenant.deleting {
        return Standing::Deleting;
    }
    if let Some(taken) = &applied.refused {
        return Standing::Stalled { reason: Reason::NameTaken, message: taken.to_string() };
    }
    match &applied.waiting {
        None => Standing::Applied,
        Some(waiting) => {
            let reason = match waiting {
                Waiting::PredecessorGone { .. } => Reason::WaitingForPredecessor,
                Waiting::ChildGone { .. } => Reason::WaitingForDeletion,
            };
            Standing::Waiting { reason, message: waiting.to_string() }
        }
    }
}

/// Computes the status, writes it when it differs from the freshest known, and then tells what changed.
pub(crate) async fn update(context: &Context, tenant: &KVTenant, findings: Findings<'_>) -> Result<(), StatusError> {
    let uid = tenant.metadata.uid.as_deref().unwrap_or_default();
    let resource_version = tenant.metadata.resource_version.as_deref();
    let previous = context.ledger.freshest_status(uid, tenant.status.as_ref(), resource_version);
    let (name, namespace) = (tenant.name_any(), tenant.namespace().unwrap_or_default());
    let status = report(&Report {
        name: &name,
        namespace: &namespace,
        generation: tenant.metadata.generation,
        tenant: findings.tenant,
        derived: findings.derived,
        standing: findings.standing,
        nodes: findings.nodes,
        previous: previous.as_ref(),
        now: clock::now(),
    });
    if previous.as_ref() == Some(&status) {
        return Ok(());
    }
    if !write(context, &namespace, &name, uid, &status).await? {
        return Ok(());
    }
    context.ledger.reported(uid, status.clone(), resource_version);
    for transition in transitions(previous.as_ref(), &status) {
        context.events.tell_transition(tenant, &transition).await;
    }
    Ok(())
}

/// Writes; false when there is nothing to write on any more.
async fn write(
    context: &Context,
    namespace: &str,
    name: &str,
    uid: &str,
    status: &KVTenantStatus,
) -> Result<bool, StatusError> {
    // The uid is a precondition: the status of one incarnation must not land on the next.
    let body = json!({
        "apiVersion": <KVTenant as kube::Resource>::api_version(&()),
        "kind": <KVTenant as kube::Resource>::kind(&()),
        "metadata": {"name": name, "uid": uid},
        "status": status,
    });
    let api: Api<KVTenant> = Api::namespaced(context.client.clone(), namespace);
    let parameters = PatchParams::apply(STATUS_MANAGER).force();
    let patch = Patch::Apply(&body);
    let request = api.patch_status(name, &parameters, &patch);
    match tokio::time::timeout(REQUEST_TIMEOUT, request).await {
        Ok(Ok(_)) => Ok(true),
        // Deleted meanwhile, or deleted and made again: nobody waits for this status.
        Ok(Err(kube::Error::Api(answer))) if answer.code == 404 || answer.code == 409 => Ok(false),
        Ok(Err(error)) => Err(StatusError::StatusNotWritten(Box::new(error))),
        Err(_) => Err(StatusError::StatusTimedOut),
    }
}
