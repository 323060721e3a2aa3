//! The order in which keys are listed: by partition, then by a hash of the key that is the same on every copy and in
//! every version. So a cursor says how far a list has come, whatever is written, moved or restarted meanwhile.

use std::fmt;
use std::num::NonZeroU64;

use super::slot::PartitionNumber;

const HASH_BITS: u32 = 48;
const HASH_MASK: u64 = (1 << HASH_BITS) - 1;

/// The place of a key in that order: its partition in the upper bits, its hash in the lower 48. It is never zero, which
/// stands for the beginning and the end in the Redis protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor(NonZeroU64);

impl Cursor {
    /// Keys of one hash share a place, and so are always on one page.
    pub fn of(key: &str) -> Self {
        Self::within(PartitionNumber::of(key.as_bytes()), key.as_bytes())
    }

    /// The same for a key whose partition is known.
    pub(super) fn within(partition: PartitionNumber, key: &[u8]) -> Self {
        let hash = fnv1a(key);
        let folded = (hash ^ hash >> HASH_BITS) & HASH_MASK;
        Self(NonZeroU64::new(u64::from(partition.get()) << HASH_BITS | folded).unwrap_or(NonZeroU64::MIN))
    }

    /// What a client gives back. Any number below 2⁵⁶ is a place, if not one at which there is a key.
    pub fn from_number(number: u64) -> Option<Self> {
        NonZeroU64::new(number).filter(|number| number.get() >> (HASH_BITS + u8::BITS) == 0).map(Self)
    }

    pub fn from_text(text: &str) -> Option<Self> {
        let digits = text.len() == 14 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        digits.then(|| u64::from_str_radix(text, 16).ok()).flatten().and_then(Self::from_number)
    }

    pub fn number(self) -> u64 {
        self.0.get()
    }

    pub(super) fn partition_index(self) -> usize {
        usize::try_from(self.0.get() >> HASH_BITS).expect("eight bits")
    }
}

/// Fourteen hexadecimal digits.
impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:014x}", self.0)
    }
}

/// FNV-1a with 64 bits. It is no defence against keys that were chosen to collide; they only end up on one page.
fn fnv1a(bytes: &[u8]) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    bytes.iter().fold(BASIS, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is() {
        for key in ["a", "user:1", "é"] {
            let cursor = Cursor::of(key);
            assert_eq!(Cursor::from_text(&cursor.to_string()), Some(cursor));
            assert_eq!(Cursor::from_number(cursor.number()), Some(cursor));
            assert_eq!(cursor.partition_index(), PartitionNumber::of(key.as_bytes()).index());
        }
        for text in
            ["", "0", "00000000000000", "00000000000001x", "0000000000000G", "+0000000000001", "100000000000000"]
        {
            assert_eq!(Cursor::from_text(text), None, "{text}");
        }
        assert_eq!(Cursor::from_number(1 << 56), None);
    }
}
