//! Says how far a start is while it reads its log: a bar where people watch, a line in the log every few seconds
//! elsewhere.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::recovery::Progress;
use crate::clock::Clock;

const BAR_EVERY: Duration = Duration::from_millis(100);

const LINE_EVERY: Duration = Duration::from_secs(2);

/// Does the work on a thread of its own, and tells of its progress until it is done.
pub(super) fn tell_while<R: Send>(progress: &Progress, clock: &Clock, work: impl FnOnce() -> R + Send) -> R {
    let bar = std::io::stderr().is_terminal().then(bar);
    let teller = thread::current();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let result = work();
            done.store(true, Ordering::Release);
            teller.unpark();
            result
        });
        let mut told = clock.instant();
        while !done.load(Ordering::Acquire) && !worker.is_finished() {
            thread::park_timeout(BAR_EVERY);
            let (bytes, of) = progress.figures();
            if let Some(bar) = &bar {
                bar.set_length(of);
                bar.set_position(bytes);
            } else if clock.instant().duration_since(told) >= LINE_EVERY {
                told = clock.instant();
                tracing::info!(bytes, of, "recovering");
            }
        }
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        worker.join().expect("a panic ends the process")
    })
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("recovering {bar:40} {percent} %, {eta} left").expect("a valid template");
    ProgressBar::new(0).with_style(style)
}
