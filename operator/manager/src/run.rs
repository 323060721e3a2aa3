//! The operator as a process: starts everything in order, and ends when asked to, or when any part that should run for
//! ever does not. A half-dead operator must not look alive.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kube::Client;
use kvtenant_api::KVTenant;
use kvtenant_api::names::GROUP;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::OnceCell;

use crate::answer::words;
use crate::cli::RunOptions;
use crate::connect::{ConnectError, connect};
use crate::context::Context;
use crate::http::{KnownTenants, ServeError, listen, serve};
use crate::metrics::Metrics;
use crate::readiness::Readiness;
use crate::watch::Caches;
use crate::{EXIT_USAGE, controller};

/// Why the operator ended without having been asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("{0}; the operator ends, because it would be blind")]
    Blind(String),
    #[error("the passes ended without having been told to")]
    Idle,
    #[error("signals cannot be received: {0}")]
    Signals(io::Error),
}

impl RunError {
    /// What a person has to change before the next start can do better is a usage error.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Connect(ConnectError::NoConfig(_)) | Self::Serve(ServeError::Bind { .. }) => EXIT_USAGE,
            _ => 1,
        }
    }
}

/// How often a missing definition is asked for. It is applied once in a cluster's life, mostly seconds after us.
const DEFINITION_POLL: Duration = Duration::from_secs(2);

/// Passes under way end within this when the operator is told to stop; one takes milliseconds, unless the API server
/// is slow. It is less than the 30 s a pod gets.
const STOP_WITHIN: Duration = Duration::from_secs(20);

pub(crate) async fn run(options: &RunOptions) -> Result<(), RunError> {
    let stop = asked_to_stop().map_err(RunError::Signals)?.shared();
    let metrics = Metrics::new();
    let readiness = Readiness::not_yet("the API server has not answered yet");
    let tenants = KnownTenants::default();
    let listeners = listen(options.metrics_addr, options.health_addr).await?;
    tokio::select! {
        ended = serve(listeners, metrics.clone(), Arc::clone(&tenants), readiness.clone()) => Err(ended.into()),
        result = operate(options, stop.clone(), metrics, tenants, readiness) => result,
    }
}

async fn operate(
    options: &RunOptions,
    stop: futures::future::Shared<impl Future<Output = ()>>,
    metrics: Metrics,
    tenants: Arc<OnceCell<kube::runtime::reflector::Store<KVTenant>>>,
    readiness: Readiness,
) -> Result<(), RunError> {
    let client = tokio::select! {
        client = connect(metrics.requests.clone()) => client?,
        () = stop.clone() => return Ok(()),
    };
    tokio::select! {
        () = definition_installed(&client, &readiness) => {}
        () = stop.clone() => return Ok(()),
    }
    let (caches, watchers, woken) = Caches::start(&client, &metrics);
    let _ = tenants.set(caches.tenants.clone());
    let context = Arc::new(Context::new(client, caches.clone(), metrics, options.kvnode_image.clone()));
    let passes = controller::run(context, woken, options.concurrency, stop.clone());
    tokio::select! {
        ended = watchers.run() => Err(RunError::Blind(ended.to_string())),
        () = keep_ready(&caches, &readiness) => Err(RunError::Idle),
        ended = until_stopped(passes, stop) => ended,
    }
}

/// Drives the passes; once asked to stop, gives those under way their time.
async fn until_stopped(
    passes: impl Future<Output = ()>,
    stop: futures::future::Shared<impl Future<Output = ()>>,
) -> Result<(), RunError> {
    let mut passes = std::pin::pin!(passes);
    tokio::select! {
        biased;
        () = stop => {}
        () = &mut passes => return Err(RunError::Idle),
    }
    tracing::info!("asked to stop; passes under way are brought to their end");
    if tokio::time::timeout(STOP_WITHIN, passes).await.is_err() {
        tracing::warn!(seconds = STOP_WITHIN.as_secs(), "a pass did not end in time and is cut off");
    }
    Ok(())
}

/// Says what is missing until everything was listed once, then that nothing is. Never ends.
async fn keep_ready(caches: &Caches, readiness: &Readiness) {
    readiness.waits_for(&caches.unlisted.words().unwrap_or_default());
    caches.unlisted.wait().await;
    readiness.ready();
    tracing::info!(tenants = caches.tenants.len(), "all caches are complete");
    std::future::pending::<()>().await;
}

/// Waits until the API server knows KVTenant. Watching before would only fill the log with errors.
async fn definition_installed(client: &Client, readiness: &Readiness) {
    let group_version = format!("{GROUP}/{}", <KVTenant as kube::Resource>::version(&()));
    let mut told = false;
    loop {
        let problem = match client.list_api_group_resources(&group_version).await {
            Ok(list) if list.resources.iter().any(|resource| resource.kind == "KVTenant") => return,
            Ok(_) => "the definition of KVTenant is not installed".to_owned(),
            Err(kube::Error::Api(answer)) if answer.code == 404 => {
                "the definition of KVTenant is not installed".to_owned()
            }
            Err(error) => format!("the API server could not be asked for KVTenant: {}", words(&error)),
        };
        readiness.waits_for(&problem);
        if !told {
            tracing::warn!("{problem}; apply crds/kvtenants.kvtenant.io.yaml, the operator goes on by itself then");
            told = true;
        }
        tokio::time::sleep(DEFINITION_POLL).await;
    }
}

/// Resolves with SIGTERM or SIGINT.
fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
