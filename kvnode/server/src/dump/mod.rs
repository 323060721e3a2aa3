//! The form of a dump: everything a node holds as text, a line for each entry, between a first line that says what it is
//! and a last one without which it is known to be cut off. It is the same for every version of the program that knows
//! its number, and does no input or output itself.
//!
//! ```text
//! {"format":"kvnode-dump","form":1,"tenant":"dev",…,"entries":1204,"crc":"5d0c39f2"}
//! {"key":"user:7","json":"{\"name\": \"Ada\"}","version":3,…,"crc":"9a8f0d11"}
//! {"end":true,"entries":1204,"crc":"0b7e41c6"}
//! ```
//!
//! The `crc` of a line is that of all bytes of the dump before it, so no line can be changed, left out or put in unseen,
//! and what is damaged is found before it is used.

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod any_bytes;
mod chain;
mod entry_line;
mod reader;
mod writer;

pub(crate) use entry_line::EntryLine;
pub(crate) use reader::{Line, LineError, Passed, Reader};
pub(crate) use writer::Writer;

use serde::{Deserialize, Serialize};

/// What the first line says first.
const FORMAT: &str = "kvnode-dump";

/// Of every line. Another number is another form.
const FORM: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Header {
    format: String,
    form: u32,
    pub(crate) tenant: String,
    pub(crate) node: String,
    /// Of the program.
    pub(crate) version: String,
    pub(crate) created_at: String,
    /// How many there were when it began; some come and go until it ends.
    pub(crate) entries: u64,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trailer {
    end: bool,
    entries: u64,
    /// Looked at as bytes, before the line is read.
    #[serde(default, skip_serializing, rename = "crc")]
    _crc: serde::de::IgnoredAny,
}

impl Header {
    pub(crate) fn new(tenant: &str, node: &str, created_at: String, entries: u64) -> Self {
        Self {
            format: FORMAT.to_owned(),
            form: FORM,
            tenant: tenant.to_owned(),
            node: node.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            created_at,
            entries,
        }
    }
}

#[cfg(test)]
mod tests;
