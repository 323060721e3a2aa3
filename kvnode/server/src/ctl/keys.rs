//! `kvnode ctl keys`

use std::io::Write;

use clap::Args;
use serde::Deserialize;
use uuid::Uuid;

use super::client::{Client, escaped};
use super::failure::Failure;

const AFTER_HELP: &str = "\
Examples:
  kvnode ctl keys
  kvnode ctl keys --prefix user: | wc -l
  kvnode ctl keys --tenant-id 0199c5a2-7d1e-7c3a-9f0b-1c2d3e4f5a6b";

/// Keys asked for at a time: the most that the node gives.
const PAGE_KEYS: usize = 1000;

/// List keys, a line each
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Keys {
    /// Only keys that begin with this
    #[arg(long, default_value = "")]
    prefix: String,

    /// The keys of this account instead of those that all share
    #[arg(long, value_name = "UUID")]
    tenant_id: Option<Uuid>,
}

#[derive(Deserialize)]
struct Page {
    keys: Vec<String>,
    #[serde(default)]
    next: Option<String>,
}

impl Keys {
    pub(super) async fn run(self, client: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        let of = self.tenant_id.map(|id| format!("&tenant_id={id}")).unwrap_or_default();
        let query = format!("limit={PAGE_KEYS}&prefix={}{of}", escaped(&self.prefix));
        let mut cursor = String::new();
        loop {
            let Page { keys, next } = client.get_as(&format!("/admin/keys?{query}{cursor}")).await?;
            for key in keys {
                writeln!(out, "{key}")?;
            }
            let Some(next) = next else { return Ok(()) };
            cursor = format!("&cursor={next}");
        }
    }
}
