//! `kvnode ctl gone`

use std::io::Write;

use clap::Args;
use http::Method;
use serde::Serialize;

use super::client::{Client, bytes};
use super::failure::Failure;

const AFTER_HELP: &str = "\
Example: its machine burnt down
  kvnode ctl gone analytics-2";

/// Say that a node will never come back, so that others take its place
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Gone {
    /// The node's name, as `kvnode ctl status` shows it
    node: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'b> {
    node_id: &'b str,
}

impl Gone {
    pub(super) async fn run(self, client: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        let body = serde_json::to_vec(&Body { node_id: &self.node }).map_err(|error| {
            Failure::wrong_use(format!("The name {} cannot be written as JSON: {error}.", self.node))
        })?;
        client.text(Method::POST, "/admin/gone", bytes(body)).await?;
        writeln!(out, "{} is gone for good.", self.node)?;
        Ok(())
    }
}
