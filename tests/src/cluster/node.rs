//! One node: containerd, kubelet and kube-proxy in a network and a mount namespace of their own. Inside, `/var/lib`,
//! `/var/log` and `/run` are the node's own, so all programs run with their usual paths, nodes do not see each other,
//! and every mount is gone with the node's last process. Stopping a node is pulling its plug: what lay on its disk is
//! there when it starts again, `/run` is not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::state::{State, node_name};
use super::{cgroup, config, network};
use crate::clock::wait_for;
use crate::process::{Process, tail};
use crate::programs::{Family, Programs};
use crate::{home, shell};

/// containerd opens its socket within a second on a quiet machine.
const SOCKET_WITHIN: Duration = Duration::from_secs(30);

/// What the node sees in place of the host's folders. `--make-rshared` comes last: within the node, mounts are to
/// reach its containers, and none is to reach the host.
const BOOT: &str = r#"
set -eu
mount --bind "$0/var-lib" /var/lib
mount --bind "$0/var-log" /var/log
mount -t tmpfs -o mode=755 tmpfs /run
mount --make-rshared /
exec containerd --config "$0/containerd.toml"
"#;

/// A node of a cluster, by its number.
#[derive(Debug)]
pub(super) struct Node<'a> {
    state: &'a State,
    number: usize,
}

impl<'a> Node<'a> {
    pub(super) fn new(state: &'a State, number: usize) -> Self {
        Self { state, number }
    }

    pub(super) fn name(&self) -> String {
        node_name(self.number)
    }

    /// Starts containerd, in namespaces that all the node's programs share.
    pub(super) fn boot(&self) -> Result<()> {
        let folder = self.folder()?;
        for own in ["var-lib", "var-log"] {
            home::made(folder.join(own))?;
        }
        config::write_node(self.state, self.number, &folder)?;
        for part in [self.group(), self.system_group()] {
            cgroup::create(&part)?;
        }
        let mut command = network::node(&self.state.name, self.number).command("unshare");
        command.args(["--mount", "--propagation", "private", "--", "sh", "-c", BOOT]).arg(&folder);
        let containerd = self.start("containerd", &command)?;
        let socket = PathBuf::from(format!("/proc/{}/root/run/containerd/containerd.sock", containerd.pid));
        wait_for(&format!("containerd of {}", self.name()), SOCKET_WITHIN, || {
            anyhow::ensure!(containerd.is_running(), "it ended: {}", tail(&self.log("containerd")?, 5));
            Ok(socket.exists().then_some(()))
        })
    }

    /// Starts what joins the cluster. The API server must be ready.
    pub(super) fn join(&self) -> Result<()> {
        let programs = Programs::of(Family::Kubernetes)?;
        let folder = self.folder()?;
        let mut kubelet = self.command(programs.path("kubelet"))?;
        kubelet.args([
            format!("--config={}", folder.join("kubelet.yaml").display()),
            format!("--kubeconfig={}", config::kubeconfig(self.state, &self.name())?.display()),
            format!("--hostname-override={}", self.name()),
            format!("--node-ip={}", self.state.range.node(self.number)),
        ]);
        self.start("kubelet", &kubelet)?;
        let mut proxy = self.command(programs.path("kube-proxy"))?;
        proxy.arg(format!("--config={}", folder.join("kube-proxy.yaml").display()));
        self.start("kube-proxy", &proxy)?;
        Ok(())
    }

    /// Pulls the plug.
    pub(super) fn stop(&self) -> Result<()> {
        cgroup::kill_all(&self.group())
    }

    pub(super) fn is_running(&self) -> bool {
        self.containerd().is_ok()
    }

    /// Loads an image archive into the node.
    pub(super) fn load_image(&self, archive: &Path) -> Result<()> {
        let mut import = self.command("ctr")?;
        import.args(["--namespace", "k8s.io", "images", "import"]).arg(archive);
        shell::output(&mut import).with_context(|| format!("{} does not take {}", self.name(), archive.display()))?;
        Ok(())
    }

    /// A program that is to run inside the node, as one logged in there would run it.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Result<Command> {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.containerd()?.pid)).args(["--mount", "--net", "--"]).arg(program);
        Ok(command)
    }

    pub(super) fn log(&self, program: &str) -> Result<PathBuf> {
        Ok(self.folder()?.join("log").join(format!("{program}.log")))
    }

    fn start(&self, program: &str, command: &Command) -> Result<Process> {
        let log = self.log(program)?;
        home::made(log.parent().expect("a log lies in a folder").to_path_buf())?;
        let process = Process::start(program, &mut cgroup::member(&self.system_group(), command), &log)?;
        home::write(self.record(program)?, serde_json::to_vec(&process)?)?;
        Ok(process)
    }

    /// The running containerd, whose namespaces are the node's.
    fn containerd(&self) -> Result<Process> {
        let record = fs::read(self.record("containerd")?);
        let process: Option<Process> = record.ok().and_then(|text| serde_json::from_slice(&text).ok());
        process
            .filter(Process::is_running)
            .with_context(|| format!("{} is stopped: `testbed start {}` starts it", self.name(), self.name()))
    }

    fn record(&self, program: &str) -> Result<PathBuf> {
        Ok(self.folder()?.join(format!("{program}.process.json")))
    }

    pub(super) fn folder(&self) -> Result<PathBuf> {
        Ok(self.state.folder()?.join("nodes").join(self.name()))
    }

    fn group(&self) -> String {
        cgroup::name(&self.state.name, Some(&self.name()))
    }

    fn system_group(&self) -> String {
        format!("{}/system", self.group())
    }
}
