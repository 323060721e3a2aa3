//! Where the programs of Kubernetes come from: the folder in `KVT_KUBE_BIN`, else the cache, else a Go build from the
//! module proxy. One Go module per family, so that their dependencies do not fight over versions; its `go.mod`
//! (under `tests/programs/`) fixes every version, and a change of it is a new folder in the cache.

mod build;
mod family;

use std::env;
use std::fs::{self, File};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

pub use family::Family;

use crate::home;

/// A family's programs, all there.
#[derive(Debug, Clone)]
pub struct Programs {
    family: Family,
    folder: PathBuf,
}

impl Programs {
    /// Finds or builds them. Two callers at once: one builds, the other waits for it.
    pub fn of(family: Family) -> Result<Self> {
        if let Some(folder) = given(family)? {
            return Ok(Self { family, folder });
        }
        let recipe = family.recipe()?;
        let folder = home::programs()?.join(format!("{}-{}", family.name(), recipe.digest));
        let complete = |folder: &PathBuf| family.programs().iter().all(|program| folder.join(program).is_file());
        if !complete(&folder) {
            let lock = File::create(home::programs()?.join(format!("{}.lock", family.name())))?;
            lock.lock().context("cannot lock the folder of built programs")?;
            if !complete(&folder) {
                build::build(family, &recipe, &folder)?;
            }
        }
        Ok(Self { family, folder })
    }

    /// The path of one of the family's programs.
    pub fn path(&self, program: &str) -> PathBuf {
        debug_assert!(self.family.programs().contains(&program), "{program} is not one of {:?}", self.family);
        self.folder.join(program)
    }

    /// A word for what was used, to key caches of things made from these programs.
    pub fn identity(&self, program: &str) -> Result<String> {
        let path = self.path(program);
        let about = fs::metadata(&path).with_context(|| format!("cannot look at {}", path.display()))?;
        Ok(format!("{}:{}:{:?}", path.display(), about.len(), about.modified()?))
    }
}

/// The folder that the user gave, if it holds this family. A folder that holds only a part is a mistake to be told.
fn given(family: Family) -> Result<Option<PathBuf>> {
    let Some(folder) = env::var_os("KVT_KUBE_BIN").map(PathBuf::from) else { return Ok(None) };
    if !folder.is_dir() {
        bail!("KVT_KUBE_BIN names {}, which is no folder", folder.display());
    }
    let programs = family.programs();
    let missing: Vec<_> = programs.iter().filter(|program| !folder.join(program).is_file()).collect();
    match missing.as_slice() {
        [] => Ok(Some(folder)),
        all if all.len() == programs.len() => Ok(None),
        [first, ..] => bail!("the folder in KVT_KUBE_BIN ({}) lacks {first}", folder.display()),
    }
}
