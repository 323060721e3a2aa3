//! `kvnode ctl status`

use std::io::Write;

use clap::Args;
use serde::Deserialize;

use super::Form;
use super::client::Client;
use super::failure::Failure;
use super::table::{Table, bytes};

const AFTER_HELP: &str = "\
Examples:
  kvnode ctl status
  kvnode ctl status -o json";

/// Show the cluster: its nodes, partitions and memory, and whether the node can be restarted without a loss
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Status {
    /// How it is printed
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,
}

/// What is shown of the node's answer.
#[derive(Deserialize)]
struct Answer {
    tenant: String,
    version: String,
    keys: u64,
    memory_used_bytes: u64,
    memory_limit_bytes: u64,
    uptime_seconds: u64,
    leader: String,
    nodes: Vec<Node>,
    partitions: Partitions,
    room: Room,
    roll_safe: RollSafe,
}

#[derive(Deserialize)]
struct Node {
    name: String,
    state: String,
    partitions: u64,
}

#[derive(Deserialize)]
struct Partitions {
    total: u64,
    in_sync: u64,
    moving: u64,
    lost: u64,
}

#[derive(Deserialize)]
struct Room {
    fits: bool,
    needed_bytes: u64,
    limit_bytes: u64,
}

#[derive(Deserialize)]
struct RollSafe {
    safe: bool,
    reason: String,
}

impl Status {
    pub(super) async fn run(self, client: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        let text = client.get("/admin/status").await?;
        match self.output {
            Form::Json => {
                out.write_all(&text)?;
                writeln!(out)?;
            }
            Form::Table => show(&client.read(&text)?, out)?,
        }
        Ok(())
    }
}

fn show(status: &Answer, out: &mut impl Write) -> Result<(), Failure> {
    let Partitions { total, in_sync, moving, lost } = status.partitions;
    let mut facts = Table::of_pairs();
    facts.row(["Tenant".to_owned(), status.tenant.clone()]);
    facts.row(["Version".to_owned(), status.version.clone()]);
    facts.row(["Up for".to_owned(), format!("{} s", status.uptime_seconds)]);
    facts.row(["Keys".to_owned(), status.keys.to_string()]);
    let (used, limit) = (bytes(status.memory_used_bytes), bytes(status.memory_limit_bytes));
    facts.row(["Memory".to_owned(), format!("{used} of {limit}")]);
    facts.row(["Partitions".to_owned(), format!("{in_sync}/{total} in sync, {moving} moving, {lost} lost")]);
    let fits = if status.room.fits { "fits" } else { "does not fit" };
    let (needed, limit) = (bytes(status.room.needed_bytes), bytes(status.room.limit_bytes));
    facts.row(["Room".to_owned(), format!("{fits}: {needed} needed with copies and a fifth more, {limit} there")]);
    let safe = if status.roll_safe.safe { "safe" } else { "not safe" };
    facts.row(["Restart".to_owned(), format!("{safe}: {}", status.roll_safe.reason)]);
    facts.print(out)?;
    writeln!(out)?;
    let mut nodes = Table::new(&["NODE", "STATE", "PARTITIONS", "ROLE"]);
    for node in &status.nodes {
        let role = if node.name == status.leader { "leader" } else { "" };
        nodes.row([node.name.clone(), node.state.clone(), node.partitions.to_string(), role.to_owned()]);
    }
    nodes.print(out)
}
