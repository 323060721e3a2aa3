//! The way to the API server, and one sentence for each way in which there is none.

use std::time::Duration;

use kube::client::ClientBuilder;
use kube::{Client, Config};

use crate::answer::words;
use crate::requests::CountRequests;

/// Why the API server cannot be spoken to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("no way to a Kubernetes API server was found: {0}; set KUBECONFIG, or run in a pod with a service account")]
    NoConfig(Box<kube::config::InferConfigError>),
    #[error(
        "the connection to {url} cannot be set up: {}; check certificates and proxy in the kubeconfig",
        words(source)
    )]
    BadConfig { url: String, source: Box<kube::Error> },
    #[error(
        "the API server at {url} does not answer: {}; check that it runs and can be reached from here",
        words(source)
    )]
    Unreachable { url: String, source: Box<kube::Error> },
    #[error("the API server at {url} did not answer within {} s; check that it can be reached", FIRST_ANSWER.as_secs())]
    Silent { url: String },
}

/// The first question is small; a server that takes longer is as good as none, and the pod's restart tries again.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// A watch is answered at least this often, since the server ends it after 290 s. Without a bound, a connection that
/// died without a word would leave the operator blind for ever.
const READ_TIMEOUT: Duration = Duration::from_secs(295);

/// Connects, counting every request, and makes sure that somebody answers.
pub(crate) async fn connect(count: CountRequests) -> Result<Client, ConnectError> {
    let mut config = Config::infer().await.map_err(|error| ConnectError::NoConfig(Box::new(error)))?;
    config.read_timeout = Some(READ_TIMEOUT);
    let url = config.cluster_url.to_string();
    let builder = ClientBuilder::try_from(config)
        .map_err(|source| ConnectError::BadConfig { url: url.clone(), source: Box::new(source) })?;
    let client = builder.with_layer(&count).build();
    match tokio::time::timeout(FIRST_ANSWER, client.apiserver_version()).await {
        Ok(Ok(version)) => {
            tracing::info!(url, version = version.git_version, "connected to the API server");
            Ok(client)
        }
        Ok(Err(source)) => Err(ConnectError::Unreachable { url, source: Box::new(source) }),
        Err(_) => Err(ConnectError::Silent { url }),
    }
}
