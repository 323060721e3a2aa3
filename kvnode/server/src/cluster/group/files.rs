//! The group's files: pieces of bytes, each behind its length and checksum. What was damaged is never taken for good, and
//! a piece that a crash has cut short at the end of a file was never relied on.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::disk::write_whole;

const HEADER_BYTES: usize = 8;

/// Why the group cannot go on from its files.
#[derive(Debug, Error)]
pub(crate) enum GroupFileError {
    #[error("The file {} cannot be used: {reason}; give the process the rights to it, or room on the disk.", path.display())]
    Unusable { path: PathBuf, reason: io::Error },
    #[error(
        "The file {} is damaged. This node must not take part with it: have it leave the cluster ('kvnode ctl gone'), \
         and start it with an empty --data-dir.",
        path.display()
    )]
    Damaged { path: PathBuf },
}

/// A value as one piece of a file.
pub(super) fn piece(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![0; HEADER_BYTES];
    bytes = postcard::to_extend(value, bytes).expect("memory takes whatever is written to it");
    let length = u32::try_from(bytes.len() - HEADER_BYTES).expect("a configuration is far below 4 GiB");
    let checksum = crc32fast::hash(&bytes[HEADER_BYTES..]);
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes[4..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

/// The pieces of a file, and how many bytes they take; nothing if there is no such file.
pub(super) fn read(path: &Path) -> Result<(Vec<Vec<u8>>, u64), GroupFileError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(reason) => return Err(GroupFileError::Unusable { path: path.to_owned(), reason }),
    };
    let (mut pieces, mut at) = (Vec::new(), 0);
    while let Some((header, rest)) = bytes[at..].split_first_chunk::<HEADER_BYTES>() {
        let word = |place: usize| u32::from_le_bytes(header[place..place + 4].try_into().expect("four bytes"));
        let (length, checksum) = (word(0) as usize, word(4));
        let Some(content) = rest.get(..length) else { break };
        if crc32fast::hash(content) != checksum {
            // The last one may never have reached the disk as a whole.
            if rest.len() == length {
                break;
            }
            return Err(GroupFileError::Damaged { path: path.to_owned() });
        }
        pieces.push(content.to_vec());
        at += HEADER_BYTES + length;
    }
    Ok((pieces, at as u64))
}

/// The value of a file that has one piece; none if there is no such file.
pub(super) fn read_one<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, GroupFileError> {
    let (pieces, length) = read(path)?;
    match &pieces[..] {
        [] if length == 0 && !path.exists() => Ok(None),
        [one] => decode(path, one).map(Some),
        _ => Err(GroupFileError::Damaged { path: path.to_owned() }),
    }
}

pub(super) fn decode<T: DeserializeOwned>(path: &Path, piece: &[u8]) -> Result<T, GroupFileError> {
    postcard::from_bytes(piece).map_err(|_| GroupFileError::Damaged { path: path.to_owned() })
}

pub(super) fn write_one(path: &Path, value: &impl Serialize) -> io::Result<()> {
    write_whole(path, &piece(value))
}

/// Puts pieces behind those that are there, and returns when they are on the disk.
pub(super) fn append(file: &mut File, pieces: &[u8]) -> io::Result<()> {
    file.write_all(pieces)?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crash_cut_short_is_left_out_and_what_was_damaged_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        assert_eq!(read(&path).expect("nothing is there"), (Vec::new(), 0));
        let whole: Vec<u8> = [piece(&"one"), piece(&"two")].concat();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).expect("room");
            let first = piece(&"one").len();
            let (pieces, read) = read(&path).expect("cut short is not damaged");
            assert_eq!(
                (pieces.len(), read),
                (usize::from(length >= first), if length < first { 0 } else { first as u64 })
            );
        }
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x10;
            fs::write(&path, &damaged).expect("room");
            let pieces = read(&path).map(|(pieces, _)| pieces).unwrap_or_default();
            assert!(pieces.len() < 2, "byte {place}");
        }
    }
}
