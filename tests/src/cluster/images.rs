//! The images that a cluster needs before anybody's own: made here, from programs built here; none is ever pulled.
//! Their host is `localhost`, so that a node that lacks one says so at once instead of asking a registry.

use std::path::PathBuf;

use anyhow::Result;

use crate::home;
use crate::images::Image;
use crate::programs::{Family, Programs};

pub(super) const PAUSE: &str = "localhost/kvtenant-testbed/pause:1";
pub(super) const COREDNS: &str = "localhost/kvtenant-testbed/coredns:1";
pub(super) const METRICS_SERVER: &str = "localhost/kvtenant-testbed/metrics-server:1";
pub(super) const PROVISIONER: &str = "localhost/kvtenant-testbed/local-path-provisioner:1";
/// A shell and the usual small tools, also for tests.
pub const BUSYBOX: &str = "localhost/kvtenant-testbed/busybox:1";
/// What tests ask about a pod's network.
pub const PROBE: &str = "localhost/kvtenant-testbed/probe:1";

/// Builds what is not there yet and gives the archives of all.
pub(super) fn archives() -> Result<Vec<PathBuf>> {
    let built = [
        (PAUSE, Family::Pause, "pause"),
        (COREDNS, Family::CoreDns, "coredns"),
        (METRICS_SERVER, Family::MetricsServer, "metrics-server"),
        (PROBE, Family::Probe, "probe"),
        (PROVISIONER, Family::LocalPathProvisioner, "local-path-provisioner"),
    ];
    let mut archives = Vec::new();
    for (reference, family, program) in built {
        archives.push(image(reference, "program", Programs::of(family)?.path(program)).archive()?);
    }
    archives.push(image(BUSYBOX, "busybox", PathBuf::from("/usr/bin/busybox")).archive()?);
    Ok(archives)
}

fn image(reference: &str, dockerfile: &str, program: PathBuf) -> Image {
    Image {
        reference: reference.to_owned(),
        dockerfile: home::source().join("images").join(format!("{dockerfile}.Dockerfile")),
        target: None,
        files: vec![("program".to_owned(), program)],
    }
}
