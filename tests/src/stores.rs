//! Servers that speak Redis' protocol, each on free ports of loopback and in a temporary folder: the redis-server that
//! we are compared with, and the node. A server can be stopped and started again where it was, as an update does it.
//! It ends with its [`Store`], and with the thread that started it, in whatever way that ends.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::clock::wait_for;
use crate::packages;
use crate::process::{Process, tail};
use crate::shell;

/// None of them needs a second to come up, or to go, on an idle machine.
const SOON: Duration = Duration::from_secs(30);

/// Between the choice of a free port and its use another program may take it. It will not do so again and again.
const PORT_CHOICES_MAX: usize = 5;

/// Of a server's log, what a person reads when it did not come up.
const LAST_LINES: usize = 10;

/// The Redis whose words are ours too.
const REDIS_VERSION: &str = "7.0.";

/// A value has two mebibytes at most in kvnode, so that Redis refuses what kvnode refuses.
const VALUE_BYTES_MAX: &str = "2097152";

/// One server that takes connections.
#[derive(Debug)]
pub struct Store {
    pub name: &'static str,
    /// The port for clients that know of no cluster, if it has one.
    pub plain: Option<SocketAddr>,
    /// The port for those that do.
    pub cluster: Option<SocketAddr>,
    /// Only kvnode speaks it.
    pub http: Option<SocketAddr>,
    program: PathBuf,
    arguments: Vec<OsString>,
    folder: TempDir,
    process: Process,
}

/// What is kept when a node ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Nothing,
    All,
}

impl Store {
    /// A redis-server for plain clients. It has one database, as kvnode has.
    pub fn redis() -> Result<Self> {
        let program = redis_server()?;
        started(|| {
            let plain = free_address()?;
            let folder = tempfile::tempdir()?;
            let arguments = redis_arguments(plain, folder.path());
            Self::start("redis-server", program.clone(), arguments, folder, [Some(plain), None, None])
        })
    }

    /// A redis-server that is a cluster of its own: one node, which has all slots.
    pub fn redis_cluster() -> Result<Self> {
        let program = redis_server()?;
        let store = started(|| {
            let (cluster, bus) = (free_address()?, free_address()?);
            let folder = tempfile::tempdir()?;
            let mut arguments = redis_arguments(cluster, folder.path());
            let bus = bus.port().to_string();
            let of_cluster = ["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-announce-ip", "127.0.0.1"];
            arguments.extend(of_cluster.map(OsString::from));
            Self::start("redis-server", program.clone(), arguments, folder, [None, Some(cluster), None])
        })?;
        let address = store.cluster.context("it was started with one")?;
        let given = ask(address, "CLUSTER ADDSLOTSRANGE 0 16383")?;
        ensure!(given == "+OK", "redis-server did not take the slots: {given}");
        store.wait_for_slots()?;
        Ok(store)
    }

    /// A node with both ports of Redis' protocol.
    pub fn kvnode(program: &Path, kept: Kept) -> Result<Self> {
        Self::kvnode_with(program, kept, &[])
    }

    /// A node with further flags.
    pub fn kvnode_with(program: &Path, kept: Kept, flags: &[&str]) -> Result<Self> {
        started(|| {
            let (http, plain, cluster) = (free_address()?, free_address()?, free_address()?);
            let folder = tempfile::tempdir()?;
            let ports = [http, plain, cluster].map(|address| address.port().to_string());
            let mut arguments: Vec<OsString> = ["--tenant", "dev", "--name", "n0", "--bind", "127.0.0.1"]
                .into_iter()
                .chain(["--metrics-port", "0", "--port", &ports[0]])
                .chain(["--resp-port", &ports[1], "--resp-cluster-port", &ports[2]])
                .map(OsString::from)
                .collect();
            if kept == Kept::All {
                arguments.extend(["--persistence", "always", "--data-dir"].map(OsString::from));
                arguments.push(folder.path().join("data").into());
            }
            arguments.extend(flags.iter().map(OsString::from));
            Self::start("kvnode", program.to_owned(), arguments, folder, [Some(plain), Some(cluster), Some(http)])
        })
    }

    fn start(
        name: &'static str,
        program: PathBuf,
        arguments: Vec<OsString>,
        folder: TempDir,
        [plain, cluster, http]: [Option<SocketAddr>; 3],
    ) -> Result<Self> {
        let process = launch(name, &program, &arguments, folder.path())?;
        let store = Self { name, plain, cluster, http, program, arguments, folder, process };
        store.wait_until_up()?;
        Ok(store)
    }

