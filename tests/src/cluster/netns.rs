//! Being inside a network namespace: programs by `nsenter`, our own code by moving one thread.
//!
//! `ip netns exec` is not used: it mounts a fresh /sys, which hides the cgroups from kubelet.

use std::ffi::OsStr;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use nix::sched::{CloneFlags, setns};

/// A named network namespace.
#[derive(Debug, Clone)]
pub struct Netns(pub(super) String);

impl Netns {
    pub fn path(&self) -> PathBuf {
        PathBuf::from("/run/netns").join(&self.0)
    }

    pub fn exists(&self) -> bool {
        self.path().exists()
    }

    /// A program that is to run inside.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.path().display())).arg("--").arg(program);
        command
    }

    /// Runs `work` on a thread inside the namespace: every socket it opens belongs there. Threads started from it
    /// are inside too, so a `current_thread` runtime with all its helpers is.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let namespace = File::open(self.path()).with_context(|| format!("there is no network namespace {}", self.0))?;
        std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    setns(&namespace, CloneFlags::CLONE_NEWNET)
                        .with_context(|| format!("cannot enter {}: are you root?", self.0))?;
                    work()
                })
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// As [`Netns::run`], for async code.
    pub fn block_on<T, F>(&self, work: impl FnOnce() -> F + Send) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>>,
    {
        self.run(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(work())
        })
    }
}
