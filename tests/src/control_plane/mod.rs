//! The control plane: etcd, API server, controller manager and scheduler, as real processes. It says with which flags
//! they run and when they are ready; where they run (loopback or a network namespace) is the caller's business.

mod flags;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::clock::wait_for;
use crate::home;
use crate::pki::Pki;
use crate::process::{Process, tail};
use crate::programs::{Family, Programs};

/// etcd and the API server are ready in 3 seconds on two quiet cores; a build beside them may take ten times that.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Port of the API server, at an address that is the control plane's own.
pub const API_PORT: u16 = 6443;

/// Where a control plane runs and what it serves.
#[derive(Debug, Clone)]
pub struct Place {
    /// Certificates, etcd's data, logs.
    pub folder: PathBuf,
    /// The address that all its programs listen at.
    pub address: Ipv4Addr,
    /// The range of Service addresses; its first address is the API server's own.
    pub services: (Ipv4Addr, u8),
    /// Write who asked for what to `audit.log`: the proof of what a client did and of what it did not.
    pub audit: bool,
}

impl Place {
    pub fn server(&self) -> String {
        format!("https://{}:{API_PORT}", self.address)
    }

    pub fn log(&self, component: &str) -> PathBuf {
        self.folder.join("log").join(format!("{component}.log"))
    }

    pub fn admin_kubeconfig(&self) -> PathBuf {
        self.pki_folder().join("admin.kubeconfig")
    }

    pub fn audit_log(&self) -> PathBuf {
        self.folder.join("audit.log")
    }

    pub fn pki_folder(&self) -> PathBuf {
        self.folder.join("pki")
    }

    fn pki(&self, file: &str) -> String {
        self.pki_folder().join(file).display().to_string()
    }

    /// The API server's own Service address.
    fn first_service(&self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.services.0) + 1)
    }
}

/// How a program of the control plane is started: as it is, or inside a namespace and a cgroup.
pub type Wrap<'a> = &'a dyn Fn(&Path) -> Command;

/// Makes the certificates of the control plane; the caller adds those of its nodes.
pub fn prepare(place: &Place) -> Result<Pki> {
    home::made(place.folder.join("log"))?;
    let pki = Pki::create(&place.pki_folder())?;
    let own = [place.address.into(), place.first_service().into(), Ipv4Addr::LOCALHOST.into()];
    pki.issue("apiserver", "kube-apiserver", None, &own)?;
    for (file, user, group) in [
        ("admin", "admin", Some("system:masters")),
        ("kube-controller-manager", "system:kube-controller-manager", None),
        ("kube-scheduler", "system:kube-scheduler", None),
        ("kubelet-client", "kube-apiserver-kubelet-client", Some("system:masters")),
        ("front-proxy", "front-proxy", None),
    ] {
        pki.issue(file, user, group, &[])?;
    }
    for file in ["admin", "kube-controller-manager", "kube-scheduler"] {
        pki.kubeconfig(file, &place.server())?;
    }
    if place.audit {
        home::write(place.folder.join("audit-policy.yaml"), flags::AUDIT_POLICY)?;
    }
    Ok(pki)
}

/// Starts etcd and the API server; they are not ready yet when this returns.
pub fn start_api(place: &Place, wrap: Wrap) -> Result<Vec<Process>> {
    let programs = Programs::of(Family::Kubernetes)?;
    Ok(vec![
        start(place, &programs, "etcd", &flags::etcd(place), wrap)?,
        start(place, &programs, "kube-apiserver", &flags::apiserver(place), wrap)?,
    ])
}

/// Starts what acts on the objects.
pub fn start_controllers(place: &Place, with_scheduler: bool, wrap: Wrap) -> Result<Vec<Process>> {
    let programs = Programs::of(Family::Kubernetes)?;
    let mut started =
        vec![start(place, &programs, "kube-controller-manager", &flags::controller_manager(place), wrap)?];
    if with_scheduler {
        started.push(start(place, &programs, "kube-scheduler", &flags::scheduler(place), wrap)?);
    }
    Ok(started)
}

/// Waits until the API server says that it is ready. `probe` asks it; a program that ended meanwhile is named with
/// the last lines of its log, since waiting for it is in vain.
pub fn wait_ready(place: &Place, processes: &[Process], mut probe: impl FnMut() -> Result<bool>) -> Result<()> {
    let mut dead = None;
    wait_for("the API server to be ready", READY_WITHIN, || {
        dead = processes.iter().find(|process| !process.is_running()).map(|process| process.name.clone());
        if dead.is_some() {
            return Ok(Some(()));
        }
        Ok(probe()?.then_some(()))
    })
    .with_context(|| format!("see {}", place.log("kube-apiserver").display()))?;
    match dead {
        None => Ok(()),
        Some(name) => anyhow::bail!("{name} ended by itself; its last words:\n{}", tail(&place.log(&name), 8)),
    }
}

fn start(place: &Place, programs: &Programs, name: &str, flags: &[String], wrap: Wrap) -> Result<Process> {
    let mut command = wrap(&programs.path(name));
    command.args(flags);
    Process::start(name, &mut command, &place.log(name))
}
