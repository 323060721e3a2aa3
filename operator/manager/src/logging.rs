//! Logs: one JSON object per line, with the tenant and the number of the pass in every line that belongs to one.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::cli::LogFormat;

/// A level that is none.
#[derive(Debug, thiserror::Error)]
#[error("--log-level {level:?} is no level or filter: {source}; use trace, debug, info, warn or error")]
pub(crate) struct LogLevelError {
    level: String,
    source: ParseError,
}

/// Starts logging to standard error. The client library is left out: what fails in it comes back to us as an error, and
/// ours say it once, in our words.
pub(crate) fn start(format: Option<LogFormat>, level: &str) -> Result<(), LogLevelError> {
    let filter = EnvFilter::try_new(format!("kube=off,{level}"))
        .map_err(|source| LogLevelError { level: level.to_owned(), source })?;
    let default = if io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format.unwrap_or(default) {
        LogFormat::Json => builder.json().flatten_event(true).with_span_list(false).with_target(false).init(),
        LogFormat::Text => builder.with_target(false).init(),
    }
    Ok(())
}
