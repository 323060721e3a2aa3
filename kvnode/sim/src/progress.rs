//! How far a long run is, on standard error. Nothing is shown for a short run, or when standard error is no terminal.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

const QUIET_UNTIL: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Progress {
    begun: Instant,
    bar: ProgressBar,
    shown: OnceLock<()>,
}

impl Progress {
    #[expect(clippy::disallowed_methods, reason = "this is the program's clock module: nothing simulated sees it")]
    pub(super) fn start(seeds: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(seeds), indicatif::ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {eta} left");
        bar.set_style(style.expect("the template is well-formed"));
        Self { begun: Instant::now(), bar, shown: OnceLock::new() }
    }

    pub(super) fn one_more(&self) {
        if self.begun.elapsed() > QUIET_UNTIL {
            self.shown.get_or_init(|| self.bar.set_draw_target(indicatif::ProgressDrawTarget::stderr()));
        }
        self.bar.inc(1);
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
