//! Log lines on standard output: one JSON object a line with `timestamp`, `level` and `message`, or text for people.
//! What is logged never holds a secret, because secrets have no text form (see `settings::secret`).

use std::io::IsTerminal;
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::settings::Settings;
use crate::settings::logs::{LogFormat, LogLevel};

/// Libraries may only say what is wrong; their debug lines describe their insides, not the node.
const LIBRARIES: LevelFilter = LevelFilter::WARN;

/// A process has one log, so this is the one thing that belongs to the process and not to a node.
static LOG: OnceLock<Log> = OnceLock::new();

struct Log {
    filter: reload::Handle<Targets, Registry>,
    level: Mutex<LogLevel>,
}

/// Must be called once, before anything is logged.
pub fn start(settings: &Settings) {
    let level = settings.live.now().log_level;
    let (filter, handle) = reload::Layer::new(filter(level));
    let layer = match settings.log_format {
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_target(false).with_current_span(false).boxed(),
        LogFormat::Text => fmt::layer().with_target(false).with_ansi(std::io::stdout().is_terminal()).boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(filter)).init();
    let first = LOG.set(Log { filter: handle, level: Mutex::new(level) });
    assert!(first.is_ok(), "the log is started once");
}

fn filter(level: LogLevel) -> Targets {
    let level = level.filter();
    Targets::new().with_default(LIBRARIES.min(level)).with_target("kvnode", level)
}

/// The level in force; none in a process that logs nothing.
pub(crate) fn level() -> Option<LogLevel> {
    LOG.get().map(|log| *log.level.lock().unwrap_or_else(PoisonError::into_inner))
}

/// From here on this much is logged. Lines below the level cost nothing again as soon as this returns.
pub(crate) fn set_level(level: LogLevel) {
    let Some(log) = LOG.get() else { return };
    let mut current = log.level.lock().unwrap_or_else(PoisonError::into_inner);
    // It fails only when the subscriber is gone, and that one lives as long as the process.
    if log.filter.reload(filter(level)).is_ok() {
        *current = level;
    }
}

/// A panic is a broken promise of the code, and what it left half done cannot be served: the process ends at once, and
/// whoever watches it starts a new one.
pub fn end_process_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("a panic without words");
        tracing::event!(Level::ERROR, place, backtrace = %std::backtrace::Backtrace::force_capture(), "{message}");
        std::process::abort();
    }));
}
