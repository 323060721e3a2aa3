//! Carries a plan out. Server-side apply, by the uid the plan means; nothing is sent that the ledger knows to be as
//! sent. What comes back is proof that it was done: only from it can a status say so.

use k8s_openapi::api::apps::v1::StatefulSet;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use kvtenant_api::names::OPERATOR;
use kvtenant_plan::children::{Child, ChildKind, SecretBlueprint};
use kvtenant_plan::{Action, NameTaken, Plan, StatefulSetSeen, Waiting};

use crate::answer::{is_namespace_going, words};
use crate::context::{Context, REQUEST_TIMEOUT};
use crate::ledger::{ChildKey, Memory, Sent};
use crate::observe::Observation;
use crate::random;
use crate::watch::{TenantKey, Version};

/// Why an object is not as intended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// The API server understood and said no: quota, admission, rights.
    #[error("{kind} {name} was refused: {message}")]
    Refused { kind: ChildKind, name: String, message: String },
    /// The object, or the namespace around it, does not exist any more.
    #[error("{kind} {name} is gone: {message}")]
    Gone { kind: ChildKind, name: String, message: String },
    /// The namespace is being deleted, and this tenant with it.
    #[error("{kind} {name} cannot be made: its namespace is being deleted")]
    NamespaceGoing { kind: ChildKind, name: String },
    /// The object is another one by now; the next pass sees it.
    #[error("{kind} {name} changed meanwhile: {message}")]
    Conflict { kind: ChildKind, name: String, message: String },
    /// The API server could not be asked, or could not answer.
    #[error("{kind} {name} could not be written: {message}")]
    Unavailable { kind: ChildKind, name: String, message: String },
}

impl ApplyError {
    /// The variant's name: reason of the Event and label of the metric.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "Refused",
            Self::Gone { .. } => "Gone",
            Self::NamespaceGoing { .. } => "NamespaceGoing",
            Self::Conflict { .. } => "Conflict",
            Self::Unavailable { .. } => "Unavailable",
        }
    }

    fn of(kind: ChildKind, name: &str, error: &kube::Error) -> Self {
        let name = name.to_owned();
        match error {
            error if is_namespace_going(error) => Self::NamespaceGoing { kind, name },
            kube::Error::Api(status) => {
                let message = words(error);
                match status.code {
                    404 => Self::Gone { kind, name, message },
                    409 => Self::Conflict { kind, name, message },
                    429 | 500.. => Self::Unavailable { kind, name, message },
                    _ => Self::Refused { kind, name, message },
                }
            }
            other => Self::Unavailable { kind, name, message: words(other) },
        }
    }
}

/// What was done. It can be made only here, by having carried the plan out.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Objects that did not exist before, as `Kind name`.
    pub(crate) made: Vec<String>,
    /// Objects that were brought back to their form, or to a new one.
    pub(crate) changed: Vec<String>,
    /// Objects that were removed.
    pub(crate) removed: Vec<String>,
    /// Something else has to happen first.
    pub(crate) waiting: Option<Waiting>,
    /// A name that cannot be had.
    pub(crate) refused: Option<NameTaken>,
    /// The StatefulSet as the API server answered, when it was sent now: newer than any cache.
    pub(crate) stateful_set: Option<StatefulSetSeen>,
    _proof: Proof,
}

#[derive(Debug, Default)]
struct Proof;

/// What every step needs.
struct Applier<'a> {
    context: &'a Context,
    key: &'a TenantKey,
    tenant_uid: &'a str,
    observation: &'a Observation,
}

pub(crate) async fn apply(
    context: &Context,
    key: &TenantKey,
    tenant_uid: &str,
    plan: Plan,
    observation: &Observation,
) -> Result<Applied, ApplyError> {
    let applier = Applier { context, key, tenant_uid, observation };
    let mut applied = Applied::default();
    for action in plan.actions {
        match action {
            Action::Generate(blueprint) => applier.generate(&blueprint, &mut applied).await?,
            Action::Apply { child, uid } => applier.apply(&child, uid, &mut applied).await?,
            Action::Delete { kind, name, uid } => applier.delete(kind, &name, uid, &mut applied).await?,
            Action::Wait(waiting) => applied.waiting = Some(waiting),
            Action::Refuse(taken) => applied.refused = Some(taken),
        }
    }
    Ok(applied)
}

