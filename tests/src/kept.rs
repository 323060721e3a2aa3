//! What takes long to get and never changes: kept under `KVT_HOME`, beside a copy of the file that says what it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{home, packages, shell};

/// A folder under `KVT_HOME`.
#[derive(Debug)]
pub struct Kept {
    pub folder: PathBuf,
}

impl Kept {
    pub fn open(name: impl AsRef<Path>) -> Result<Self> {
        Ok(Self { folder: home::made(home::home()?.join(name))? })
    }

    /// Makes what is kept, unless it was made from the same file before.
    pub fn made_from(&self, lock: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let wanted = fs::read(lock).with_context(|| format!("cannot read {}", lock.display()))?;
        let mark = self.folder.join("made-from");
        if fs::read(&mark).is_ok_and(|made| made == wanted) {
            return Ok(());
        }
        make(lock)?;
        home::write(mark, wanted)
    }
}

/// The folder of the programs that these packages of Python bring, in the versions of a file of requirements with hashes.
pub fn python_programs(name: impl AsRef<Path>, requirements: &Path) -> Result<PathBuf> {
    packages::ensure_programs(&[("python3", "python3")])?;
    if shell::run("python3", &["-c", "import ensurepip"]).is_err() {
        packages::ensure_programs(&[("python3 -m venv", "python3-venv")])?;
    }
    let kept = Kept::open(name)?;
    let environment = kept.folder.join("venv");
    kept.made_from(requirements, |requirements| {
        shell::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
        let mut install = Command::new(environment.join("bin/pip"));
        install.args(["install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement"]);
        shell::output(install.arg(requirements)).map(drop)
    })?;
    Ok(environment.join("bin"))
}
