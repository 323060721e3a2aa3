//! Taking a cluster down, and looking whether anything of it is left. Both find what belongs to the cluster by its
//! control groups, namespaces and folders, never by the name of a program; so they work after a crash as well.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};
use nix::mount::{MntFlags, umount2};

use super::state::State;
use super::{cgroup, network};
use crate::home;

/// Removes everything that the cluster `name` has, in whatever state it is, and checks that nothing is left.
pub(super) fn remove(name: &str) -> Result<()> {
    let group = cgroup::name(name, None);
    let folder = home::clusters()?.join(name);
    // First, and for good: without its groups nothing more of the cluster can start.
    cgroup::remove(&group)?;
    for mount in mounts_below(&folder) {
        // Lazily: a mount that somebody still looks into is gone for everybody else, and for good when they leave.
        umount2(Path::new(&mount), MntFlags::MNT_DETACH)?;
    }
    for namespace in network::existing(name) {
        network::remove(&namespace)?;
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    match leftovers(name)?.as_slice() {
        [] => Ok(()),
        left => bail!("the cluster {name} left something behind: {}", left.join(", ")),
    }
}

/// Whatever is left of the cluster `name`: processes, mounts, namespaces, control groups, links, files.
pub fn leftovers(name: &str) -> Result<Vec<String>> {
    let mut left = Vec::new();
    let folder = home::clusters()?.join(name);
    let group = cgroup::name(name, None);
    for pid in processes_of(name, &folder) {
        left.push(format!("process {pid}"));
    }
    left.extend(mounts_below(&folder).into_iter().map(|mount| format!("mount {mount}")));
    left.extend(network::existing(name).into_iter().map(|namespace| format!("network namespace {}", namespace.0)));
    left.extend(cgroup::existing(&group).into_iter().map(|path| format!("control group {}", path.display())));
    left.extend(links().into_iter().map(|link| format!("link {link}")));
    if folder.exists() {
        left.push(format!("folder {}", folder.display()));
    }
    Ok(left)
}

/// True while any process of the cluster lives.
pub(super) fn is_alive(name: &str) -> bool {
    !cgroup::processes(&cgroup::name(name, None)).is_empty()
}

/// Lists the names of clusters that have namespaces or control groups but no state: their folder was removed by hand.
pub(super) fn strays() -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let known: Vec<String> = State::all()?.into_iter().map(|state| state.name).collect();
    for entry in fs::read_dir("/run/netns").into_iter().flatten().flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        if let Some((name, _)) = file.strip_prefix("kvt.").and_then(|rest| rest.split_once('.')) {
            names.push(name.to_owned());
        }
    }
    names.retain(|name| !known.contains(name));
    names.sort();
    names.dedup();
    Ok(names)
}

/// Members of the cluster's groups, and whoever names its folder or namespaces on its command line.
fn processes_of(name: &str, folder: &Path) -> Vec<i32> {
    let mut found = cgroup::processes(&cgroup::name(name, None));
    let folder = format!("{}/", folder.display());
    let namespaces = format!("/run/netns/{}", network::prefix(name));
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        // The program that asks (`testbed down`, a test) is not a part of the cluster.
        if u32::try_from(pid) != Ok(std::process::id()) && (line.contains(&folder) || line.contains(&namespaces)) {
            found.push(pid);
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Mount points in or below a folder, the deepest first.
fn mounts_below(folder: &Path) -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut found: Vec<String> = table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|point| point.replace("\\040", " "))
        .filter(|point| Path::new(point).starts_with(folder))
        .collect();
    found.sort_by_key(|point| std::cmp::Reverse(point.len()));
    found
}

/// Cables that ended up outside of the namespaces. They are made inside, so there should never be one.
fn links() -> Vec<String> {
    let names = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("v-node")).collect()
}
