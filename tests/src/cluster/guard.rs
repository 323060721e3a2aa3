//! A cluster that cannot outlive the test program that made it: a guard, a process of its own, takes it down when its
//! stdin closes, and that happens however the test program ends, `kill -9` included.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result};

use super::Cluster;

/// Held by the test program for as long as it wants its cluster.
#[derive(Debug)]
pub struct Guard {
    child: Child,
    held: Option<ChildStdin>,
}

impl Guard {
    /// Watches over the cluster `name`, which need not exist yet. `testbed` is the path of that program.
    pub fn over(testbed: &str, name: &str) -> Result<Self> {
        let mut child = Command::new(testbed)
            .args(["--name", name, "guard"])
            .stdin(Stdio::piped())
            // Ctrl-C is for the test program; the guard then sees its end.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {testbed}"))?;
        let held = child.stdin.take();
        Ok(Self { child, held })
    }
}

impl Drop for Guard {
    /// Lets go and waits until the cluster is down.
    fn drop(&mut self) {
        drop(self.held.take());
        drop(self.child.wait());
    }
}

/// The guard's whole life (`testbed guard`).
pub fn keep_until_closed(name: &str) -> Result<()> {
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Cluster::down(name)
}
