//! `kvnode ctl get`

use std::io::{IsTerminal, Write};

use clap::Args;
use http::Method;

use super::Form;
use super::client::{Client, each_piece, empty, escaped};
use super::failure::Failure;

const AFTER_HELP: &str = "\
Examples:
  kvnode ctl get greeting
  kvnode ctl get greeting -o json
  kvnode ctl get picture > picture.png";

/// Print the value of a key, as it was written
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Get {
    /// The key
    key: String,

    /// `json`: the whole entry, with version, times and tags
    #[arg(short, long, value_enum)]
    output: Option<Form>,
}

impl Get {
    pub(super) async fn run(self, client: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        let whole_entry = self.output == Some(Form::Json);
        let query = if whole_entry { "" } else { "?raw=true" };
        let path = format!("{}/{}{query}", client.keys_path().await?, escaped(&self.key));
        let answer = client.ask(Method::GET, &path, &[], empty()).await?;
        let url = client.url().to_owned();
        each_piece(&url, answer.into_body(), |piece| Ok(out.write_all(piece)?)).await?;
        // What goes to a file or another program stays as it is.
        if whole_entry || std::io::stdout().is_terminal() {
            writeln!(out)?;
        }
        Ok(())
    }
}
