//! A cluster that cannot outlive the test program that made it: a guard, a process of its own, takes it down when its
//! stdin closes, and that happens however the test program ends, `kill -9` included.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result};

use super::Cluster;

/// The fewest on which "another node" means something.
const NODES_FOR_TESTS: usize = 2;

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

/// The cluster of this test program: the one that `KVT_NAME` names (`testbed with` does that), else one of its own
/// that goes when the program ends. `testbed` is the path of that program (`env!("CARGO_BIN_EXE_testbed")`).
pub fn for_tests(testbed: &str) -> &'static Cluster {
    static SHARED: OnceLock<(Cluster, Option<Guard>)> = OnceLock::new();
    let make = || -> Result<_> {
        if let Ok(name) = std::env::var("KVT_NAME") {
            return Ok((Cluster::find(&name)?, None));
        }
        let name = format!("t{}", std::process::id());
        let guard = Guard::over(testbed, &name)?;
        Ok((Cluster::up(&name, NODES_FOR_TESTS)?, Some(guard)))
    };
    let (cluster, _) = SHARED.get_or_init(|| make().unwrap_or_else(|error| panic!("no cluster to test on: {error:#}")));
    cluster
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
