//! Programs that go on after the call that started them: a log file each, a record of who they are, and an end that
//! never hits a stranger. A pid alone may have been given to another program since; a pid and a start time may not.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::clock::wait_for;

/// How long a killed process may take to be gone: the kernel needs to tear down its memory and namespaces.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// A process, told apart from any later one with the same pid.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Process {
    pub name: String,
    pub pid: i32,
    started: u64,
}

impl Process {
    /// Starts it in a process group of its own, so that Ctrl-C in the terminal does not reach it.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let pid = i32::try_from(child.id()).context("a pid fits into 31 bits")?;
        Ok(Self { name: name.to_owned(), pid, started: start_time(pid).unwrap_or(0) })
    }

    pub fn is_running(&self) -> bool {
        start_time(self.pid) == Some(self.started)
    }

    pub fn signal(&self, signal: Signal) {
        if self.is_running() {
            // It may have ended between the look and the signal; that is what was wanted.
            let _ = kill(Pid::from_raw(self.pid), signal);
        }
    }

    /// Kills it and waits until it is gone.
    pub fn end(&self) -> Result<()> {
        self.signal(Signal::SIGKILL);
        wait_for(&format!("{} (pid {}) to be gone", self.name, self.pid), GONE_WITHIN, || {
            reap(self.pid);
            Ok((!self.is_running()).then_some(()))
        })
    }
}

/// Field 22 of `/proc/<pid>/stat`, the time the process started, in clock ticks since boot. None for a process that
/// is gone or only waits for its parent to notice (a zombie).
fn start_time(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in field 2 may hold blanks and brackets; what follows its last bracket is regular.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    (state != "Z").then(|| fields.nth(18)?.parse().ok())?
}

/// If the process is our own child: takes note of its end, so that it leaves the process table.
fn reap(pid: i32) {
    use nix::sys::wait::{WaitPidFlag, waitpid};
    let _ = waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG));
}

/// The end of a log, for the sentence that says why a program did not come up.
pub fn tail(log: &Path, lines: usize) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_started_process_is_seen_and_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sleep");
        command.arg("60");
        let process = Process::start("sleep", &mut command, &folder.path().join("log")).unwrap();
        assert!(process.is_running());
        process.end().unwrap();
        assert!(!process.is_running());
    }

    #[test]
    fn another_process_with_the_same_pid_is_left_alone() {
        let own_pid = i32::try_from(std::process::id()).unwrap();
        let former = Process { name: "former".into(), pid: own_pid, started: 1 };
        assert!(!former.is_running());
        former.signal(Signal::SIGKILL); // would end this very test
    }
}
