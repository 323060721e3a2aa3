//! `kvnode ctl ping`

use std::io::Write;

use clap::Args;
use http::Method;

use super::client::{Client, empty, whole};
use super::failure::Failure;
use crate::clock::Clock;

const AFTER_HELP: &str = "\
Example:
  kvnode ctl ping";

/// Ask for a sign of life, and tell how long it took
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Ping {}

impl Ping {
    pub(super) async fn run(self, client: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        let clock = Clock::default();
        let begun = clock.instant();
        let answer = client.ask(Method::GET, "/livez", &[], empty()).await?;
        let node = answer.headers().get("x-kv-node").and_then(|name| name.to_str().ok()).unwrap_or("a node").to_owned();
        whole(client.url(), answer.into_body()).await?;
        let duration = clock.instant().duration_since(begun);
        writeln!(out, "PONG from {node} in {:.1} ms", duration.as_secs_f64() * 1000.0)?;
        Ok(())
    }
}
