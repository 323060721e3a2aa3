//! How files come into being and go, so that a crash at any moment leaves either the old or the new.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// What is not finished yet. A start removes it.
pub(super) const UNFINISHED: &str = "part";

/// The file is there with all of its bytes, or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_added_extension(UNFINISHED);
    let mut file = File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    finish(&unfinished, path)
}

/// Gives a file that is written and synced its name.
pub(super) fn finish(unfinished: &Path, path: &Path) -> io::Result<()> {
    fs::rename(unfinished, path)?;
    sync_folder_of(path)
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A name in a folder is only as safe as the folder.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
