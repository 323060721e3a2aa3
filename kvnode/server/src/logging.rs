//! Log lines on standard output: one JSON object a line with `timestamp`, `level` and `message`, or text for people.
//! What is logged never holds a secret, because secrets have no text form (see `settings::secret`).

use std::io::IsTerminal;

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::settings::Settings;
use crate::settings::logs::LogFormat;

/// Libraries may only say what is wrong; their debug lines describe their insides, not the node.
const LIBRARIES: LevelFilter = LevelFilter::WARN;

/// Must be called once, before anything is logged.
pub fn start(settings: &Settings) {
    let level = settings.log_level.filter();
    let filter = Targets::new().with_default(LIBRARIES.min(level)).with_target("kvnode", level);
    let layer = match settings.log_format {
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_target(false).with_current_span(false).boxed(),
        LogFormat::Text => fmt::layer().with_target(false).with_ansi(std::io::stdout().is_terminal()).boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(filter)).init();
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
