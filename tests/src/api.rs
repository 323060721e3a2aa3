//! A control plane alone (etcd, API server, controller manager), for tests that need the real API and no pods (L2).
//! One per test program, a namespace per test. It runs on loopback, needs no root, and cannot outlive its test
//! program, however that one ends: a supervisor holds it and lets go when its stdin closes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::control_plane::{self, API_PORT, Place};
use crate::process::Process;
use crate::programs::{Family, Programs};

/// A control plane that lives as long as this value's test program.
#[derive(Debug)]
pub struct ApiServer {
    kubeconfig: PathBuf,
    audit_log: PathBuf,
    // Both are held, not used: closing the pipe is what ends the supervisor.
    _supervisor: Child,
    _held: ChildStdin,
}

/// What the supervisor tells when it is ready.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Ready {
    kubeconfig: PathBuf,
    audit_log: PathBuf,
}

impl ApiServer {
    /// The one of this test program, started at the first call. `testbed` is the path of that program
    /// (`env!("CARGO_BIN_EXE_testbed")` in a test).
    pub fn shared(testbed: &str) -> &'static Self {
        static SHARED: OnceLock<ApiServer> = OnceLock::new();
        SHARED.get_or_init(|| {
            Self::start(testbed).unwrap_or_else(|error| panic!("no control plane to test on: {error:#}"))
        })
    }

    pub fn start(testbed: &str) -> Result<Self> {
        // Built here, where progress is seen, and not within the supervisor's silence.
        Programs::of(Family::Kubernetes)?;
        let mut supervisor = Command::new(testbed)
            .arg("control-plane")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C is for the test program; the supervisor then sees its end, and cleans up.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {testbed}"))?;
        let held = supervisor.stdin.take().expect("stdin was asked to be a pipe");
        let mut line = String::new();
        BufReader::new(supervisor.stdout.take().expect("stdout was asked to be a pipe")).read_line(&mut line)?;
        let Ok(ready) = serde_json::from_str::<Ready>(&line) else {
            let status = supervisor.wait()?;
            bail!("the control plane did not come up ({status}); what it said stands above");
        };
        Ok(Self { kubeconfig: ready.kubeconfig, audit_log: ready.audit_log, _supervisor: supervisor, _held: held })
    }

    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// One JSON line per answered request: who, what, which answer.
    pub fn audit_log(&self) -> &Path {
        &self.audit_log
    }

    /// A client with all rights. Clients belong to the runtime they were made in, so each test makes its own.
    pub async fn client(&self) -> Result<Client> {
        client(&self.kubeconfig).await
    }

    /// A namespace of the test's own, so that tests run side by side.
    pub async fn namespace(&self, client: &Client) -> Result<String> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("test-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let metadata = ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() };
        let namespaces: Api<Namespace> = Api::all(client.clone());
        namespaces.create(&PostParams::default(), &Namespace { metadata, ..Namespace::default() }).await?;
        Ok(name)
    }

    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let kubectl = Programs::of(Family::Kubernetes)?.path("kubectl");
        crate::shell::output(Command::new(kubectl).env("KUBECONFIG", &self.kubeconfig).args(arguments))
    }
}

/// A client for the cluster that a kubeconfig file names.
pub async fn client(kubeconfig: &Path) -> Result<Client> {
    let read = Kubeconfig::read_from(kubeconfig).with_context(|| format!("cannot read {}", kubeconfig.display()))?;
    let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}

/// Whether the API server says that it is ready.
pub async fn is_ready(client: &Client) -> bool {
    let request = http::Request::get("/readyz").body(Vec::new()).expect("the request is a constant");
    client.request_text(request).await.is_ok()
}

/// The supervisor's whole life (`testbed control-plane`): start, say so on stdout, wait until stdin closes, end all.
pub fn supervise() -> Result<()> {
    let folder = tempfile::Builder::new().prefix("kvt-control-plane-").tempdir()?;
    let place = Place {
        folder: folder.path().to_path_buf(),
        address: own_address(std::process::id())?,
        services: (Ipv4Addr::new(10, 96, 0, 0), 16),
        audit: true,
    };
    control_plane::prepare(&place)?;
    let mut running = Running(Vec::new());
    running.0.extend(control_plane::start_api(&place, &dies_with_us)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = runtime.block_on(client(&place.admin_kubeconfig()))?;
    control_plane::wait_ready(&place, &running.0, || Ok(runtime.block_on(is_ready(&client))))?;
    running.0.extend(control_plane::start_controllers(&place, false, &dies_with_us)?);
    let ready = Ready { kubeconfig: place.admin_kubeconfig(), audit_log: place.audit_log() };
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", serde_json::to_string(&ready)?)?;
    stdout.flush()?;
    // Whoever started us holds the other end; it closes when they end, in whatever way.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Ends its processes on every way out; should we be killed outright, the kernel does it (see [`dies_with_us`]).
struct Running(Vec<Process>);

impl Drop for Running {
    fn drop(&mut self) {
        for process in &self.0 {
            process.signal(nix::sys::signal::Signal::SIGKILL);
        }
        for process in &self.0 {
            drop(process.end());
        }
    }
}

/// The kernel kills the program when the thread that started it ends, so it must be started by the main thread.
fn dies_with_us(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// A loopback address of our own, made of our pid: no two supervisors share one, so the usual ports are free on it.
fn own_address(pid: u32) -> Result<Ipv4Addr> {
    let [_, high, middle, low] = pid.to_be_bytes();
    let address = Ipv4Addr::new(127, 64 | high, middle, low);
    for port in [2379, 2380, API_PORT] {
        TcpListener::bind((address, port))
            .with_context(|| format!("{address}:{port} is taken by another program: end it, or try again"))?;
    }
    Ok(address)
}