impl Applier<'_> {
    /// Made by POST: should the Secret exist after all, this fails, where an apply would overwrite a key in use.
    async fn generate(&self, blueprint: &SecretBlueprint, applied: &mut Applied) -> Result<(), ApplyError> {
        let child = Child::Secret(blueprint.clone());
        let (kind, name) = (child.kind(), child.name());
        let secret = serde_json::to_value(blueprint.filled(&random::api_key())).and_then(serde_json::from_value);
        let secret: DynamicObject = secret.expect("a Secret is JSON with metadata");
        let parameters = PostParams { field_manager: Some(OPERATOR.to_owned()), ..PostParams::default() };
        let api = self.context.objects(kind, &self.key.namespace);
        let made = bounded(kind, name, api.create(&parameters, &secret)).await?;
        // The frame is applied at once, so that labels and owner belong to the same manager as those of every other
        // child. Left for later it would look like a change of a key in use.
        self.send(&child, made.metadata.uid.as_deref(), None).await?;
        applied.made.push(format!("{kind} {name}"));
        Ok(())
    }

    async fn apply(&self, child: &Child, uid: Option<String>, applied: &mut Applied) -> Result<(), ApplyError> {
        let (kind, name) = (child.kind(), child.name());
        let key: ChildKey = (kind, name.to_owned());
        let before = self.observation.versions.get(&key).cloned();
        let fingerprint = child.fingerprint();
        match self.context.ledger.compare(self.tenant_uid, &key, &fingerprint, before.as_ref()) {
            Memory::AsSent => return Ok(()),
            Memory::Lagging(set) => {
                applied.stateful_set = set.or(applied.stateful_set.take());
                return Ok(());
            }
            Memory::Different => {}
        }
        let after = self.send(child, uid.as_deref(), before.clone()).await?;
        if uid.is_none() {
            applied.made.push(format!("{kind} {name}"));
        } else if before.as_ref() != Some(&after.after) {
            applied.changed.push(format!("{kind} {name}"));
        }
        applied.stateful_set = after.set.or(applied.stateful_set.take());
        Ok(())
    }

    /// Sends a child and remembers it.
    async fn send(&self, child: &Child, uid: Option<&str>, before: Option<Version>) -> Result<Sent, ApplyError> {
        let (kind, name) = (child.kind(), child.name());
        let mut object = child.to_json();
        if let Some(uid) = uid {
            // A precondition: of an object made anew under this name we know nothing yet.
            object["metadata"]["uid"] = uid.into();
        }
        let api = self.context.objects(kind, &self.key.namespace);
        // Forced: a field of ours that somebody else wrote too is still ours.
        let parameters = PatchParams::apply(OPERATOR).force();
        let answer = bounded(kind, name, api.patch(name, &parameters, &Patch::Apply(&object))).await?;
        let after = Version::of(&answer.metadata);
        let sent = Sent { fingerprint: child.fingerprint(), before, after, set: figures(kind, &answer) };
        self.context.ledger.sent(self.tenant_uid, (kind, name.to_owned()), sent.clone());
        Ok(sent)
    }

    async fn delete(&self, kind: ChildKind, name: &str, uid: String, applied: &mut Applied) -> Result<(), ApplyError> {
        let preconditions = Preconditions { uid: Some(uid), resource_version: None };
        let parameters = DeleteParams::background().preconditions(preconditions);
        let api = self.context.objects(kind, &self.key.namespace);
        match bounded(kind, name, async { api.delete(name, &parameters).await.map(drop) }).await {
            Ok(()) => applied.removed.push(format!("{kind} {name}")),
            // Gone already, which is what was wanted.
            Err(ApplyError::Gone { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// How far a StatefulSet's controller has come, as the API server just answered.
fn figures(kind: ChildKind, answer: &DynamicObject) -> Option<StatefulSetSeen> {
    let set = (kind == ChildKind::StatefulSet).then(|| answer.clone().try_parse::<StatefulSet>().ok()).flatten()?;
    Some(StatefulSetSeen::from(&set))
}

/// A request with an end.
async fn bounded<T>(
    kind: ChildKind,
    name: &str,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, ApplyError> {
    match tokio::time::timeout(REQUEST_TIMEOUT, request).await {
        Ok(answer) => answer.map_err(|error| ApplyError::of(kind, name, &error)),
        Err(_) => Err(ApplyError::Unavailable {
            kind,
            name: name.to_owned(),
            message: format!("the API server did not answer within {} s", REQUEST_TIMEOUT.as_secs()),
        }),
    }
}
