//! Processor time from `/proc`: of one process to the nanosecond, of our children and of a whole core in clock ticks.
//! Whoever compares servers by processor time has to know what others took of the same core at the same time.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::unistd::{SysconfVar, sysconf};

/// What all threads of a process have used, in user and kernel mode. The kernel counts into it also the network's work
/// that it did while a thread of the process ran, and leaves out what a hypervisor gave to others.
pub(crate) fn of_process(pid: i32) -> Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).context("the server is gone")? {
        let stat = thread?.path().join("schedstat");
        // The time of a thread that has ended is gone with it; no server here ends one while it serves.
        let stat = fs::read_to_string(stat).context("a thread of the server ended while its time was read")?;
        let used: u64 =
            stat.split_whitespace().next().and_then(|used| used.parse().ok()).context("no processor time")?;
        nanoseconds += used;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// What our own children that have ended used while they ran.
pub(crate) fn of_ended_children() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    ended_children(&stat).map(ticks)?
}

/// How a core spent its time since the machine started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CoreTime {
    /// In programs and in the kernel on their behalf.
    pub(crate) programs: Duration,
    /// Given to other virtual machines while a program here wanted to run.
    pub(crate) stolen: Duration,
}

pub(crate) fn of_core(core: usize) -> Result<CoreTime> {
    let stat = fs::read_to_string("/proc/stat")?;
    let (programs, stolen) =
        core_ticks(&stat, core).with_context(|| format!("the kernel tells nothing of core {core}"))?;
    Ok(CoreTime { programs: ticks(programs)?, stolen: ticks(stolen)? })
}

fn ticks(count: u64) -> Result<Duration> {
    let per_second = sysconf(SysconfVar::CLK_TCK)?.and_then(|ticks| u64::try_from(ticks).ok());
    let per_second = per_second.filter(|ticks| *ticks > 0).context("the kernel does not tell its clock tick")?;
    Ok(Duration::from_millis(count * 1000 / per_second))
}

/// Fields 16 and 17 of `/proc/<pid>/stat`.
fn ended_children(stat: &str) -> Result<u64> {
    // The name in field 2 may hold blanks and brackets; what follows its last bracket is regular.
    let fields = stat.rsplit_once(')').map(|(_, regular)| regular.split_whitespace().skip(13).take(2));
    let fields: Vec<u64> = fields.into_iter().flatten().filter_map(|field| field.parse().ok()).collect();
    anyhow::ensure!(fields.len() == 2, "the kernel does not tell what ended children used");
    Ok(fields.iter().sum())
}

/// Of the core's line: user, nice, system and both interrupt fields, which are programs' time here; and steal.
fn core_ticks(stat: &str, core: usize) -> Option<(u64, u64)> {
    let name = format!("cpu{core}");
    let line = stat.lines().find(|line| line.split_whitespace().next() == Some(&name))?;
    let fields: Vec<u64> = line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    let &[user, nice, system, _idle, _iowait, irq, softirq, steal, ..] = fields.as_slice() else { return None };
    Some((user + nice + system + irq + softirq, steal))
}

#[cfg(test)]
mod tests {
    use kvtenant_tests::clock;

    use super::*;
    use crate::bench::machine::Cores;
    use crate::bench::running::Running;

    #[test]
    fn a_cores_line_is_read_by_its_meaning() {
        let stat = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\ncpu1 10 20 30 40 50 60 70 80 0 0\n";
        assert_eq!(core_ticks(stat, 1), Some((190, 80)));
        assert_eq!(core_ticks(stat, 2), None);
    }

    #[test]
    fn the_time_of_children_is_found_behind_a_name_with_brackets() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 100 200 0 0 11 12 13 14 20 0 1 0 99 0 0";
        assert_eq!(ended_children(stat).unwrap(), 27);
    }

    #[test]
    fn work_is_seen_in_the_time_of_the_process_that_does_it() {
        let folder = tempfile::tempdir().unwrap();
        let core = Cores::choose().unwrap().servers;
        let busy = Running::start("busy", core, folder.path(), "sh", &["-c", "while :; do :; done"]).unwrap();
        let before = of_process(busy.pid()).unwrap();
        let limit = Duration::from_secs(20);
        clock::wait_for("a busy process to use time", limit, || {
            Ok((of_process(busy.pid())? > before + Duration::from_millis(20)).then_some(()))
        })
        .unwrap();
    }
}
