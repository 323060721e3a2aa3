//! What the figures were taken on: figures without it cannot be compared with any others. It names neither the host nor
//! any of its folders.

use std::fs;

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::sys::utsname::uname;
use nix::unistd::Pid;

use super::versions::Version;

/// The machine and the programs, a sentence or so each.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory: String,
    pub(crate) kernel: String,
    pub(crate) hypervised: bool,
    pub(crate) versions: Vec<Version>,
}

/// Where things run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cores {
    pub(crate) servers: usize,
    /// Another one, for a client that is not to take the server's time; none when this process may use one only.
    pub(crate) spare: Option<usize>,
}

impl Cores {
    /// The last two that this process may use: the first ones have more of the kernel's own work.
    pub(crate) fn choose() -> Result<Self> {
        let allowed = sched_getaffinity(Pid::from_raw(0))?;
        let mut usable = (0..CpuSet::count()).rev().filter(|core| allowed.is_set(*core).unwrap_or(false));
        let servers = usable.next().context("this process may use no core at all")?;
        Ok(Self { servers, spare: usable.next() })
    }
}

/// The cores of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    pub(crate) server: usize,
    pub(crate) client: usize,
}

impl Places {
    pub(crate) fn are_one(self) -> bool {
        self.server == self.client
    }
}

pub(crate) fn describe(versions: Vec<Version>) -> Result<Machine> {
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kilobytes = value(&memory, "MemTotal").and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok());
    Ok(Machine {
        processor: value(&processors, "model name").unwrap_or("not told by the kernel").to_owned(),
        cores: processors.lines().filter(|line| line.starts_with("processor")).count(),
        memory: kilobytes.map_or("not told".to_owned(), |size| format!("{} GiB", size.div_ceil(1024 * 1024))),
        kernel: uname()?.release().to_string_lossy().into_owned(),
        hypervised: value(&processors, "flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
        versions,
    })
}

/// Of lines `name : value`, the first with this name.
fn value<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_whole_name() {
        let text = "MemTotalOther:  1 kB\nMemTotal:       2 kB\n";
        assert_eq!(value(text, "MemTotal"), Some("2 kB"));
        assert_eq!(value(text, "Mem"), None);
    }
}
