//! What accounts take from chance, through the crate's one random module: salts, secrets and the ids of accounts.

use uuid::{Builder, Uuid};
use zeroize::Zeroizing;

use crate::random;

/// Fit for secrets: the crate's generator is a cryptographic one, seeded by the kernel.
pub(super) fn bytes<const N: usize>() -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    for chunk in bytes.chunks_mut(size_of::<u64>()) {
        chunk.copy_from_slice(&random::hash_seed().to_le_bytes()[..chunk.len()]);
    }
    bytes
}

/// The `tenant_id` of a new account, which is also the name of its namespace.
pub fn tenant_id() -> Uuid {
    Builder::from_random_bytes(*bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// C1
    #[test]
    fn every_account_gets_a_uuid_of_version_4_of_its_own() {
        let ids: HashSet<Uuid> = (0..1000).map(|_| tenant_id()).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            assert_eq!((id.get_version_num(), id.get_variant()), (4, uuid::Variant::RFC4122));
        }
    }

    #[test]
    fn every_byte_comes_from_chance_also_in_lengths_that_are_no_multiple_of_a_word() {
        let drawn: Vec<_> = (0..64).map(|_| bytes::<13>()).collect();
        for position in 0..13 {
            let values: HashSet<u8> = drawn.iter().map(|bytes| bytes[position]).collect();
            assert!(values.len() > 16, "byte {position} takes {} values in 64 draws", values.len());
        }
    }
}
