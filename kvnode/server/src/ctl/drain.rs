//! `kvnode ctl drain`

use std::io::Write;
use std::time::Duration;

use clap::{Args, ValueEnum};
use http::Method;
use serde::Deserialize;

use super::client::{Client, bytes, empty};
use super::failure::Failure;
use super::progress;

const AFTER_HELP: &str = "\
Examples:
  kvnode ctl drain                 # before a restart
  kvnode ctl drain --mode leave    # before the node goes for good
  kvnode ctl drain --cancel        # it stays after all";

/// How often the node is asked how far it has come.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Have the node step aside: it is not ready any more, and hands over what others can take
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Drain {
    /// What becomes of the node afterwards
    #[arg(long, value_enum, default_value_t = Mode::Restart)]
    mode: Mode,

    /// Call it back
    #[arg(long, conflicts_with = "mode")]
    cancel: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// It comes back under its name
    Restart,
    /// It goes for good
    Leave,
}

#[derive(Deserialize)]
struct Progress {
    node: String,
    state: String,
    handed_over: u64,
    kept: u64,
    reason: String,
}

impl Drain {
    pub(super) async fn run(self, client: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        if self.cancel {
            let Progress { node, reason, .. } = step(client, Method::DELETE, "").await?;
            writeln!(out, "{node} was called back. {reason}")?;
            return Ok(());
        }
        let body = match self.mode {
            Mode::Restart => r#"{"mode":"restart"}"#,
            Mode::Leave => r#"{"mode":"leave"}"#,
        };
        let bar = progress::bar("handing over", "partitions");
        loop {
            // To ask again is to ask how far it has come.
            let Progress { node, state, handed_over, kept, reason } = step(client, Method::POST, body).await?;
            bar.set_length(handed_over + kept);
            bar.set_position(handed_over);
            if state == "drained" {
                bar.finish_and_clear();
                writeln!(out, "{node} is drained: {handed_over} partitions handed over, {kept} kept. {reason}")?;
                return Ok(());
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

async fn step(client: &mut Client, method: Method, body: &'static str) -> Result<Progress, Failure> {
    let body = if body.is_empty() { empty() } else { bytes(body) };
    let text = client.text(method, "/admin/drain", body).await?;
    client.read(&text)
}
