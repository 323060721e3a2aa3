//! Where things are kept between runs: `KVT_HOME`, else the user's cache folder. Nothing is written elsewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result};

/// The root of everything this crate keeps.
pub fn home() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("KVT_HOME") {
        return Ok(PathBuf::from(given));
    }
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(
            std::env::var_os("HOME").context("neither KVT_HOME nor HOME is set: say where to keep caches")?,
        )
        .join(".cache"),
    };
    Ok(cache.join("kvtenant"))
}

/// Programs built from source, one folder per family and version.
pub fn programs() -> Result<PathBuf> {
    made(home()?.join("programs"))
}

/// Images as archives, ready to be loaded into nodes.
pub fn images() -> Result<PathBuf> {
    made(home()?.join("images"))
}

/// The state of clusters, one folder each.
pub fn clusters() -> Result<PathBuf> {
    made(home()?.join("clusters"))
}

/// This crate's own folder in the source tree: Go modules, manifests, Dockerfiles.
///
/// Cargo tells it to whatever it runs. Where this was compiled counts only without cargo: clones that share a target
/// folder share what is compiled there, too, and a test that looks into another clone proves nothing.
pub fn source() -> &'static Path {
    static SOURCE: LazyLock<PathBuf> = LazyLock::new(|| {
        let told = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let is_this_crate = |folder: &PathBuf| folder.join("src/home.rs").is_file();
        told.filter(is_this_crate).unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")))
    });
    &SOURCE
}

/// The root of the source tree.
pub fn workspace() -> &'static Path {
    source().parent().expect("the tests folder lies in the workspace")
}

pub fn made(folder: PathBuf) -> Result<PathBuf> {
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    Ok(folder)
}

/// Writes a file whose folder may not exist yet.
pub fn write(path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Result<()> {
    let path = path.as_ref();
    if let Some(folder) = path.parent() {
        made(folder.to_path_buf())?;
    }
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}
