//! An entry as a dump has it: on its way back into a store, with the version and the times that it had. A write makes
//! these anew; who puts an entry back after a loss wants the very entry that was lost.

use std::num::NonZeroU32;

use super::attributes::{Tags, Version};
use super::limits::InputError;
use super::value::Value;
use crate::time::UnixMillis;

/// Half of what a version may be: an entry that was put back can be written as often again.
const VERSION_MAX: u64 = super::entry::VERSION_MAX / 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dumped<'d> {
    pub value: Value<'d>,
    version: Version,
    pub tags: Tags,
    /// Kept in whole seconds, as those of every entry.
    pub created_at: UnixMillis,
    pub updated_at: UnixMillis,
    pub expiry: Option<DumpedExpiry>,
}

/// When the entry is gone. The moment is what counts: time goes on for what lies in a dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DumpedExpiry {
    pub at: UnixMillis,
    /// The time to live as it was given, for whoever asks.
    pub ttl_seconds: NonZeroU32,
}

impl<'d> Dumped<'d> {
    /// Without tags and expiry, made and changed at this moment.
    pub fn new(value: Value<'d>, version: u64, at: UnixMillis) -> Result<Self, InputError> {
        if !(1..=VERSION_MAX).contains(&version) {
            return Err(InputError::DumpedVersion { version, max: VERSION_MAX });
        }
        let version = Version::new(version);
        Ok(Self { value, version, tags: Tags::default(), created_at: at, updated_at: at, expiry: None })
    }

    /// The least that its version will be.
    pub fn version(&self) -> Version {
        self.version
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::limits::Limits;

    #[test]
    fn a_version_that_no_entry_can_have_is_refused() {
        let dumped = |version| {
            let value = Value::bytes(b"1", &Limits::default()).expect("a value");
            Dumped::new(value, version, UnixMillis::new(1)).map(|dumped| dumped.version().get())
        };
        assert_eq!(dumped(1), Ok(1));
        assert_eq!(dumped(VERSION_MAX), Ok(VERSION_MAX));
        for version in [0, VERSION_MAX + 1, u64::MAX] {
            assert_eq!(dumped(version), Err(InputError::DumpedVersion { version, max: VERSION_MAX }));
        }
    }
}
