//! `kvnode ctl health`

use std::io::Write;

use clap::Args;
use http::Method;
use serde::Deserialize;

use super::client::{Client, empty, whole};
use super::failure::Failure;

const AFTER_HELP: &str = "\
Example: in a script, go on only when the node takes requests
  kvnode ctl health && echo ready";

/// Tell whether the node lives and is ready; exit code 1 when it is not
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Health {}

#[derive(Deserialize)]
struct Summary {
    status: String,
    node: String,
    tenant: String,
}

#[derive(Deserialize)]
struct Readiness {
    status: String,
    #[serde(default)]
    reason: Option<String>,
}

impl Health {
    pub(super) async fn run(self, client: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        let Summary { status, node, tenant } = client.get_as("/health").await?;
        let answer = client.send(Method::GET, "/readyz", &[], empty()).await?;
        let good = answer.status().is_success();
        let text = whole(client.url(), answer.into_body()).await?;
        let readiness: Readiness = client.read(&text)?;
        if !good {
            let reason = readiness.reason.unwrap_or_default();
            return Err(Failure::refused(format!("{node} of the tenant {tenant} is {}. {reason}", readiness.status)));
        }
        writeln!(out, "{node} of the tenant {tenant} is {status} and {}.", readiness.status)?;
        Ok(())
    }
}
