//! What the nodes need from the system: containerd, runc, CNI plugins and a few tools. Installed from Debian or
//! Ubuntu by `tests/install-packages.sh` when we may, else named.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::progress::Step;
use crate::{home, shell};

/// A program that must be on the PATH, or a file that must exist, and the Debian package that brings it.
const NEEDED: [(&str, &str); 9] = [
    ("containerd", "containerd"),
    ("ctr", "containerd"),
    ("runc", "runc"),
    ("/usr/lib/cni/bridge", "containernetworking-plugins"),
    ("nft", "nftables"),
    ("conntrack", "conntrack"),
    ("ip", "iproute2"),
    ("nsenter", "util-linux"),
    ("/usr/bin/busybox", "busybox-static"),
];

/// Sees to it that all packages are there.
pub fn ensure() -> Result<()> {
    install(&absent())
}

/// Sees to it that these programs are there, each named with the package that brings it.
pub fn ensure_programs(programs: &[(&str, &'static str)]) -> Result<()> {
    let mut absent: Vec<_> =
        programs.iter().filter(|(program, _)| !shell::found(program)).map(|(_, package)| *package).collect();
    absent.dedup();
    install(&absent)
}

fn install(absent: &[&str]) -> Result<()> {
    if absent.is_empty() {
        return Ok(());
    }
    let list = absent.join(" ");
    if !nix::unistd::geteuid().is_root() {
        bail!("these packages are missing: {list}; install them, or run as root and they are installed for you");
    }
    if !shell::found("apt-get") {
        bail!("these packages are missing: {list}; they can be installed for you on Debian and Ubuntu only");
    }
    let step = Step::start(format!("installing packages: {list}"));
    shell::output(Command::new(home::source().join("install-packages.sh")).args(absent))?;
    step.done("");
    Ok(())
}

fn absent() -> Vec<&'static str> {
    let there = |what: &str| if what.starts_with('/') { Path::new(what).exists() } else { shell::found(what) };
    let mut packages: Vec<_> = NEEDED.iter().filter(|(what, _)| !there(what)).map(|(_, package)| *package).collect();
    if present_builder().is_none() {
        packages.push("buildah");
    }
    packages.dedup();
    packages
}

/// A program that builds images; one is installed if there is none and we may.
pub(crate) fn builder() -> Result<&'static str> {
    if let Some(builder) = present_builder() {
        return Ok(builder);
    }
    install(&["buildah"])?;
    present_builder().context("buildah was installed, but it is not on the PATH")
}

fn present_builder() -> Option<&'static str> {
    ["docker", "podman", "buildah"].into_iter().find(|builder| builds(builder))
}

/// Whether an image builder is there and works: a Docker client without an engine does not.
pub(crate) fn builds(builder: &str) -> bool {
    shell::found(builder) && (builder != "docker" || shell::run("docker", &["info"]).is_ok())
}
