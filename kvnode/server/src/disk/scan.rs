//! Walks over the frames of one file. What is damaged is named and stepped over: one record where only its bytes are
//! wrong, everything up to the next good frame where nothing can be told any more.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use super::damage::{Damage, What};
use super::frame::{HEADER_BYTES, Header, Kind, checksum};
use super::segment::{FILE_HEADER_BYTES, LogFile};

/// Read from the disk at once. Each worker of a start has one buffer of it.
const READ_BYTES: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct Scan<'f> {
    of: &'f LogFile,
    file: BufReader<File>,
    offset: u64,
    /// What lies at or behind this is not looked at.
    end: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A good header at this offset; its bytes are still to be read or skipped.
    Frame(u64, Header),
    Damage(Damage),
}

impl<'f> Scan<'f> {
    /// Begins behind the file's header.
    pub(super) fn open(of: &'f LogFile, end: u64) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(READ_BYTES, File::open(&of.path)?);
        let offset = end.min(FILE_HEADER_BYTES as u64);
        file.seek(SeekFrom::Start(offset))?;
        Ok(Self { of, file, offset, end })
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Item>> {
        let left = self.end - self.offset;
        if left == 0 {
            return Ok(None);
        }
        if left < HEADER_BYTES as u64 {
            return self.step_over(left, What::EndsInside).map(Some);
        }
        let mut bytes = [0; HEADER_BYTES];
        self.file.read_exact(&mut bytes)?;
        match Header::read(&bytes, self.of.number, self.offset) {
            Some(header) if header.frame_bytes() as u64 <= left => Ok(Some(Item::Frame(self.offset, header))),
            Some(_) => self.step_over(left, What::EndsInside).map(Some),
            None => {
                let found = self.search(self.offset + 1)?;
                self.step_over(found - self.offset, What::Unreadable).map(Some)
            }
        }
    }

    /// The bytes behind the header that [`Self::next`] has just given; damage if they are not those that were written.
    pub(super) fn bytes<'b>(
        &mut self,
        header: Header,
        buffer: &'b mut Vec<u8>,
    ) -> io::Result<Result<&'b [u8], Damage>> {
        buffer.resize(header.length, 0);
        self.file.read_exact(buffer)?;
        let offset = self.offset;
        self.offset += header.frame_bytes() as u64;
        if checksum(buffer) == header.checksum {
            return Ok(Ok(buffer));
        }
        let what = match header.kind {
            Kind::Record => What::Record { partition: header.partition },
            Kind::Mark | Kind::Seal => What::Unreadable,
        };
        Ok(Err(self.damage(offset, header.frame_bytes() as u64, what)))
    }

    pub(super) fn skip(&mut self, header: Header) -> io::Result<()> {
        let length = i64::try_from(header.length).expect("a frame is shorter than 2^32 bytes");
        self.file.seek_relative(length)?;
        self.offset += header.frame_bytes() as u64;
        Ok(())
    }

    pub(super) fn damage(&self, offset: u64, bytes: u64, what: What) -> Damage {
        Damage { file: self.of.path.clone(), offset, bytes, what }
    }

    fn step_over(&mut self, bytes: u64, what: What) -> io::Result<Item> {
        let damage = self.damage(self.offset, bytes, what);
        self.offset += bytes;
        self.file.seek(SeekFrom::Start(self.offset))?;
        Ok(Item::Damage(damage))
    }

    /// The next offset at which a whole frame lies, or the end.
    fn search(&self, from: u64) -> io::Result<u64> {
        let file = self.file.get_ref();
        let mut window = Vec::new();
        let mut at = from;
        while at + HEADER_BYTES as u64 <= self.end {
            let wanted = (self.end - at).min(READ_BYTES as u64);
            window.resize(usize::try_from(wanted).expect("at most a mebibyte"), 0);
            file.read_exact_at(&mut window, at)?;
            for (offset, bytes) in (at..).zip(window.windows(HEADER_BYTES)) {
                let bytes = bytes.try_into().expect("windows have this length");
                if let Some(header) = Header::read(bytes, self.of.number, offset)
                    && self.is_whole(offset, header)?
                {
                    return Ok(offset);
                }
            }
            // The last bytes of this window may begin a header that ends in the next.
            at += wanted - (HEADER_BYTES as u64 - 1);
        }
        Ok(self.end)
    }

    fn is_whole(&self, offset: u64, header: Header) -> io::Result<bool> {
        if offset + header.frame_bytes() as u64 > self.end {
            return Ok(false);
        }
        let mut bytes = vec![0; header.length];
        self.file.get_ref().read_exact_at(&mut bytes, offset + HEADER_BYTES as u64)?;
        Ok(checksum(&bytes) == header.checksum)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;

    use super::super::frame::number_frame;
    use super::super::identity::NodeId;
    use super::super::segment::{FileHeader, FileKind, path_of};
    use super::*;

    const NUMBER: u64 = 5;

    fn written(folder: &Path, records: &[Vec<u8>]) -> LogFile {
        let header = FileHeader { kind: FileKind::Segment, number: NUMBER, node: NodeId(1), incarnation: 1 };
        let mut bytes = header.bytes().to_vec();
        for (partition, record) in (0..=u8::MAX).cycle().zip(records) {
            bytes.extend_from_slice(&Header::of_record(partition, record).placed(NUMBER, bytes.len() as u64));
            bytes.extend_from_slice(record);
        }
        bytes.extend_from_slice(&number_frame(Kind::Seal, records.len() as u64, NUMBER, bytes.len() as u64));
        let path = path_of(folder, FileKind::Segment, NUMBER);
        fs::write(&path, &bytes).expect("room on the disk");
        LogFile { kind: FileKind::Segment, number: NUMBER, path, length: bytes.len() as u64 }
    }

    /// All records that are good, and all damage.
    fn read(file: &LogFile, end: u64) -> (Vec<Vec<u8>>, Vec<Damage>) {
        let mut scan = Scan::open(file, end).expect("the file is there");
        let (mut records, mut damages, mut buffer) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(item) = scan.next().expect("it can be read") {
            match item {
                Item::Damage(damage) => damages.push(damage),
                Item::Frame(_, header) => match scan.bytes(header, &mut buffer).expect("it can be read") {
                    Ok(bytes) if header.kind == Kind::Record => records.push(bytes.to_vec()),
                    Ok(_) => {}
                    Err(damage) => damages.push(damage),
                },
            }
        }
        (records, damages)
    }

    fn records() -> impl Strategy<Value = Vec<Vec<u8>>> {
        proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..200), 1..30)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_is_read_in_order(records in records()) {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let file = written(folder.path(), &records);
            prop_assert_eq!(read(&file, file.length), (records, vec![]));
        }

        /// Behind the file's header: that one is judged elsewhere.
        #[test]
        fn a_flipped_bit_costs_the_record_it_is_in_and_is_named(records in records(), place: prop::sample::Index,
                                                                bit in 0u32..8) {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let file = written(folder.path(), &records);
            let mut bytes = fs::read(&file.path).expect("it is there");
            let at = FILE_HEADER_BYTES + place.index(bytes.len() - FILE_HEADER_BYTES);
            bytes[at] ^= 1 << bit;
            fs::write(&file.path, bytes).expect("room on the disk");
            let (found, damages) = read(&file, file.length);
            prop_assert_eq!(damages.len(), 1);
            let place = damages[0].offset..damages[0].offset + damages[0].bytes;
            prop_assert!(place.contains(&(at as u64)), "{} is not at {at}", damages[0]);
            prop_assert!(found.len() + 1 >= records.len(), "one record is lost at most");
            let mut rest = records.iter();
            prop_assert!(found.iter().all(|found| rest.any(|record| record == found)), "nothing else is read");
        }

        #[test]
        fn a_cut_file_gives_the_records_before_the_cut(records in records(), place: prop::sample::Index) {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let file = written(folder.path(), &records);
            let length = usize::try_from(file.length).expect("a small file");
            let end = FILE_HEADER_BYTES + place.index(length - FILE_HEADER_BYTES);
            let (found, damages) = read(&file, end as u64);
            prop_assert_eq!(&found[..], &records[..found.len()]);
            prop_assert!(damages.iter().all(|damage| damage.what == What::EndsInside));
            prop_assert!(damages.len() <= 1);
        }
    }

    #[test]
    fn garbage_longer_than_a_window_is_stepped_over_at_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let records: Vec<Vec<u8>> = [vec![1; 10], vec![2; 3 * READ_BYTES], vec![3; 10]].into();
        let file = written(folder.path(), &records);
        let mut bytes = fs::read(&file.path).expect("it is there");
        let second = FILE_HEADER_BYTES + HEADER_BYTES + 10;
        bytes[second..second + READ_BYTES].fill(0xff);
        fs::write(&file.path, bytes).expect("room on the disk");
        let (found, damages) = read(&file, file.length);
        assert_eq!(found, [vec![1; 10], vec![3; 10]]);
        let expected = (second as u64, (HEADER_BYTES + 3 * READ_BYTES) as u64, What::Unreadable);
        assert_eq!(
            damages.iter().map(|damage| (damage.offset, damage.bytes, damage.what)).collect::<Vec<_>>(),
            [expected]
        );
    }
}
