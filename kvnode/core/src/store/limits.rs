//! The limits on what a client may store, and the sentence for each way to break one. They exist once, here:
//! every protocol builds its commands from values that were checked against the same [`Limits`].

use thiserror::Error;

use crate::patch::PatchLimits;

/// Brackets within brackets that a JSON value may have; deeper text would make readers that recurse overflow.
pub const JSON_DEPTH_MAX: usize = 128;

/// 100 years. An expiry must stay a moment that can be written as a date with a four-digit year.
pub const TTL_SECONDS_MAX: u64 = 100 * 365 * 24 * 60 * 60;

/// Keys in one page of a list: with the longest keys a page is then a quarter of a mebibyte.
pub const PAGE_KEYS_MAX: usize = 1000;

/// What a key, a value and its tags may measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub key_bytes_max: usize,
    pub value_bytes_max: usize,
    pub tags_max: usize,
    pub tag_chars_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { key_bytes_max: 256, value_bytes_max: 2 * 1024 * 1024, tags_max: 50, tag_chars_max: 100 }
    }
}

impl Limits {
    /// What they leave to a patch and to the value it makes.
    pub fn of_patches(&self) -> PatchLimits {
        PatchLimits { bytes_max: self.value_bytes_max, depth_max: JSON_DEPTH_MAX }
    }
}

/// Why a part of a command could not be built. Each sentence names the limit, so that a client can be mended
/// without the documentation at hand.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InputError {
    #[error("The key is blank; a key has 1 to {max} bytes and at least one character that is not white space.")]
    KeyBlank { max: usize },
    #[error("The key has {bytes} bytes; at most {max} are allowed.")]
    KeyTooLong { bytes: usize, max: usize },
    #[error(
        "The key has a control character (U+{character:04X}) at byte {position}; control characters are not allowed in keys."
    )]
    KeyControlCharacter { character: u32, position: usize },
    #[error("The {what} has {bytes} bytes; no key is longer than {max}, so it can match none.")]
    KeyPartTooLong { what: &'static str, bytes: usize, max: usize },
    #[error("The value has {bytes} bytes; at most {max} are allowed.")]
    ValueTooLarge { bytes: usize, max: usize },
    #[error("The value is no JSON: {reason}.")]
    JsonMalformed { reason: String },
    #[error("The value nests arrays and objects more than {JSON_DEPTH_MAX} deep.")]
    JsonTooDeep,
    #[error("The entry has {count} tags; at most {max} are allowed.")]
    TooManyTags { count: usize, max: usize },
    #[error("The tag '{start}…' has a name or value of {chars} characters; at most {max} are allowed.")]
    TagTooLong { start: String, chars: usize, max: usize },
    #[error("The ttl of {seconds} seconds is too long; at most {TTL_SECONDS_MAX} (100 years) are allowed.")]
    TtlTooLong { seconds: u64 },
    #[error("The limit {limit} is out of range; a page of a list has 1 to {PAGE_KEYS_MAX} keys.")]
    PageLimit { limit: usize },
    #[error("The version {version} is out of range; an entry of a dump has a version of 1 to {max}.")]
    DumpedVersion { version: u64, max: u64 },
}

impl InputError {
    /// The variant's name, as it appears in the member `code` of an error body.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeyBlank { .. } => "KeyBlank",
            Self::KeyTooLong { .. } => "KeyTooLong",
            Self::KeyControlCharacter { .. } => "KeyControlCharacter",
            Self::KeyPartTooLong { .. } => "KeyPartTooLong",
            Self::ValueTooLarge { .. } => "ValueTooLarge",
            Self::JsonMalformed { .. } => "JsonMalformed",
            Self::JsonTooDeep => "JsonTooDeep",
            Self::TooManyTags { .. } => "TooManyTags",
            Self::TagTooLong { .. } => "TagTooLong",
            Self::TtlTooLong { .. } => "TtlTooLong",
            Self::PageLimit { .. } => "PageLimit",
            Self::DumpedVersion { .. } => "DumpedVersion",
        }
    }
}
