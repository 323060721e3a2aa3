//! What must hold for any bytes that a network or a disk may bring: a check for each of their readers, which panics where
//! it does not. The fuzz targets in `kvnode/fuzz` make inputs up for them; every input worth keeping lies in the corpus
//! beside those, and a test here tries all of it again with every change.

mod cursor;
mod patch;
mod record;

use crate::{accounts, disk, dump, http, resp};

pub type Check = fn(&[u8]);

/// Each under the name of its fuzz target.
pub const CHECKS: [(&str, Check); 10] = [
    ("redis", resp::any_bytes::check),
    ("http_head", http::any_bytes::head),
    ("http_target", http::any_bytes::target),
    ("json_bodies", http::any_bytes::bodies),
    ("json_patch", patch::check),
    ("cursor", cursor::check),
    ("token", accounts::any_bytes::check),
    ("record", record::check),
    ("log_file", disk::any_bytes::check),
    ("dump", dump::any_bytes::check),
];

/// Runs the check of this name.
pub fn check(name: &str, bytes: &[u8]) {
    let (_, check) = CHECKS.iter().find(|(other, _)| *other == name).expect("a check of this name");
    check(bytes);
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn fuzz(path: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(path)
    }

    #[test]
    fn the_whole_corpus_passes() {
        for (name, check) in CHECKS {
            let mut tried = 0;
            for file in fs::read_dir(fuzz("corpus").join(name)).expect("each target has a corpus") {
                let file = file.expect("the folder can be read").path();
                let bytes = fs::read(&file).expect("it can be read");
                // The name of a file whose input fails stands above the panic's text.
                eprintln!("{}", file.display());
                check(&bytes);
                tried += 1;
            }
            assert!(tried > 0, "the corpus of {name} is empty");
        }
    }

    #[test]
    fn each_check_has_a_fuzz_target_and_each_target_a_check() {
        let mut targets: Vec<String> = fs::read_dir(fuzz("fuzz_targets"))
            .expect("the folder of targets")
            .map(|file| file.expect("it can be read").path())
            .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
            .collect();
        targets.sort_unstable();
        let mut checks = CHECKS.map(|(name, _)| name);
        checks.sort_unstable();
        assert_eq!(targets, checks);
    }
}
