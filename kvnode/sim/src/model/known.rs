//! An entry as the model has it.

use std::fmt;

use kvnode_core::store::attributes::{Tags, Ttl, Version};
use kvnode_core::store::entry::Entry;
use kvnode_core::store::value::{Kind, Value};
use kvnode_core::time::UnixMillis;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub content: Content,
    pub version: Version,
    pub tags: Tags,
    /// The time to live as it was given, in whole seconds.
    pub ttl_seconds: Option<u64>,
    pub created_at: UnixMillis,
    pub updated_at: UnixMillis,
    pub expires_at: Option<UnixMillis>,
    /// When it was written or read last, in whole seconds. No answer shows it.
    pub used_at: UnixMillis,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    pub kind: Kind,
    pub bytes: Vec<u8>,
}

impl Known {
    pub fn same_as(&self, entry: &Entry) -> Result<(), String> {
        let shown = Self {
            content: Content::of(&entry.value),
            version: entry.version,
            tags: entry.tags.clone(),
            ttl_seconds: entry.ttl.map(Ttl::seconds),
            created_at: entry.created_at,
            updated_at: entry.updated_at,
            expires_at: entry.expires_at,
            used_at: self.used_at,
        };
        if *self == shown { Ok(()) } else { Err(format!("expected {self:?}, but got {shown:?}")) }
    }

    pub(super) fn use_at(&mut self, clock: UnixMillis) {
        self.used_at = whole_seconds(clock);
    }

    pub(super) fn previous(&self) -> Box<[u8]> {
        self.content.bytes.clone().into()
    }
}

impl Content {
    pub(super) fn of(value: &Value<'_>) -> Self {
        Self { kind: value.kind(), bytes: value.content().to_vec() }
    }
}

/// Short, as [`Value`]'s own is.
impl fmt::Debug for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_MAX: usize = 40;
        let shown = String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(SHOWN_MAX)]);
        write!(formatter, "{:?}({} bytes: {shown})", self.kind, self.bytes.len())
    }
}

pub(super) fn whole_seconds(moment: UnixMillis) -> UnixMillis {
    UnixMillis::new(moment.get() / 1000 * 1000)
}
