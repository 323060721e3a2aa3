//! A live entry: the value together with everything that is said about it. It is never changed in place; a write
//! makes a new one, so a reader that got hold of an entry sees one moment of it and no mixture of two.

use super::attributes::{Tags, Ttl, Version};
use super::footprint::{self, TABLE_SLOT_BYTES, TIME_INDEX_BYTES};
use super::key::Address;
use super::value::Value;
use crate::time::UnixMillis;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub address: Address,
    pub value: Value,
    pub version: Version,
    pub tags: Tags,
    /// The time to live as it was given; how much is left follows from `expires_at`.
    pub ttl: Option<Ttl>,
    pub created_at: UnixMillis,
    pub updated_at: UnixMillis,
    pub expires_at: Option<UnixMillis>,
    /// The partition's count of writes when this one was made; tells two entries apart that expire together.
    pub(super) sequence: u64,
}

impl Entry {
    /// An entry is gone *at* the moment it expires, not after it.
    pub fn is_expired_at(&self, now: UnixMillis) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// All memory that goes away with this entry.
    pub(super) fn bytes(&self) -> u64 {
        let tags: u64 = self.tags.iter().map(|(name, value)| tag_bytes(name, value)).sum();
        let tag_list = footprint::allocated(self.tags.iter().len() * size_of::<(Box<str>, Box<str>)>());
        TABLE_SLOT_BYTES
            + footprint::shared::<Self>()
            + footprint::allocated(self.address.key.as_str().len())
            + footprint::allocated(self.value.content().len())
            + tag_list
            + tags
            + if self.expires_at.is_some() { TIME_INDEX_BYTES } else { 0 }
    }
}

fn tag_bytes(name: &str, value: &str) -> u64 {
    footprint::allocated(name.len()) + footprint::allocated(value.len())
}
