//! `kvnode ctl recover`

use std::io::Write;

use clap::Args;
use http::Method;

use super::client::{Client, empty};
use super::failure::Failure;

const AFTER_HELP: &str = "\
Example: two of three nodes are lost, and the third is to go on alone
  kvnode ctl recover";

/// Go on without a lost majority; what only the lost nodes knew is lost with them
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Recover {}

impl Recover {
    pub(super) async fn run(self, client: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        client.text(Method::POST, "/admin/recover", empty()).await?;
        writeln!(out, "The cluster goes on with the nodes that are left.")?;
        Ok(())
    }
}
