//! What the process itself uses, as the kernel counts it.

use std::fs;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
    pub(crate) resident_bytes: u64,
}

impl Usage {
    /// What cannot be read counts as nothing: a scrape must not fail for it.
    pub(crate) fn now() -> Self {
        let (user, system) = getrusage(UsageWho::RUSAGE_SELF)
            .map(|usage| (duration(usage.user_time()), duration(usage.system_time())))
            .unwrap_or_default();
        Self { user, system, resident_bytes: resident_bytes().unwrap_or_default() }
    }

    pub(crate) fn cpu(&self) -> Duration {
        self.user + self.system
    }
}

fn duration(time: TimeVal) -> Duration {
    let microseconds = time.tv_sec().saturating_mul(1_000_000).saturating_add(time.tv_usec());
    Duration::from_micros(u64::try_from(microseconds).unwrap_or_default())
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_cpu() {
        let usage = Usage::now();
        assert!(usage.resident_bytes > 100_000, "{usage:?}");
        assert!(usage.cpu() > Duration::ZERO, "{usage:?}");
    }
}
