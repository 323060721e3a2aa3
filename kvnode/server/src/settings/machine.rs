//! How much memory and how many cores this process may use: the limits of its cgroup, version 1 or 2, and what the
//! machine has. Read once at the start, below a root folder of the caller's choosing, so that tests can lay out one.

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};

/// Version 1 writes "no limit" as the largest multiple of a page, which is far above this.
const NO_LIMIT_ABOVE: u64 = 1 << 60;

/// The kernel's unit for CPU time when a cgroup of version 1 names no period.
const CPU_PERIOD_DEFAULT_US: f64 = 100_000.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Machine {
    /// The smallest of all memory limits that apply; none if nothing can be read.
    pub memory_bytes: Option<u64>,
    /// The cores this process may keep busy; a fraction where the cgroup has a quota.
    pub cpu_cores: f64,
}

impl Machine {
    pub fn read(root: &Path) -> Self {
        let total = memory_total(root);
        let groups = cgroup_folders(root);
        let memory = groups.iter().filter_map(|group| memory_limit(group)).chain(total).min();
        let available = std::thread::available_parallelism().map_or(1.0, |cores| as_f64(cores.get()));
        let cpu_cores = groups.iter().filter_map(|group| cpu_quota(group)).fold(available, f64::min);
        Self { memory_bytes: memory, cpu_cores }
    }

    /// One thread for each core that may be used, the last one rounded up: a node with half a core needs a thread too.
    pub fn serving_threads(&self) -> usize {
        let available = std::thread::available_parallelism().map_or(1, NonZero::get);
        (1..available).find(|&threads| as_f64(threads) >= self.cpu_cores).unwrap_or(available)
    }
}

/// The folders whose limits apply: the process's own cgroup and all above it. In a container the file system may begin
/// at the container's own cgroup, so a path that does not exist is simply one level too long.
fn cgroup_folders(root: &Path) -> Vec<PathBuf> {
    let membership = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let mut folders = Vec::new();
    for line in membership.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let mounts: &[&str] = match controllers {
            "" => &["sys/fs/cgroup", "sys/fs/cgroup/unified"],
            "memory" => &["sys/fs/cgroup/memory"],
            "cpu" | "cpu,cpuacct" | "cpuacct,cpu" => &["sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct"],
            _ => continue,
        };
        for mount in mounts {
            let mount = root.join(mount);
            let own = mount.join(path.trim_start_matches('/'));
            folders.extend(own.ancestors().take_while(|folder| folder.starts_with(&mount)).map(Path::to_path_buf));
        }
    }
    folders
}

fn memory_limit(group: &Path) -> Option<u64> {
    let text = fs::read_to_string(group.join("memory.max"))
        .or_else(|_| fs::read_to_string(group.join("memory.limit_in_bytes")))
        .ok()?;
    text.trim().parse().ok().filter(|&bytes| bytes < NO_LIMIT_ABOVE)
}

fn cpu_quota(group: &Path) -> Option<f64> {
    let read = |name: &str| fs::read_to_string(group.join(name)).ok();
    let (quota, period) = if let Some(text) = read("cpu.max") {
        let mut words = text.split_whitespace().map(|word| word.parse::<f64>().ok());
        (words.next()??, words.next().flatten())
    } else {
        let number = |name| read(name)?.trim().parse::<f64>().ok();
        (number("cpu.cfs_quota_us")?, number("cpu.cfs_period_us"))
    };
    let cores = quota / period.unwrap_or(CPU_PERIOD_DEFAULT_US);
    (cores > 0.0 && cores.is_finite()).then_some(cores)
}

fn memory_total(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

fn as_f64(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> Machine {
        let root = tempfile::tempdir().expect("a temporary folder");
        for (name, content) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
            fs::write(path, content).expect("a file can be written");
        }
        Machine::read(root.path())
    }

    #[test]
    fn a_cgroup_of_version_2_limits_memory_and_cores() {
        let found = machine(&[
            ("proc/self/cgroup", "0::/kubepods/pod1\n"),
            ("proc/meminfo", "MemTotal:       16000000 kB\n"),
            ("sys/fs/cgroup/kubepods/pod1/memory.max", "536870912\n"),
            ("sys/fs/cgroup/kubepods/pod1/cpu.max", "25000 100000\n"),
            ("sys/fs/cgroup/kubepods/memory.max", "max\n"),
        ]);
        assert_eq!(found, Machine { memory_bytes: Some(536_870_912), cpu_cores: 0.25 });
        assert_eq!(found.serving_threads(), 1);
    }

    #[test]
    fn a_limit_of_the_group_above_applies_too() {
        let found = machine(&[
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/b/memory.max", "2000000000\n"),
            ("sys/fs/cgroup/a/memory.max", "1000000000\n"),
        ]);
        assert_eq!(found.memory_bytes, Some(1_000_000_000));
    }

    #[test]
    fn a_cgroup_of_version_1_limits_memory_and_cores() {
        let found = machine(&[
            ("proc/self/cgroup", "5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n1:name=systemd:/docker/x\n"),
            ("proc/meminfo", "MemTotal:       16000000 kB\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
        ]);
        assert_eq!(found, Machine { memory_bytes: Some(268_435_456), cpu_cores: 0.5 });
    }

    #[test]
    fn without_a_limit_the_machine_itself_is_the_limit() {
        let found = machine(&[
            ("proc/self/cgroup", "4:memory:/\n"),
            ("proc/meminfo", "MemTotal:       1000 kB\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
        ]);
        assert_eq!(found.memory_bytes, Some(1_024_000));
        assert!(found.cpu_cores >= 1.0);
    }

    /// C133
    #[test]
    fn there_is_one_thread_for_each_core_of_the_cgroup() {
        let available = std::thread::available_parallelism().map_or(1, NonZero::get);
        let threads = |cpu_cores| Machine { memory_bytes: None, cpu_cores }.serving_threads();
        assert_eq!(threads(as_f64(available)), available);
        assert_eq!(threads(0.1), 1);
        assert_eq!(threads(1.5), available.min(2));
    }
}
