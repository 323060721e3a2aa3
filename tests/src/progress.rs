//! What people see while something takes long: each step says what it is doing, what it waits for and, at the end,
//! how long it took. A spinner on a terminal; plain lines, with a sign of life now and then, everywhere else.
#![expect(clippy::print_stderr, reason = "this module is the one that talks to the terminal")]

use std::io::IsTerminal;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::clock::Stopwatch;

/// Long enough not to fill a log, short enough that nobody thinks it hangs.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// One step under way. Dropped without [`Step::done`], it says that the step did not end well.
#[derive(Debug)]
pub struct Step {
    what: String,
    watch: Stopwatch,
    shown: Shown,
    ended: bool,
}

#[derive(Debug)]
enum Shown {
    Bar(ProgressBar),
    Lines { note: Sender<String>, teller: Option<JoinHandle<()>> },
}

impl Step {
    pub fn start(what: impl Into<String>) -> Self {
        let what = what.into();
        let watch = Stopwatch::start();
        let shown = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new_spinner()
                .with_style(
                    ProgressStyle::with_template("{spinner} {msg}  {elapsed}").expect("the template is a constant"),
                )
                .with_message(what.clone());
            bar.enable_steady_tick(Duration::from_millis(120));
            Shown::Bar(bar)
        } else {
            let (note, notes) = mpsc::channel();
            let name = what.clone();
            Shown::Lines { note, teller: Some(std::thread::spawn(move || tell(&name, watch, &notes))) }
        };
        Self { what, watch, shown, ended: false }
    }

    /// What the step is at, or waits for, just now.
    pub fn note(&self, note: impl Into<String>) {
        match &self.shown {
            Shown::Bar(bar) => bar.set_message(format!("{}: {}", self.what, note.into())),
            // The teller ends only after the step, so a failed send can only mean that nobody listens any more.
            Shown::Lines { note: to, .. } => drop(to.send(note.into())),
        }
    }

    pub fn done(mut self, result: impl AsRef<str>) {
        let result = result.as_ref();
        let tail = if result.is_empty() { String::new() } else { format!(": {result}") };
        self.close(&format!("✓ {}{tail}  ({:.1} s)", self.what, self.watch.elapsed().as_secs_f64()));
    }

    fn close(&mut self, line: &str) {
        self.ended = true;
        match &mut self.shown {
            Shown::Bar(bar) => {
                bar.finish_and_clear();
            }
            Shown::Lines { note, teller } => {
                let (closed, _) = mpsc::channel();
                drop(std::mem::replace(note, closed));
                if let Some(teller) = teller.take() {
                    drop(teller.join());
                }
            }
        }
        eprintln!("{line}");
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if !self.ended {
            let line = format!("✗ {}  (after {:.1} s)", self.what, self.watch.elapsed().as_secs_f64());
            self.close(&line);
        }
    }
}

/// Without a terminal: says every now and then what the step is at, until its sender is gone.
fn tell(what: &str, watch: Stopwatch, notes: &mpsc::Receiver<String>) {
    let mut last = String::new();
    let mut told = 0;
    loop {
        match notes.recv_timeout(SIGN_OF_LIFE) {
            Ok(note) => last = note,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let rounds = watch.elapsed().as_secs() / SIGN_OF_LIFE.as_secs();
        if rounds > told {
            told = rounds;
            let at = if last.is_empty() { String::new() } else { format!(": {last}") };
            eprintln!("  … {what}{at}  ({} s)", watch.elapsed().as_secs());
        }
    }
}

/// A line for people.
pub fn say(line: impl AsRef<str>) {
    eprintln!("{}", line.as_ref());
}
