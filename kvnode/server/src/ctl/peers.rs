//! `kvnode ctl peers`

use std::io::Write;

use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::client::Client;
use super::failure::Failure;
use super::table::Table;

const AFTER_HELP: &str = "\
Example:
  kvnode ctl peers";

/// List the other nodes, as this one sees them
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Peers {}

#[derive(Deserialize)]
struct Answer {
    peers: Vec<Map<String, Value>>,
}

/// Members of a peer, and the columns they stand in.
const COLUMNS: [(&str, &str); 6] = [
    ("name", "NAME"),
    ("ip", "IP"),
    ("port", "PORT"),
    ("ready", "READY"),
    ("source", "SOURCE"),
    ("lastSeen", "LAST SEEN"),
];

impl Peers {
    pub(super) async fn run(self, client: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        let Answer { peers } = client.get_as("/peers").await?;
        if peers.is_empty() {
            writeln!(out, "No other nodes: this one is the whole cluster.")?;
            return Ok(());
        }
        let mut table = Table::new(&COLUMNS.map(|(_, column)| column));
        for peer in &peers {
            table.row(COLUMNS.map(|(member, _)| match peer.get(member) {
                None | Some(Value::Null) => "-".to_owned(),
                Some(Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
            }));
        }
        table.print(out)
    }
}
