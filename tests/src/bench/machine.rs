//! What the figures were taken on: figures without it cannot be compared with any others. It names neither the host nor
//! any of its folders.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use kvtenant_tests::{home, shell};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::sys::utsname::uname;
use nix::unistd::Pid;

/// The machine and the programs, a sentence or so each.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory: String,
    pub(crate) kernel: String,
    pub(crate) hypervised: bool,
    pub(crate) versions: Vec<(&'static str, String)>,
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

pub(crate) fn describe(kvnode: &Path) -> Result<Machine> {
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kilobytes = value(&memory, "MemTotal").and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok());
    Ok(Machine {
        processor: value(&processors, "model name").unwrap_or("not told by the kernel").to_owned(),
        cores: processors.lines().filter(|line| line.starts_with("processor")).count(),
        memory: kilobytes.map_or("not told".to_owned(), |size| format!("{} GiB", size.div_ceil(1024 * 1024))),
        kernel: uname()?.release().to_string_lossy().into_owned(),
        hypervised: value(&processors, "flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
        versions: versions(kvnode)?,
    })
}

fn versions(kvnode: &Path) -> Result<Vec<(&'static str, String)>> {
    let said = |program: &str, flag: &str| -> Result<String> {
        // nginx and wrk tell their version on stderr, and wrk then ends as if that had been an error.
        let output = Command::new(program).arg(flag).output().with_context(|| format!("cannot start {program}"))?;
        let text = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned())
    };
    let nginx = said("nginx", "-v")?;
    let wrk = said("wrk", "-v")?;
    let redis = said("redis-server", "--version")?;
    Ok(vec![
        (
            "kvnode",
            format!(
                "{}, {}, {}",
                said(&kvnode.to_string_lossy(), "--version")?,
                commit()?,
                said("rustc", "--version")?
            ),
        ),
        ("nginx", nginx.trim_start_matches("nginx version: ").to_owned()),
        ("redis-server", redis.split_whitespace().find(|word| word.starts_with("v=")).unwrap_or(&redis).to_owned()),
        ("wrk", wrk.split_whitespace().nth(1).unwrap_or(&wrk).to_owned()),
    ])
}

/// The commit that changed kvnode last, and whether the tree has changes beyond it.
fn commit() -> Result<String> {
    let git = |arguments: &[&str]| shell::output(Command::new("git").current_dir(home::workspace()).args(arguments));
    let last = git(&["log", "-1", "--format=%h of %as", "--", "kvnode"])?;
    let beyond = git(&["status", "--porcelain", "--", "kvnode"])?;
    let beyond = if beyond.is_empty() { "" } else { " with changes that are not committed" };
    Ok(format!("commit {}{beyond}", last.trim()))
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
