//! The files of the log. A segment holds what happened, in order; a snapshot of the same number holds everything that
//! happened before the segment began. Both begin with a header that says whose they are.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::files::UNFINISHED;
use super::frame::checksum;
use super::identity::NodeId;

/// A segment that has reached this length is sealed, and the next one begun. Small enough that what a snapshot has made
/// needless goes soon, large enough that beginning one is rare.
pub(super) const SEGMENT_BYTES: u64 = 64 << 20;

const MAGIC: [u8; 8] = *b"kvnode1\n";
pub(super) const FILE_HEADER_BYTES: usize = 52;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileKind {
    Snapshot,
    Segment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileHeader {
    pub(super) kind: FileKind,
    pub(super) number: u64,
    pub(super) node: NodeId,
    /// Of the process that began the file.
    pub(super) incarnation: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogFile {
    pub(crate) kind: FileKind,
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
    pub(crate) length: u64,
}

/// What lies in the log's folder.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    files: Vec<LogFile>,
    unfinished: Vec<PathBuf>,
}

impl fmt::Display for FileKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Snapshot => "snapshot",
            Self::Segment => "log",
        })
    }
}

impl FileHeader {
    pub(super) fn bytes(&self) -> [u8; FILE_HEADER_BYTES] {
        let mut bytes = [0; FILE_HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8] = match self.kind {
            FileKind::Segment => 1,
            FileKind::Snapshot => 2,
        };
        bytes[16..24].copy_from_slice(&self.number.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.incarnation.to_le_bytes());
        bytes[32..48].copy_from_slice(&self.node.0.to_le_bytes());
        let checksum = checksum(&bytes[..48]);
        bytes[48..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8; FILE_HEADER_BYTES]) -> Option<Self> {
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let node = u128::from_le_bytes(bytes[32..48].try_into().expect("sixteen bytes"));
        let kind = if bytes[8] == 1 { FileKind::Segment } else { FileKind::Snapshot };
        let header = Self { kind, number: number(16), incarnation: number(24), node: NodeId(node) };
        (header.bytes() == *bytes).then_some(header)
    }
}

/// An error of the kind `InvalidData` if the header is not one.
pub(super) fn read_header(path: &Path) -> io::Result<FileHeader> {
    let mut bytes = [0; FILE_HEADER_BYTES];
    match File::open(path)?.read_exact(&mut bytes) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(ErrorKind::InvalidData.into()),
        other => other?,
    }
    FileHeader::read(&bytes).ok_or_else(|| ErrorKind::InvalidData.into())
}

pub(super) fn path_of(folder: &Path, kind: FileKind, number: u64) -> PathBuf {
    folder.join(format!("{number:010}.{kind}"))
}

impl Inventory {
    /// Names that are not of this folder's making are left alone.
    pub(super) fn take(folder: &Path) -> io::Result<Self> {
        let mut inventory = Self::default();
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(inventory),
            other => other?,
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            let kind = match extension {
                Some("log") => FileKind::Segment,
                Some("snapshot") => FileKind::Snapshot,
                Some(UNFINISHED) => {
                    inventory.unfinished.push(path);
                    continue;
                }
                _ => continue,
            };
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            if let Some(number) = number.filter(|&number| path_of(folder, kind, number) == path) {
                inventory.files.push(LogFile { kind, number, path, length: entry.metadata()?.len() });
            }
        }
        // A snapshot comes before the segment of its number.
        inventory.files.sort_by_key(|file| (file.number, file.kind));
        Ok(inventory)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// In the order in which they are read.
    pub(super) fn files(&self) -> &[LogFile] {
        &self.files
    }

    /// Begun by a process that came to its end before they were whole.
    pub(super) fn unfinished(&self) -> &[PathBuf] {
        &self.unfinished
    }

    /// The newest snapshot and what comes behind it; before that, what the snapshot has made needless.
    pub(super) fn split(&self) -> (&[LogFile], &[LogFile]) {
        let newest = self.files.iter().rposition(|file| file.kind == FileKind::Snapshot);
        self.files.split_at(newest.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written_and_no_bit_changes_unseen() {
        let header = FileHeader { kind: FileKind::Segment, number: 12, node: NodeId(u128::MAX / 3), incarnation: 4 };
        let bytes = header.bytes();
        assert_eq!(FileHeader::read(&bytes), Some(header));
        for bit in 0..FILE_HEADER_BYTES * 8 {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FileHeader::read(&bytes), None, "bit {bit}");
        }
    }

    #[test]
    fn the_newest_snapshot_comes_first_and_older_files_are_needless() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in [
            "0000000001.log",
            "0000000003.snapshot",
            "0000000003.log",
            "0000000002.log",
            "0000000004.log",
            "0000000005.snapshot.part",
            "notes.txt",
            "7.log",
        ] {
            fs::write(folder.path().join(name), name).expect("a file can be written");
        }
        let inventory = Inventory::take(folder.path()).expect("it can be read");
        let names = |files: &[LogFile]| files.iter().map(|file| (file.number, file.kind)).collect::<Vec<_>>();
        let (needless, needed) = inventory.split();
        assert_eq!(names(needless), [(1, FileKind::Segment), (2, FileKind::Segment)]);
        assert_eq!(names(needed), [(3, FileKind::Snapshot), (3, FileKind::Segment), (4, FileKind::Segment)]);
        assert_eq!(inventory.unfinished().len(), 1);
    }
}
