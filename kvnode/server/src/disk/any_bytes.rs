//! A file of the log with any bytes in it. Whatever they are, each is either in a good frame or in a damage that is named,
//! in their order, and none is left out.

use std::io::Write;

use kvnode_core::store::record::Record;

use super::frame::Kind;
use super::scan::{Item, Scan};
use super::segment::{FILE_HEADER_BYTES, FileKind, LogFile, read_header};

pub(crate) fn check(bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("room on the disk");
    let number = read_header(file.path()).map_or(0, |header| header.number);
    let length = bytes.len() as u64;
    let of = LogFile { kind: FileKind::Segment, number, path: file.path().to_owned(), length };
    let mut scan = Scan::open(&of, length).expect("the file is there");
    let mut told = length.min(FILE_HEADER_BYTES as u64);
    let mut buffer = Vec::new();
    while let Some(item) = scan.next().expect("the file can be read") {
        let damage = match item {
            Item::Damage(damage) => damage,
            Item::Frame(offset, header) => {
                assert_eq!(offset, told);
                told += header.frame_bytes() as u64;
                match scan.bytes(header, &mut buffer).expect("the file can be read") {
                    Ok(record) => {
                        assert_eq!(record.len(), header.length);
                        if header.kind == Kind::Record {
                            let _ = Record::decode(record);
                        }
                        continue;
                    }
                    Err(damage) => {
                        assert_eq!(damage.offset + damage.bytes, told);
                        continue;
                    }
                }
            }
        };
        assert_eq!(damage.offset, told, "{damage}");
        assert!(damage.bytes > 0, "{damage}");
        told += damage.bytes;
    }
    assert_eq!(told, length, "every byte is told of");
}
