//! A program tied to a core, and its end: with the guard that holds it, and with this process, however that ends. Time
//! measured on a core is worth nothing while a server of an earlier run still lives there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use kvtenant_tests::clock;
use kvtenant_tests::process::{self, Process};
use nix::sys::signal::Signal;

/// Of a program's log, what a person reads when it failed.
const LAST_LINES: usize = 10;

#[derive(Debug)]
pub(crate) struct Running {
    process: Process,
    log: PathBuf,
}

impl Running {
    /// Starts `program` on `core`; what it prints goes to a file named after it in `folder`.
    pub(crate) fn start<A: AsRef<OsStr>>(
        name: &str,
        core: usize,
        folder: &Path,
        program: impl AsRef<OsStr>,
        arguments: &[A],
    ) -> Result<Self> {
        // Each of these replaces itself by the next, so that one process id stands for the program. The signal at the
        // parent's death is for an end of this process that leaves no time for guards.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "taskset", "--cpu-list", &core.to_string()]);
        command.arg(program).args(arguments).env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        let log = folder.join(format!("{name}.log"));
        let process = Process::start(name, &mut command, &log)?;
        Ok(Self { process, log })
    }

    pub(crate) fn pid(&self) -> i32 {
        self.process.pid
    }

    pub(crate) fn is_running(&self) -> bool {
        self.process.is_running()
    }

    /// All that it printed so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn last_words(&self) -> String {
        process::tail(&self.log, LAST_LINES)
    }

    /// Asks it to end, as one ends a server in use, and waits until it has.
    pub(crate) fn finish(self, limit: Duration) -> Result<()> {
        self.process.signal(Signal::SIGTERM);
        self.until_it_ends(limit).map(drop)
    }

    /// Waits until it has ended by itself and gives what it printed.
    pub(crate) fn until_it_ends(self, limit: Duration) -> Result<String> {
        let what = format!("{} to end", self.process.name);
        clock::wait_for(&what, limit, || Ok((!self.is_running()).then_some(())))?;
        // Takes note of the end, which adds its processor time to that of our ended children.
        self.process.end()?;
        Ok(self.said())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_running() && self.process.end().is_err() {
            // The wait was interrupted, which has been told already; the end must be waited for all the same.
            clock::forget_interruption();
            let _ = self.process.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::machine::Cores;

    #[test]
    fn a_program_runs_on_its_core_alone_and_ends_with_its_guard() {
        let core = Cores::choose().unwrap().servers;
        let folder = tempfile::tempdir().unwrap();
        let running = Running::start("sleep", core, folder.path(), "sleep", &["60"]).unwrap();
        let status = format!("/proc/{}/status", running.pid());
        let wanted = format!("Cpus_allowed_list:\t{core}");
        let limit = Duration::from_secs(10);
        clock::wait_for("sleep on its core", limit, || {
            let status = std::fs::read_to_string(&status)?;
            Ok((status.starts_with("Name:\tsleep") && status.contains(&wanted)).then_some(()))
        })
        .unwrap();
        drop(running);
        assert!(!Path::new(&status).exists(), "it goes on after its guard is gone");
    }

    #[test]
    fn what_a_program_said_is_there_at_its_end() {
        let core = Cores::choose().unwrap().servers;
        let folder = tempfile::tempdir().unwrap();
        let running = Running::start("echo", core, folder.path(), "echo", &["hello"]).unwrap();
        assert_eq!(running.until_it_ends(Duration::from_secs(10)).unwrap(), "hello\n");
    }
}
