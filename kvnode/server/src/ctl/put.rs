//! `kvnode ctl put`

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;

use clap::Args;
use http::{Method, header};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::client::{Client, bytes, escaped, whole};
use super::failure::Failure;

const AFTER_HELP: &str = "\
Examples:
  kvnode ctl put greeting '\"hello\"'
  kvnode ctl put user:7 '{\"name\": \"Ada\"}' --ttl 3600 --tag team=shop
  kvnode ctl put note --text 'any text at all'
  kvnode ctl put picture --bytes --file picture.png
  echo '[1, 2]' | kvnode ctl put list --file -
  kvnode ctl put greeting '\"hi\"' --if-version 1";

/// A value of more bytes is refused by every node.
const VALUE_BYTES_MAX: u64 = 64 << 20;

/// Store a value: JSON, text or bytes
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Put {
    /// The key
    key: String,

    /// The value; JSON unless --text or --bytes says otherwise
    #[arg(required_unless_present = "file")]
    value: Option<String>,

    /// Read the value from a file; - is standard input
    #[arg(long, conflicts_with = "value")]
    file: Option<PathBuf>,

    /// The value is text, and is stored as a JSON string
    #[arg(long, conflicts_with = "bytes")]
    text: bool,

    /// The value is bytes, and is stored as they are
    #[arg(long, conflicts_with = "tags")]
    bytes: bool,

    /// Let the key expire after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    ttl: u64,

    /// A tag, once for each
    #[arg(long = "tag", value_name = "NAME=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,

    /// Only if the key has this version; 0: only if it is not there
    #[arg(long, value_name = "N")]
    if_version: Option<u64>,
}

#[derive(Serialize)]
struct Envelope<'e> {
    value: &'e RawValue,
    ttl: u64,
    tags: BTreeMap<&'e str, &'e str>,
}

#[derive(Deserialize)]
struct Stored {
    version: u64,
}

impl Put {
    pub(super) async fn run(self, client: &mut Client, out: &mut impl Write) -> Result<(), Failure> {
        let value = self.value()?;
        let mut query: Vec<String> =
            self.if_version.map(|version| format!("ifVersion={version}")).into_iter().collect();
        let (media_type, body) = if self.bytes {
            query.push(format!("ttl={}", self.ttl));
            ("application/octet-stream", value)
        } else {
            ("application/json", self.envelope(value)?)
        };
        let path = format!("{}/{}?{}", client.keys_path().await?, escaped(&self.key), query.join("&"));
        let answer = client.ask(Method::PUT, &path, &[(header::CONTENT_TYPE, media_type)], bytes(body)).await?;
        let answer = whole_entry(client, answer).await?;
        writeln!(out, "{} has version {}", self.key, answer.version)?;
        Ok(())
    }

    fn value(&self) -> Result<Vec<u8>, Failure> {
        let Some(file) = &self.file else { return Ok(self.value.clone().unwrap_or_default().into_bytes()) };
        let unreadable =
            |error: std::io::Error| Failure::wrong_use(format!("The file {} cannot be read: {error}.", file.display()));
        let mut value = Vec::new();
        let read = if file.as_os_str() == "-" {
            std::io::stdin().lock().take(VALUE_BYTES_MAX + 1).read_to_end(&mut value)
        } else {
            std::fs::File::open(file).and_then(|file| file.take(VALUE_BYTES_MAX + 1).read_to_end(&mut value))
        };
        if read.map_err(unreadable)? as u64 > VALUE_BYTES_MAX {
            return Err(Failure::wrong_use(format!("The value has more than {VALUE_BYTES_MAX} bytes.")));
        }
        Ok(value)
    }

    fn envelope(&self, value: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let no_text = |_| Failure::wrong_use("The value is not UTF-8; store it with --bytes.");
        let text = String::from_utf8(value).map_err(no_text)?;
        let json = if self.text { serde_json::to_string(&text).unwrap_or_default() } else { text };
        let value: &RawValue = serde_json::from_str(&json).map_err(|error| {
            Failure::wrong_use(format!("The value is no JSON: {error}; quote it as JSON, or use --text or --bytes."))
        })?;
        let tags = self.tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        serde_json::to_vec(&Envelope { value, ttl: self.ttl, tags })
            .map_err(|error| Failure::wrong_use(format!("The value cannot be written as JSON: {error}.")))
    }
}

/// The answer repeats the value, which can be large; only the version of it is kept.
async fn whole_entry(client: &Client, answer: http::Response<hyper::body::Incoming>) -> Result<Stored, Failure> {
    let version = answer.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()?.trim_matches('"').parse().ok());
    match version {
        Some(version) => Ok(Stored { version }),
        None => client.read(&whole(client.url(), answer.into_body()).await?),
    }
}

fn tag(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a tag is written NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
