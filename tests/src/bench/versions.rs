//! What the measured programs and their clients say they are.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use kvtenant_tests::{home, shell};

/// A program's name and version.
pub(crate) type Version = (&'static str, String);

pub(crate) fn kvnode(program: &Path) -> Result<Version> {
    let program = said(Command::new(program).arg("--version"))?;
    let rustc = said(Command::new("rustc").arg("--version"))?;
    Ok(("kvnode", format!("{program}, {}, {rustc}", commit()?)))
}

pub(crate) fn nginx() -> Result<Version> {
    let nginx = said(Command::new("nginx").arg("-v"))?;
    Ok(("nginx", nginx.trim_start_matches("nginx version: ").to_owned()))
}

pub(crate) fn wrk() -> Result<Version> {
    let wrk = said(Command::new("wrk").arg("-v"))?;
    Ok(("wrk", wrk.split_whitespace().nth(1).unwrap_or(&wrk).to_owned()))
}

pub(crate) fn redis() -> Result<Version> {
    let redis = said(Command::new("redis-server").arg("--version"))?;
    Ok(("redis-server", after_v(&redis)))
}

pub(crate) fn redis_benchmark() -> Result<Version> {
    let client = said(Command::new("redis-benchmark").arg("--version"))?;
    Ok(("redis-benchmark", client.split_whitespace().nth(1).unwrap_or(&client).to_owned()))
}

/// `server` starts it, as far as its own arguments.
pub(crate) fn valkey(server: &mut Command) -> Result<Version> {
    Ok(("valkey-server", after_v(&said(server.arg("--version"))?)))
}

/// `Redis server v=7.0.15 sha=00000000:0 …`
fn after_v(line: &str) -> String {
    line.split_whitespace().find_map(|word| word.strip_prefix("v=")).unwrap_or(line).to_owned()
}

/// Some tell their version on stderr, and wrk then ends as if that had been an error.
fn said(command: &mut Command) -> Result<String> {
    let output =
        command.output().with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
    let text = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned())
}

/// The commit that changed kvnode last, and whether the tree has changes beyond it.
fn commit() -> Result<String> {
    let git = |arguments: &[&str]| shell::output(Command::new("git").current_dir(home::workspace()).args(arguments));
    let last = git(&["log", "-1", "--format=%h of %as", "--", "kvnode"])?;
    let beyond = git(&["status", "--porcelain", "--", "kvnode"])?;
    let beyond = if beyond.is_empty() { "" } else { " with changes that are not committed" };
    Ok(format!("commit {}{beyond}", last.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_version_is_found_in_what_it_says() {
        assert_eq!(after_v("Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64"), "8.1.1");
        assert_eq!(after_v("something else"), "something else");
    }
}
