//! The one place that reads a clock or lets time pass. Everything that waits, waits here: for a condition, with a
//! deadline, and with a sentence that says what was missing when the deadline came.
#![expect(clippy::disallowed_methods, reason = "this is the module that the rule points to")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often a condition is looked at. Short beside what is waited for (processes, API servers), long beside the
/// cost of a look (a stat call, a local request).
const LOOK_EVERY: Duration = Duration::from_millis(50);

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on Ctrl-C and SIGTERM end the wait under way with an error, so that what was built is taken down again
/// on the ordinary way out. A second signal ends the program at once.
pub fn end_waits_on_signals() -> Result<()> {
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&INTERRUPTED))?;
        signal_hook::flag::register(signal, Arc::clone(&INTERRUPTED))?;
    }
    Ok(())
}

pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// After an interruption: lets the taking down wait for its own conditions.
pub fn forget_interruption() {
    INTERRUPTED.store(false, Ordering::Relaxed);
}

#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Looks until `look` gives something, at most for `limit`. `what` completes the sentence "waited 10 s for ...".
/// A look may fail while things come up; its last error is told when the time is over.
pub fn wait_for<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let start = Instant::now();
    loop {
        let seen = look();
        if let Ok(Some(found)) = seen {
            return Ok(found);
        }
        if interrupted() {
            bail!("interrupted while waiting for {what}");
        }
        if start.elapsed() >= limit {
            return Err(late(what, limit, seen.err()));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// As [`wait_for`], for conditions that are asked over the network.
pub async fn wait_until<T, F>(what: &str, limit: Duration, mut look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let start = Instant::now();
    loop {
        let seen = look().await;
        if let Ok(Some(found)) = seen {
            return Ok(found);
        }
        if interrupted() {
            bail!("interrupted while waiting for {what}");
        }
        if start.elapsed() >= limit {
            return Err(late(what, limit, seen.err()));
        }
        tokio::time::sleep(LOOK_EVERY * 2).await;
    }
}

fn late(what: &str, limit: Duration, last: Option<anyhow::Error>) -> anyhow::Error {
    let waited = format!("waited {} s for {what}, in vain", limit.as_secs());
    match last {
        Some(error) => error.context(waited),
        None => anyhow::anyhow!(waited),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_at_its_deadline_and_says_what_was_missing() {
        let error = wait_for::<()>("the moon", Duration::from_millis(1), || Ok(None)).unwrap_err();
        assert_eq!(error.to_string(), "waited 0 s for the moon, in vain");
    }

    #[test]
    fn the_last_error_of_a_look_is_told() {
        let error =
            wait_for::<()>("a door", Duration::from_millis(1), || bail!("it is locked")).expect_err("never opens");
        assert_eq!(format!("{error:#}"), "waited 0 s for a door, in vain: it is locked");
    }
}