    /// Asks it to end, as Kubernetes does, and starts it again on the same ports.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.process = launch(self.name, &self.program, &self.arguments, self.folder.path())?;
        self.wait_until_up()?;
        if self.name == "redis-server" && self.cluster.is_some() {
            self.wait_for_slots()?;
        }
        Ok(())
    }

    /// Asks it to end and waits until it has.
    fn stop(&self) -> Result<()> {
        self.process.signal(Signal::SIGTERM);
        wait_for(&format!("{} to end after SIGTERM", self.name), SOON, || {
            Ok((!self.process.is_running()).then_some(()))
        })?;
        // Takes note of its end.
        self.process.end()
    }

    /// Its resident memory in bytes.
    pub fn memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("a process has memory")?;
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes * 1024)
    }

    pub fn is_running(&self) -> bool {
        self.process.is_running()
    }

    fn wait_until_up(&self) -> Result<()> {
        for address in [self.plain, self.cluster, self.http].into_iter().flatten() {
            let mut ended = false;
            wait_for(&format!("{} to take connections at {address}", self.name), SOON, || {
                ended = !self.process.is_running();
                if ended { Ok(Some(())) } else { Ok(TcpStream::connect(address).map(|_| Some(()))?) }
            })?;
            if ended {
                bail!("{} ended instead of listening; it said: {}", self.name, tail(&self.log(), LAST_LINES));
            }
        }
        // A node listens before it has read what it kept, and says meanwhile that it is loading.
        let Some(http) = self.http else { return Ok(()) };
        wait_for("kvnode to be ready", SOON, || {
            Ok((ask(http, "GET /readyz HTTP/1.0\r\n")? == "HTTP/1.0 200 OK").then_some(()))
        })
    }

    /// A lone node of a Redis cluster takes a moment to believe that its slots are its own.
    fn wait_for_slots(&self) -> Result<()> {
        let address = self.cluster.context("a node without cluster has no slots")?;
        wait_for("redis-server to serve its slots", SOON, || Ok((ask(address, "GET a")? == "$-1").then_some(())))
    }

    fn log(&self) -> PathBuf {
        log(self.name, self.folder.path())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.end();
    }
}

/// Tries other ports while the chosen ones turn out to be taken.
fn started(mut start: impl FnMut() -> Result<Store>) -> Result<Store> {
    for _ in 1..PORT_CHOICES_MAX {
        match start() {
            Err(error) if format!("{error:#}").to_lowercase().contains("in use") => {}
            done => return done,
        }
    }
    start()
}

fn launch(name: &str, program: &Path, arguments: &[OsString], folder: &Path) -> Result<Process> {
    // The signal at the parent's death is for an end of this process that leaves no time for guards.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program).args(arguments).current_dir(folder).env_clear();
    Process::start(name, &mut command, &log(name, folder))
}

fn log(name: &str, folder: &Path) -> PathBuf {
    folder.join(format!("{name}.log"))
}

/// The program, in the version that we are compared with.
fn redis_server() -> Result<PathBuf> {
    packages::ensure_programs(&[("redis-server", "redis-server")])?;
    let version = shell::run("redis-server", &["--version"])?;
    ensure!(
        version.contains(&format!("v={REDIS_VERSION}")),
        "this redis-server is not of version {REDIS_VERSION}x, whose replies ours are compared with: {version}"
    );
    shell::path_of("redis-server").context("redis-server is not on the PATH")
}

fn redis_arguments(address: SocketAddr, folder: &Path) -> Vec<OsString> {
    let port = address.port().to_string();
    let memory_only = ["--save", "", "--appendonly", "no", "--dir"];
    let as_ours = ["--databases", "1", "--proto-max-bulk-len", VALUE_BYTES_MAX];
    let mut arguments: Vec<OsString> = ["--bind", "127.0.0.1", "--port", &port]
        .into_iter()
        .chain(as_ours)
        .chain(memory_only)
        .map(Into::into)
        .collect();
    arguments.push(folder.into());
    arguments
}

/// The first line of the answer to an inline command, or to a request.
fn ask(address: SocketAddr, line: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(SOON))?;
    stream.write_all(format!("{line}\r\n").as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream.take(1024)).read_line(&mut answer)?;
    Ok(answer.trim_end().to_owned())
}

/// An address that nobody has just now.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port of loopback is free")?;
    Ok(listener.local_addr()?)
}
