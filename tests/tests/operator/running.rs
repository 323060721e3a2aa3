//! The operator as a process: built from the source tree as it is, speaking as the account of config/rbac, on
//! free ports of loopback. It must never outlive the test program, nor speak with more rights than it has in a cluster.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use http::{Method, StatusCode};
use kvtenant_tests::api::ApiServer;
use kvtenant_tests::clock::{wait_for, wait_until};
use kvtenant_tests::http::request;
use kvtenant_tests::process::Process;
use kvtenant_tests::{home, pki, products};
use serde_json::{Value, json};

use crate::TESTBED;

/// Every condition of these tests comes true within a second or two on a quiet machine.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Last lines of the log that a failed test shows.
const LINES_SHOWN: usize = 12;

/// A running operator. It ends when this value goes, and with the test program at the latest.
#[derive(Debug)]
pub(crate) struct Operator {
    process: Process,
    log: PathBuf,
    metrics: String,
    health: String,
}

/// The one operator of the shared control plane, installed as the README says.
pub(crate) fn shared() -> (&'static ApiServer, &'static Operator) {
    static SHARED: OnceLock<Operator> = OnceLock::new();
    let server = ApiServer::shared(TESTBED);
    let install = || -> Result<Operator> {
        apply(server, "config/default")?;
        Operator::start(server, &[])
    };
    (server, SHARED.get_or_init(|| install().unwrap_or_else(|error| panic!("no operator to test: {error:#}"))))
}

/// Applies a folder of the source tree.
pub(crate) fn apply(server: &ApiServer, folder: &str) -> Result<()> {
    kubectl(server, &["apply", "--server-side", "-k", &home::workspace().join(folder).to_string_lossy()]).map(drop)
}

/// kubectl whose memory of what the API server knows goes with the control plane.
pub(crate) fn kubectl(server: &ApiServer, arguments: &[&str]) -> Result<String> {
    let cache = server.audit_log().with_file_name("kubectl-cache");
    server.kubectl(&[&["--cache-dir", &cache.to_string_lossy()][..], arguments].concat())
}

impl Operator {
    /// Starts one; its account has to exist. `arguments` come after those that all tests need.
    pub(crate) fn start(server: &ApiServer, arguments: &[&str]) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let log = server.audit_log().with_file_name(format!("operator-{number}.log"));
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program()?).arg("run");
        command.args(["--metrics-addr", "127.0.0.1:0", "--health-addr", "127.0.0.1:0", "--log-format", "json"]);
        // Our own debug lines tell when a pass over a tenant begins, which nothing else shows for one tenant alone.
        command.args(["--log-level", "info,kvtenant_operator=debug"]).args(arguments);
        command.env("KUBECONFIG", kubeconfig(server)?);
        let process = start_from_a_lasting_thread(command, log.clone())?;
        let mut operator = Self { process, log, metrics: String::new(), health: String::new() };
        let line = wait_for("the operator to say where it listens", SOON, || {
            if !operator.process.is_running() {
                bail!("it ended: {}", operator.last_lines(""));
            }
            Ok(operator.lines()?.into_iter().find(|line| line["message"] == "listening"))
        })?;
        let address = |of: &str| line[of].as_str().map(str::to_owned).context("it names its addresses");
        (operator.metrics, operator.health) = (address("metrics")?, address("health")?);
        Ok(operator)
    }

    /// Kills it and waits until it is gone.
    pub(crate) fn end(&self) -> Result<()> {
        self.process.end()
    }

    /// What /readyz answers.
    pub(crate) async fn readiness(&self) -> Result<(StatusCode, String)> {
        let answer = request(Method::GET, &self.health, "/readyz", None).await?;
        Ok((answer.status, answer.body))
    }

    pub(crate) async fn wait_ready(&self) -> Result<()> {
        let look = || async { Ok((self.readiness().await?.0 == StatusCode::OK).then_some(())) };
        wait_until("the operator to be ready", SOON, look).await.with_context(|| self.last_lines(""))
    }

    /// What /metrics says.
    pub(crate) async fn metrics(&self) -> Result<String> {
        Ok(request(Method::GET, &self.metrics, "/metrics", None).await?.body)
    }

    /// Everything logged so far.
    pub(crate) fn lines(&self) -> Result<Vec<Value>> {
        let text = fs::read_to_string(&self.log)?;
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// How many passes over a tenant have begun. There is one at a time for each tenant, so one that begins tells that
    /// the one before is over.
    pub(crate) fn passes(&self, namespace: &str, tenant: &str) -> Result<usize> {
        let of_tenant = |line: &&Value| {
            line["message"] == "a pass begins"
                && line["span"]["namespace"] == namespace
                && line["span"]["tenant"] == tenant
        };
        Ok(self.lines()?.iter().filter(of_tenant).count())
    }

    /// The last logged lines that hold `word`, for the error of a test that waited in vain.
    pub(crate) fn last_lines(&self, word: &str) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().filter(|line| line.contains(word)).collect();
        format!("the operator's last words:\n{}", lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n"))
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        drop(self.end());
    }
}

/// The kernel kills the operator when the thread that started it ends. A test's thread ends with its test; this one
/// lives as long as the program.
fn start_from_a_lasting_thread(mut command: Command, log: PathBuf) -> Result<Process> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        // Nobody listens only if the test was given up, and then it does not matter.
        let _ = tell.send(Process::start("kvtenant-operator", &mut command, &log));
        loop {
            thread::park();
        }
    });
    told.recv().context("the thread that starts the operator ended")?
}

/// A kubeconfig in which the operator is the account of config/rbac, and not an administrator.
fn kubeconfig(server: &ApiServer) -> Result<PathBuf> {
    let token =
        kubectl(server, &["-n", "kvtenant-system", "create", "token", "kvtenant-operator", "--duration", "2h"])?;
    let admin: Value = serde_json::from_str(&fs::read_to_string(server.kubeconfig())?)?;
    let address = admin["clusters"][0]["cluster"]["server"].as_str().context("a kubeconfig names its server")?;
    let authority = fs::read_to_string(server.kubeconfig().with_file_name("ca.crt"))?;
    let path = server.audit_log().with_file_name("operator.kubeconfig");
    home::write(&path, pki::kubeconfig(address, &authority, &json!({"token": token.trim()})))?;
    Ok(path)
}

/// The operator's program, built from the sources as they are now.
fn program() -> Result<&'static Path> {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    if let Some(built) = PROGRAM.get() {
        return Ok(built);
    }
    let built = products::for_tests("kvtenant-operator")?;
    Ok(PROGRAM.get_or_init(|| built))
}
