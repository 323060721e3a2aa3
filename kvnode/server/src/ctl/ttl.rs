//! `kvnode ctl ttl`

use std::io::Write;

use clap::Args;
use http::{Method, Response};
use hyper::body::Incoming;
use serde::Deserialize;

use super::client::{Client, date, empty, escaped, whole};
use super::failure::Failure;

const AFTER_HELP: &str = "\
Example:
  kvnode ctl ttl session:7";

/// Print the seconds until a key expires, or `none`
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Ttl {
    /// The key
    key: String,
}

#[derive(Deserialize)]
struct Entry {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    expires_at: Option<String>,
}

impl Ttl {
    pub(super) async fn run(self, client: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        let path = format!("{}/{}", client.keys_path().await?, escaped(&self.key));
        let answer = client.ask(Method::GET, &path, &[], empty()).await?;
        match remaining(client, answer).await? {
            None => writeln!(out, "none")?,
            Some(seconds) => writeln!(out, "{seconds}")?,
        }
        Ok(())
    }
}

/// By the node's clock, which decides; this machine's may differ.
async fn remaining(client: &Client, answer: Response<Incoming>) -> Result<Option<i64>, Failure> {
    let now = date(answer.headers());
    let entry: Entry = client.read(&whole(client.url(), answer.into_body()).await?)?;
    let Some(expires_at) = entry.metadata.expires_at else { return Ok(None) };
    let expires_at: Result<jiff::Timestamp, _> = expires_at.parse();
    let (Some(now), Ok(expires_at)) = (now, expires_at) else {
        return Err(Failure::unreachable(format!("The node at {} does not tell the time.", client.url())));
    };
    Ok(Some((expires_at.as_second() - now.as_second()).max(0)))
}
