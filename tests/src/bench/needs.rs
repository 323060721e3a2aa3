//! The programs a measurement needs: those of Debian, installed when we may, else named; and kvnode as users run it, a
//! release build of the tree as it is.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use kvtenant_tests::progress::Step;
use kvtenant_tests::{home, packages, shell};

/// A program that must be on the PATH, and the Debian package that brings it.
const NEEDED: [(&str, &str); 7] = [
    ("nginx", "nginx-light"),
    ("redis-server", "redis-server"),
    ("redis-benchmark", "redis-tools"),
    ("wrk", "wrk"),
    ("taskset", "util-linux"),
    ("setpriv", "util-linux"),
    ("prlimit", "util-linux"),
];

/// Sees to it that all of them are there.
pub(crate) fn ensure() -> Result<()> {
    packages::ensure_programs(&NEEDED)
}

/// kvnode's program and what it can do, which changes faster than a benchmark should.
#[derive(Debug)]
pub(crate) struct Kvnode {
    pub(crate) program: PathBuf,
    help: String,
}

impl Kvnode {
    /// Builds it.
    pub(crate) fn build() -> Result<Self> {
        let step = Step::start("building kvnode (release)");
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.current_dir(home::workspace());
        build.args(["build", "--release", "--locked", "--package", "kvnode", "--message-format", "json"]);
        let said = shell::output(&mut build)?;
        let program = executable(&said).context("cargo built kvnode but did not say where it is")?;
        let help = shell::run(&program, &["--help"])?;
        step.done("");
        Ok(Self { program, help })
    }

    pub(crate) fn has(&self, flag: &str) -> bool {
        self.help.split_whitespace().any(|word| word == flag)
    }

    /// Known by a help page alone, for tests.
    #[cfg(test)]
    pub(crate) fn that_says(help: &str) -> Self {
        Self { program: PathBuf::from("kvnode"), help: help.to_owned() }
    }
}

/// Of cargo's messages, a JSON object a line, the one that names a program.
fn executable(messages: &str) -> Option<PathBuf> {
    let message = |line| serde_json::from_str::<serde_json::Value>(line).ok();
    messages.lines().filter_map(message).find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_cargos_messages() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n\
                        {\"reason\":\"compiler-artifact\",\"executable\":\"somewhere/kvnode\"}\n\
                        {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(messages), Some(PathBuf::from("somewhere/kvnode")));
        assert_eq!(executable("{\"reason\":\"build-finished\",\"success\":true}\n"), None);
    }

    #[test]
    fn a_flag_is_known_by_its_whole_name() {
        let kvnode = Kvnode::that_says("  --resp-port-of-old <PORT>\n          Redis protocol, see also --port\n");
        assert!(kvnode.has("--port") && !kvnode.has("--resp-port"));
    }
}
