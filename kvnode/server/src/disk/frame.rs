//! How one record lies in a file: a header of sixteen bytes, then the record's own bytes.
//!
//! ```text
//! length 4 │ checksum of the bytes 4 │ kind 1 │ partition 1 │ zero 2 │ checksum of the header 4 ┃ bytes …
//! ```
//!
//! The header's checksum covers the file's number and the header's offset, too: bytes that are good in themselves and
//! lie where they were never written are not taken for a frame. With a header of its own checksum, a damaged record costs
//! that record alone, and behind a damaged header the next frame can be found again.

use crc32fast::Hasher;

pub(super) const HEADER_BYTES: usize = 16;

/// Above the largest value that can be configured (64 MiB) with everything that is said about it.
pub(super) const FRAME_BYTES_MAX: usize = 80 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A result of the store, as the core writes it down.
    Record,
    /// The offset up to which the file was safely on the disk when this was written.
    Mark,
    /// How many records the file has. Nothing comes behind it.
    Seal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) partition: u8,
    /// Of the bytes behind the header.
    pub(super) length: usize,
    pub(super) checksum: u32,
}

/// A number behind a header: what marks and seals are made of.
pub(super) const NUMBER_FRAME_BYTES: usize = HEADER_BYTES + 8;

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Record => 1,
            Self::Mark => 2,
            Self::Seal => 3,
        }
    }

    fn of(code: u8) -> Option<Self> {
        [Self::Record, Self::Mark, Self::Seal].into_iter().find(|kind| kind.code() == code)
    }
}

pub(super) fn checksum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// What must be the same whenever the same header is read at the same place.
fn header_checksum(file: u64, offset: u64, header: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&file.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    hasher.update(&header[..HEADER_BYTES - 4]);
    hasher.finalize()
}

impl Header {
    pub(super) fn of_record(partition: u8, bytes: &[u8]) -> Self {
        Self { kind: Kind::Record, partition, length: bytes.len(), checksum: checksum(bytes) }
    }

    /// Without its own checksum, which is known once it is known where the frame comes to lie.
    pub(super) fn unplaced(self) -> [u8; HEADER_BYTES] {
        let length = u32::try_from(self.length).expect("a frame is shorter than 2^32 bytes");
        let mut header = [0; HEADER_BYTES];
        header[..4].copy_from_slice(&length.to_le_bytes());
        header[4..8].copy_from_slice(&self.checksum.to_le_bytes());
        header[8] = self.kind.code();
        header[9] = self.partition;
        header
    }

    pub(super) fn placed(self, file: u64, offset: u64) -> [u8; HEADER_BYTES] {
        let mut header = self.unplaced();
        place(&mut header, file, offset);
        header
    }

    /// None if these are not the bytes that were written there.
    pub(super) fn read(bytes: &[u8; HEADER_BYTES], file: u64, offset: u64) -> Option<Self> {
        // The cheap questions come first: behind damage this is asked at every offset.
        let kind = Kind::of(bytes[8])?;
        if bytes[10..12] != [0, 0] {
            return None;
        }
        let length = word(bytes, 0) as usize;
        if length == 0 || length > FRAME_BYTES_MAX || word(bytes, 12) != header_checksum(file, offset, bytes) {
            return None;
        }
        Some(Self { kind, partition: bytes[9], length, checksum: word(bytes, 4) })
    }

    pub(super) fn frame_bytes(self) -> usize {
        HEADER_BYTES + self.length
    }
}

/// Gives a header its own checksum.
pub(super) fn place(header: &mut [u8], file: u64, offset: u64) {
    let checksum = header_checksum(file, offset, header);
    header[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
}

/// The frame that begins here, in bytes that this process has put together itself.
pub(super) fn length_of(frame: &[u8]) -> usize {
    HEADER_BYTES + word(frame, 0) as usize
}

/// A whole mark or seal.
pub(super) fn number_frame(kind: Kind, number: u64, file: u64, offset: u64) -> [u8; NUMBER_FRAME_BYTES] {
    let number = number.to_le_bytes();
    let header = Header { kind, partition: 0, length: number.len(), checksum: checksum(&number) };
    let mut frame = [0; NUMBER_FRAME_BYTES];
    frame[..HEADER_BYTES].copy_from_slice(&header.placed(file, offset));
    frame[HEADER_BYTES..].copy_from_slice(&number);
    frame
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(bytes in proptest::collection::vec(any::<u8>(), 1..300), partition: u8,
                                           file: u64, offset: u64) {
            let header = Header::of_record(partition, &bytes);
            prop_assert_eq!(Header::read(&header.placed(file, offset), file, offset), Some(header));
            prop_assert_eq!(header.checksum, checksum(&bytes));
        }

        #[test]
        fn a_header_with_any_bit_flipped_is_none(bit in 0..HEADER_BYTES * 8, length in 1usize..1 << 20, file: u64,
                                                 offset: u64) {
            let header = Header { kind: Kind::Record, partition: 7, length, checksum: 99 };
            let mut bytes = header.placed(file, offset);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(Header::read(&bytes, file, offset), None);
        }

        #[test]
        fn a_header_at_another_place_is_none(file in 0u64..1 << 40, offset in 0u64..1 << 40, by in 1u64..1 << 20) {
            let bytes = Header::of_record(1, b"x").placed(file, offset);
            prop_assert_eq!(Header::read(&bytes, file, offset + by), None);
            prop_assert_eq!(Header::read(&bytes, file + by, offset), None);
        }
    }

    #[test]
    fn nothing_but_zeros_is_no_frame() {
        assert_eq!(Header::read(&[0; HEADER_BYTES], 0, 0), None);
    }
}
