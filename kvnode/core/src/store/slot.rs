//! Where a key lives: its slot by CRC16, as Redis Cluster clients compute it, and the partition that holds the slot.
//! Every node and every client must come to the same answer, so nothing in here may depend on configuration.

use serde::{Deserialize, Deserializer, Serialize};

/// How many slots there are; fixed by the Redis Cluster protocol.
pub const SLOTS: u16 = 16_384;

/// How many partitions share the slots. A partition is the unit of locking now and of replication later.
pub const PARTITIONS: usize = 256;

/// 64 slots to a partition.
const SLOTS_PER_PARTITION_SHIFT: u16 = 6;

const POLYNOMIAL: u16 = 0x1021;

/// Bytes whose part of the CRC is looked up at once: none of those look-ups waits for another.
const CRC_STRIDE: usize = 4;

/// What a byte adds to the CRC, for each possible byte, and for each number of bytes that come after it in a stride.
const CRC_TABLES: [[u16; 256]; CRC_STRIDE] = {
    let mut tables = [[0; 256]; CRC_STRIDE];
    let mut byte: u16 = 0;
    while byte < 256 {
        let mut crc = byte << 8;
        let mut after = 0;
        while after < CRC_STRIDE {
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ POLYNOMIAL };
                bit += 1;
            }
            tables[after][byte as usize] = crc;
            after += 1;
        }
        byte += 1;
    }
    tables
};

/// The number of a slot, below [`SLOTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

/// The number of a partition. There are exactly as many as a byte has values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartitionNumber(u8);

impl Slot {
    pub fn new(number: u16) -> Option<Self> {
        (number < SLOTS).then_some(Self(number))
    }

    pub fn of(key: &[u8]) -> Self {
        Self(crc16(hashed_part(key)) % SLOTS)
    }

    pub const fn get(self) -> u16 {
        self.0
    }

    pub fn partition(self) -> PartitionNumber {
        let number = u8::try_from(self.0 >> SLOTS_PER_PARTITION_SHIFT).expect("16384 slots >> 6 is below 256");
        PartitionNumber(number)
    }
}

impl PartitionNumber {
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    pub fn of(key: &[u8]) -> Self {
        Slot::of(key).partition()
    }

    pub const fn get(self) -> u8 {
        self.0
    }

    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// The text between the first `{` and the next `}`, if there is any: it lets a client keep keys together.
fn hashed_part(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|&byte| byte == b'{') else { return key };
    let rest = &key[open + 1..];
    match rest.iter().position(|&byte| byte == b'}') {
        None | Some(0) => key,
        Some(close) => &rest[..close],
    }
}

fn crc16(bytes: &[u8]) -> u16 {
    let (strides, rest) = bytes.as_chunks::<CRC_STRIDE>();
    let crc = strides.iter().fold(0_u16, |crc, &[first, second, third, fourth]| {
        let [high, low] = crc.to_be_bytes();
        CRC_TABLES[3][usize::from(first ^ high)]
            ^ CRC_TABLES[2][usize::from(second ^ low)]
            ^ CRC_TABLES[1][usize::from(third)]
            ^ CRC_TABLES[0][usize::from(fourth)]
    });
    rest.iter().fold(crc, |crc, &byte| (crc << 8) ^ CRC_TABLES[0][usize::from((crc >> 8) ^ u16::from(byte))])
}

/// Reads a list that has one of something for each partition; any other is malformed.
pub(crate) fn one_for_each_partition<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let all = Vec::deserialize(deserializer)?;
    if all.len() == PARTITIONS {
        return Ok(all);
    }
    Err(serde::de::Error::invalid_length(all.len(), &"one for each partition"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_the_one_of_redis_cluster() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
    }

    /// Bit by bit, as the definition has it.
    #[test]
    fn four_bytes_at_once_are_the_same_as_one_after_the_other() {
        let bytes: Vec<u8> = (0..=255).rev().cycle().take(999).collect();
        for len in (0..70).chain([999]) {
            let one_by_one = bytes[..len].iter().fold(0_u16, |crc, &byte| {
                (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
                    if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ POLYNOMIAL }
                })
            });
            assert_eq!(crc16(&bytes[..len]), one_by_one, "{len} bytes");
        }
    }

    /// The vectors of the requirements; placement (R17) stands on them.
    #[test]
    fn known_keys_fall_into_their_known_slots_and_partitions() {
        for (key, slot, partition) in [
            ("foo", 12_182, 190),
            ("mykey", 14_687, 229),
            ("sharedkey", 2_313, 36),
            ("user:123:profile", 8_490, 132),
            ("foo{hash_tag}", 2_515, 39),
            ("bar{hash_tag}", 2_515, 39),
            ("foo{}{bar}", 8_363, 130),
        ] {
            let found = Slot::of(key.as_bytes());
            assert_eq!((found.get(), found.partition().get()), (slot, partition), "{key}");
        }
    }

    #[test]
    fn a_hash_tag_counts_only_when_it_is_closed_and_not_empty() {
        assert_eq!(hashed_part(b"a{b}c"), b"b");
        assert_eq!(hashed_part(b"a{b}{c}"), b"b");
        assert_eq!(hashed_part(b"a{{b}}"), b"{b");
        assert_eq!(hashed_part(b"a{}c"), b"a{}c");
        assert_eq!(hashed_part(b"a{bc"), b"a{bc");
        assert_eq!(hashed_part(b"a}b{c"), b"a}b{c");
    }

    #[test]
    fn the_last_slot_lies_in_the_last_partition() {
        assert_eq!(Slot(SLOTS - 1).partition().index(), PARTITIONS - 1);
    }
}
