//! `kvnode ctl info`

use std::io::Write;

use clap::Args;
use serde_json::Value;

use super::Form;
use super::client::Client;
use super::failure::Failure;
use super::table::Table;

const AFTER_HELP: &str = "\
Examples:
  kvnode ctl info
  kvnode ctl info -o json";

/// Show how the node was set up and what it uses: settings, ports, memory, threads, discovery
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Info {
    /// How it is printed
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,
}

impl Info {
    pub(super) async fn run(self, client: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        let text = client.get("/diag").await?;
        match self.output {
            Form::Json => {
                out.write_all(&text)?;
                writeln!(out)?;
                Ok(())
            }
            Form::Table => {
                let mut table = Table::of_pairs();
                add("", &client.read(&text)?, &mut table);
                table.print(out)
            }
        }
    }
}

/// Each leaf in a row, under the names that lead to it.
fn add(name: &str, value: &Value, table: &mut Table) {
    match value {
        Value::Object(members) => {
            let dot = if name.is_empty() { "" } else { "." };
            members.iter().for_each(|(member, value)| add(&format!("{name}{dot}{member}"), value, table));
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (place, item) in items.iter().enumerate() {
                match (item["name"].as_str(), item["value"].as_str(), item["from"].as_str()) {
                    (Some(named), Some(value), Some(from)) => {
                        table.row([format!("{name}.{named}"), format!("{value} ({from})")]);
                    }
                    _ => add(&format!("{name}[{place}]"), item, table),
                }
            }
        }
        Value::Array(items) => table.row([name.to_owned(), items.iter().map(shown).collect::<Vec<_>>().join(", ")]),
        value => table.row([name.to_owned(), shown(value)]),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}
