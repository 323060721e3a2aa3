//! The limit of open files, of which every connection is one, here and at the servers, which inherit the limit.

use std::fs;

use anyhow::{Context, Result, ensure};
use kvtenant_tests::shell;

/// Logs, libraries, listeners and the like; some dozens.
const BESIDE_CONNECTIONS: u64 = 500;

/// Raises this process's limit if it is too low for so many connections.
pub(super) fn allow(connections: usize) -> Result<()> {
    let wanted = connections as u64 + BESIDE_CONNECTIONS;
    let limits = fs::read_to_string("/proc/self/limits")?;
    let (soft, hard) = open_files(&limits).context("the kernel does not tell the limit of open files")?;
    if soft >= wanted {
        return Ok(());
    }
    ensure!(
        hard >= wanted,
        "{connections} connections need {wanted} open files, and {hard} are allowed: raise ulimit -Hn"
    );
    let pid = std::process::id().to_string();
    shell::run("prlimit", &["--pid", &pid, &format!("--nofile={wanted}:")])?;
    Ok(())
}

/// `Max open files            1024                 524288               files`: the soft and the hard one.
fn open_files(limits: &str) -> Option<(u64, u64)> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let mut numbers = line.split_whitespace().map(|word| if word == "unlimited" { Ok(u64::MAX) } else { word.parse() });
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_are_read() {
        let limits = "Max processes   7   7   processes\nMax open files            1024   unlimited            files\n";
        assert_eq!(open_files(limits), Some((1024, u64::MAX)));
        assert_eq!(open_files("Max processes   7   7   processes\n"), None);
    }

    #[test]
    fn more_than_the_system_allows_is_refused_with_the_number() {
        let error = allow(usize::MAX / 2).unwrap_err().to_string();
        assert!(error.contains("raise ulimit -Hn"), "{error}");
    }
}
