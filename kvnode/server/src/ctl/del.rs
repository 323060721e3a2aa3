//! `kvnode ctl del`

use std::io::Write;

use clap::Args;
use http::Method;
use serde::Deserialize;

use super::client::{Client, empty, escaped};
use super::failure::Failure;

const AFTER_HELP: &str = "\
Examples:
  kvnode ctl del greeting
  kvnode ctl del user:1 user:2";

/// Delete keys, and print how many were there
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Del {
    /// The keys
    #[arg(required = true)]
    keys: Vec<String>,
}

#[derive(Deserialize)]
struct Deleted {
    existed: bool,
}

impl Del {
    pub(super) async fn run(self, client: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        let path = client.keys_path().await?;
        let mut existed = 0;
        for key in &self.keys {
            let text = client.text(Method::DELETE, &format!("{path}/{}", escaped(key)), empty()).await?;
            existed += u64::from(client.read::<Deleted>(&text)?.existed);
        }
        writeln!(out, "{existed}")?;
        Ok(())
    }
}
