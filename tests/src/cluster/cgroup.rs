//! The control groups of a cluster, `/kvt.NAME/PART`: the limits of pods hang below them, and whoever lives in them is
//! known to belong to the cluster, so that taking it down finds every process without knowing a single name.
//! Works on a host with the first version of cgroups (a tree per controller) and with the second (one tree).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::clock::wait_for;

const ROOT: &str = "/sys/fs/cgroup";

/// Controllers that kubelet wants to find in the tree of its pods (second version).
const CONTROLLERS: [&str; 5] = ["cpuset", "cpu", "io", "memory", "pids"];

/// Killed processes free their memory and mounts first; under load that takes a while.
const EMPTY_WITHIN: Duration = Duration::from_secs(30);

/// The name of a cluster's group, or of a part of it, below the root of each tree.
pub(super) fn name(cluster: &str, part: Option<&str>) -> String {
    match part {
        None => format!("kvt.{cluster}"),
        Some(part) => format!("kvt.{cluster}/{part}"),
    }
}

/// Makes a group in every tree.
pub(super) fn create(group: &str) -> Result<()> {
    for tree in trees() {
        let mut path = tree.clone();
        for step in group.split('/') {
            if is_second_version() {
                hand_down_controllers(&path);
            }
            let parent = path.clone();
            path.push(step);
            fs::create_dir_all(&path).with_context(|| format!("cannot make the control group {}", path.display()))?;
            // A new group of the cpuset tree has no cores and no memory, and takes in nobody until it has.
            for file in ["cpuset.cpus", "cpuset.mems"] {
                if let (false, Ok(value)) = (is_second_version(), fs::read(parent.join(file))) {
                    fs::write(path.join(file), value)?;
                }
            }
        }
    }
    Ok(())
}

/// The same program, which first becomes a member of the group. The pid that is recorded stays the program's own,
/// and whatever it starts is a member too. One tree is enough for that.
pub(super) fn member(group: &str, program: &Command) -> Command {
    let tree = if is_second_version() { PathBuf::from(ROOT) } else { Path::new(ROOT).join("pids") };
    let mut command = Command::new("sh");
    command.args(["-c", r#"echo $$ > "$0" && exec "$@""#]).arg(tree.join(group).join("cgroup.procs"));
    command.arg(program.get_program()).args(program.get_args());
    command
}

/// Every process in the group and below it.
pub(super) fn processes(group: &str) -> Vec<i32> {
    let mut found: Vec<i32> =
        trees().iter().flat_map(|tree| below(&tree.join(group))).flat_map(|group| pids_of(&group)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Kills every process in the group and below it, again and again until there is none: some start others meanwhile.
pub(super) fn kill_all(group: &str) -> Result<()> {
    wait_for(&format!("the processes of {group} to be gone"), EMPTY_WITHIN, || {
        Ok((kill_members(group) == 0).then_some(()))
    })
}

/// Kills whoever is in the group, and removes it and all groups below it. Both at once: a program that was being started
/// when its parent died becomes a member a moment later, until there is no group left that it could join.
pub(super) fn remove(group: &str) -> Result<()> {
    wait_for(&format!("the control group {group} to be empty and gone"), EMPTY_WITHIN, || {
        kill_members(group);
        let mut groups: Vec<PathBuf> = trees().iter().flat_map(|tree| below(&tree.join(group))).collect();
        groups.sort_by_key(|path| std::cmp::Reverse(path.components().count()));
        for path in groups {
            match fs::remove_dir(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", path.display()));
                }
                _ => {}
            }
        }
        Ok(Some(()))
    })
}

/// Sends every member its end and tells how many there were.
fn kill_members(group: &str) -> usize {
    let living = processes(group);
    for pid in &living {
        // One that ended by itself meanwhile is as well.
        let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
    }
    living.len()
}

/// The paths of a group in all trees, as far as they exist.
pub(super) fn existing(group: &str) -> Vec<PathBuf> {
    trees().into_iter().map(|tree| tree.join(group)).filter(|path| path.is_dir()).collect()
}

fn is_second_version() -> bool {
    Path::new(ROOT).join("cgroup.controllers").exists()
}

fn trees() -> Vec<PathBuf> {
    if is_second_version() {
        return vec![PathBuf::from(ROOT)];
    }
    let Ok(folder) = fs::read_dir(ROOT) else { return Vec::new() };
    let trees = folder.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    trees.map(|entry| entry.path()).filter(|path| path.join("cgroup.procs").exists()).collect()
}

/// A controller that this kernel lacks is passed over; kubelet names the one that it misses.
fn hand_down_controllers(group: &Path) {
    for controller in CONTROLLERS {
        drop(fs::write(group.join("cgroup.subtree_control"), format!("+{controller}")));
    }
}

/// The group itself and all groups below it.
fn below(group: &Path) -> Vec<PathBuf> {
    if !group.is_dir() {
        return Vec::new();
    }
    let mut found = vec![group.to_path_buf()];
    let mut next = 0;
    while let Some(folder) = found.get(next).cloned() {
        next += 1;
        let children = fs::read_dir(folder).into_iter().flatten().flatten();
        found.extend(
            children.filter(|child| child.file_type().is_ok_and(|kind| kind.is_dir())).map(|child| child.path()),
        );
    }
    found
}

fn pids_of(group: &Path) -> Vec<i32> {
    let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    // 0 is a process of another pid namespace, which is not ours to touch.
    text.lines().filter_map(|line| line.parse().ok()).filter(|pid| *pid > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Process;

    #[test]
    fn a_member_that_comes_after_the_others_were_killed_does_not_keep_the_group() {
        if !nix::unistd::geteuid().is_root() {
            println!("only root makes control groups: not tried");
            return;
        }
        let cluster = name(&format!("late-{}", std::process::id()), None);
        let group = format!("{cluster}/part");
        create(&group).unwrap();
        kill_all(&cluster).unwrap();
        let log = tempfile::tempdir().unwrap();
        let mut late = member(&group, Command::new("sleep").arg("600"));
        let late = Process::start("sleep", &mut late, &log.path().join("log")).unwrap();
        wait_for("it to be a member", EMPTY_WITHIN, || Ok((processes(&group) == [late.pid]).then_some(()))).unwrap();

        remove(&cluster).unwrap();
        assert!(!late.is_running());
        assert_eq!(existing(&cluster), Vec::<PathBuf>::new());
    }
}
