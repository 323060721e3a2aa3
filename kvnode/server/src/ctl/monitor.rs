//! `kvnode ctl monitor`

use std::io::Write;

use clap::Args;
use http::Method;
use serde::Deserialize;

use super::Form;
use super::client::{Client, each_piece, empty};
use super::failure::Failure;

const AFTER_HELP: &str = "\
Examples:
  kvnode ctl monitor
  kvnode ctl monitor -o json | jq 'select(.operation == \"delete\")'

Values are never shown. Ctrl-C ends it.";

/// Show operations as they happen, until it is ended
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Monitor {
    /// How it is printed
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Lost {
        lost: u64,
    },
    Seen {
        time: String,
        protocol: String,
        operation: String,
        status: String,
        #[serde(default)]
        tenant_id: Option<String>,
        #[serde(default)]
        key: Option<String>,
    },
}

impl Monitor {
    pub(super) async fn run(self, client: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        let answer = client.ask(Method::GET, "/admin/monitor", &[], empty()).await?;
        let url = client.url().to_owned();
        let mut begun = Vec::new();
        each_piece(&url, answer.into_body(), |piece| {
            if self.output == Form::Json {
                out.write_all(piece)?;
            } else {
                begun.extend_from_slice(piece);
                while let Some(end) = begun.iter().position(|&byte| byte == b'\n') {
                    let line: Vec<u8> = begun.drain(..=end).collect();
                    show(client.read(&line)?, out)?;
                }
            }
            // Whoever looks on wants to see it now.
            Ok(out.flush()?)
        })
        .await
    }
}

fn show(line: Line, out: &mut impl Write) -> Result<(), Failure> {
    match line {
        Line::Lost { lost } => writeln!(out, "… {lost} operations were too fast to be shown")?,
        Line::Seen { time, protocol, operation, status, tenant_id, key } => {
            let of = tenant_id.map(|id| format!("{id} ")).unwrap_or_default();
            let key = key.unwrap_or_default();
            writeln!(out, "{}", format!("{time} {protocol:4} {operation:12} {status:9} {of}{key}").trim_end())?;
        }
    }
    Ok(())
}
