//! Runs passes: takes the tenants the watches announce, one pass at a time for each, a bounded number at once, and
//! comes back after failures with growing pauses.

use std::convert::Infallible;
use std::sync::Arc;

use futures::StreamExt;
use futures::channel::mpsc;
use futures::future::Shared;
use kube::runtime::controller::{Action, Config, Error, applier};
use kube::runtime::reflector::ObjectRef;
use kvtenant_api::KVTenant;
use tracing::Instrument;

use crate::context::Context;
use crate::reconcile::{ReconcileError, key, reconcile};
use crate::watch::TenantKey;

/// Runs until `stop` resolves, then lets the passes under way end.
pub(crate) async fn run(
    context: Arc<Context>,
    woken: mpsc::Receiver<ObjectRef<KVTenant>>,
    concurrency: u16,
    stop: Shared<impl Future<Output = ()>>,
) {
    let queue = woken.map(Ok::<_, Infallible>).take_until(stop);
    let config = Config::default().concurrency(concurrency);
    let store = context.caches.tenants.clone();
    applier(one_pass, after_failure, Arc::clone(&context), store, queue, config)
        .for_each(|result| {
            note(&context, &result);
            futures::future::ready(())
        })
        .await;
}

fn one_pass(
    tenant: Arc<KVTenant>,
    context: Arc<Context>,
) -> futures::future::LocalBoxFuture<'static, Result<Action, ReconcileError>> {
    let TenantKey { namespace, name } = key(&tenant);
    let span = tracing::info_span!("pass", tenant = name, namespace, reconcile_id = context.next_pass());
    Box::pin(async move { reconcile(&context, &tenant).await }.instrument(span))
}

#[expect(clippy::needless_pass_by_value, reason = "the applier hands both over by value")]
fn after_failure(tenant: Arc<KVTenant>, error: &ReconcileError, context: Arc<Context>) -> Action {
    let key = key(&tenant);
    // A failed apply was counted where it happened, because the count decides what the status says.
    if !matches!(error, ReconcileError::Apply(_)) {
        context.backoff.failed(&key);
    }
    Action::requeue(context.backoff.delay(&key))
}

fn note(context: &Context, result: &Result<(ObjectRef<KVTenant>, Action), Error<ReconcileError, Infallible>>) {
    match result {
        Ok(_) => {}
        // The tenant is gone; its objects go with it, by the garbage collector.
        Err(Error::ObjectNotFound(gone)) => {
            context.forget(&TenantKey::new(gone.namespace.as_deref().unwrap_or_default(), &gone.name));
        }
        Err(Error::ReconcilerFailed(error, tenant)) => {
            let namespace = tenant.namespace.as_deref().unwrap_or_default();
            let reason = error.reason();
            tracing::warn!(tenant = tenant.name, namespace, reason, "a pass failed and will be repeated: {error}");
        }
        Err(error) => tracing::error!("the queue of passes failed: {error}"),
    }
}
