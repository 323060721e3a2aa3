//! An entry: the value together with everything that is said about it. In memory it is one run of bytes, because a
//! pointer, a length and an allocation for each part would cost more than most values:
//!
//! ```text
//! version 8 │ created 4 │ updated 4 │ flags 1 │ due 6, ttl 4, place 4? │ used 4? │ key len 1-2 │ value len 1, 2, 4 │ tags len 4? │ key │ value │ tags
//! ```
//!
//! Moments of creation and update are whole seconds; the moment of expiry has its milliseconds. A tombstone is an entry
//! without a value, whose due moment is the end of its retention.

use super::attributes::{Tags, TagsRef, Ttl, Version, are_packed_tags};
use super::key::{Address, Key, Namespace};
use super::value::{Kind, Value, is_sound_json};
use crate::time::UnixMillis;

const FLAGS_AT: usize = 16;
const DUE_AT: usize = 17;
const PLACE_AT: usize = 27;
const DUE_BYTES: usize = 14;
const USED_BYTES: usize = 4;

const BYTES: u8 = 1;
const DUE: u8 = 1 << 1;
const TAGGED: u8 = 1 << 2;
const LONG_KEY: u8 = 1 << 3;
/// Two bits: the value's length has one, two or four bytes.
const VALUE_LEN_SHIFT: u8 = 4;
const TOMBSTONE: u8 = 1 << 6;
const USED: u8 = 1 << 7;

/// Where the lengths begin, for each combination of flags.
#[expect(clippy::cast_possible_truncation, reason = "what comes before has fewer than 256 bytes")]
const LENGTHS_AT: [u8; 256] = {
    let mut at = [0; 256];
    let mut flags = 0;
    while flags < 256 {
        let due = if flags & DUE as usize == 0 { 0 } else { DUE_BYTES };
        let used = if flags & USED as usize == 0 { 0 } else { USED_BYTES };
        at[flags] = (DUE_AT + due + used) as u8;
        flags += 1;
    }
    at
};

/// Where the key begins, which is behind them.
const KEY_AT: [u8; 256] = {
    let mut at = LENGTHS_AT;
    let mut flags = 0;
    while flags < 256 {
        at[flags] += if flags & LONG_KEY as usize == 0 { 1 } else { 2 };
        at[flags] += 1 << (flags >> VALUE_LEN_SHIFT & 3);
        at[flags] += if flags & TAGGED as usize == 0 { 0 } else { 4 };
        flags += 1;
    }
    at
};

/// The last moment an entry can expire at: the end of the year 9999. It fits into the six bytes it is kept in, and can be
/// written as a date; what is to expire later expires then.
pub const LAST_MOMENT: UnixMillis = UnixMillis::new(253_402_300_799_999);

/// Far above any version that was ever reached, far below the end of the numbers: what claims more is damaged.
pub(super) const VERSION_MAX: u64 = 1 << 62;

/// What is to be written down as an entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft<'d> {
    pub(super) key: &'d str,
    pub(super) kind: Kind,
    pub(super) content: &'d [u8],
    /// As [`Tags::packed`] has them.
    pub(super) tags: &'d [u8],
    /// Until a partition has given it one: the least it may be.
    pub(super) version: Version,
    pub(super) created: u32,
    pub(super) updated: u32,
    pub(super) due: Option<Due>,
    /// When it was last used, in seconds, if that is kept.
    pub(super) used: Option<u32>,
    pub(super) tombstone: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    pub(super) at: UnixMillis,
    pub(super) ttl: u32,
}

/// An entry where it lies, under its partition's lock.
#[derive(Clone, Copy)]
pub struct EntryRef<'e> {
    bytes: &'e [u8],
    key_at: usize,
    value_at: usize,
    tags_at: usize,
    end: usize,
}

/// An entry on its own, to be looked at after the lock is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub address: Address<'static>,
    pub value: Value<'static>,
    pub version: Version,
    pub tags: Tags,
    /// The time to live as it was given; how much is left follows from `expires_at`.
    pub ttl: Option<Ttl>,
    pub created_at: UnixMillis,
    pub updated_at: UnixMillis,
    pub expires_at: Option<UnixMillis>,
}

impl Entry {
    /// An entry is gone *at* the moment it expires, not after it.
    pub fn is_expired_at(&self, now: UnixMillis) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

impl<'d> Draft<'d> {
    /// The same once more, for another place.
    pub(super) fn copy_of(entry: EntryRef<'d>) -> Self {
        Self {
            key: entry.key(),
            kind: entry.kind(),
            content: entry.content(),
            tags: entry.tags_bytes(),
            version: entry.version(),
            created: entry.created(),
            updated: entry.updated(),
            due: entry.due(),
            used: entry.used(),
            tombstone: entry.is_tombstone(),
        }
    }

    /// See [`EntryRef::given_bytes`].
    pub(super) fn given_bytes(&self) -> u64 {
        (self.key.len() + self.content.len() + self.tags.len()) as u64
    }

    pub(super) fn len(&self) -> usize {
        DUE_AT
            + if self.due.is_some() { DUE_BYTES } else { 0 }
            + if self.used.is_some() { USED_BYTES } else { 0 }
            + if self.key.len() > usize::from(u8::MAX) { 2 } else { 1 }
            + (1 << value_len_code(self.content.len()))
            + if self.tags.is_empty() { 0 } else { 4 + self.tags.len() }
            + self.key.len()
            + self.content.len()
    }

    /// Writes it into a slot of at least [`Self::len`] bytes. Its place among the deadlines is not known yet.
    pub(super) fn write(&self, slot: &mut [u8]) {
        let code = value_len_code(self.content.len());
        let long_key = self.key.len() > usize::from(u8::MAX);
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags = flag(self.kind == Kind::Bytes, BYTES)
            | flag(self.due.is_some(), DUE)
            | flag(!self.tags.is_empty(), TAGGED)
            | flag(long_key, LONG_KEY)
            | code << VALUE_LEN_SHIFT
            | flag(self.tombstone, TOMBSTONE)
            | flag(self.used.is_some(), USED);
        slot[0..8].copy_from_slice(&self.version.get().to_le_bytes());
        slot[8..12].copy_from_slice(&self.created.to_le_bytes());
        slot[12..16].copy_from_slice(&self.updated.to_le_bytes());
        slot[FLAGS_AT] = flags;
        let mut at = DUE_AT;
        let mut put = |bytes: &[u8]| {
            slot[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        if let Some(due) = self.due {
            put(&due.at.get().to_le_bytes()[..6]);
            put(&due.ttl.to_le_bytes());
            put(&[0; 4]);
        }
        if let Some(used) = self.used {
            put(&used.to_le_bytes());
        }
        put(&short(self.key.len()).to_le_bytes()[..if long_key { 2 } else { 1 }]);
        put(&long(self.content.len()).to_le_bytes()[..1 << code]);
        if !self.tags.is_empty() {
            put(&long(self.tags.len()).to_le_bytes());
        }
        put(self.key.as_bytes());
        put(self.content);
        put(self.tags);
    }
}

fn value_len_code(len: usize) -> u8 {
    match len {
        0..=0xff => 0,
        0x100..=0xffff => 1,
        _ => 2,
    }
}

fn short(len: usize) -> u16 {
    u16::try_from(len).expect("limits keep keys below 2^16 bytes")
}

fn long(len: usize) -> u32 {
    u32::try_from(len).expect("limits keep values and tags below 2^32 bytes")
}

fn half_word(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes"))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// The moment of an entry that has one, in milliseconds.
pub(super) fn due_of(bytes: &[u8]) -> u64 {
    let mut moment = [0; 8];
    moment[..6].copy_from_slice(&bytes[DUE_AT..DUE_AT + 6]);
    u64::from_le_bytes(moment)
}

pub(super) fn place_of(bytes: &[u8]) -> usize {
    word(bytes, PLACE_AT) as usize
}

pub(super) fn set_place(bytes: &mut [u8], place: usize) {
    bytes[PLACE_AT..PLACE_AT + 4].copy_from_slice(&long(place).to_le_bytes());
}

pub(super) fn has_due(bytes: &[u8]) -> bool {
    bytes[FLAGS_AT] & DUE != 0
}

pub(super) fn is_tombstone(bytes: &[u8]) -> bool {
    bytes[FLAGS_AT] & TOMBSTONE != 0
}

/// Notes the moment of a use, where the entry has room for it.
pub(super) fn set_used(bytes: &mut [u8], seconds: u32) {
    if let Some(at) = used_at(bytes) {
        bytes[at..at + USED_BYTES].copy_from_slice(&seconds.to_le_bytes());
    }
}

/// The key of the entry at the beginning of these bytes, for whoever needs no more of it.
pub(super) fn key_of(bytes: &[u8]) -> &[u8] {
    let flags = bytes[FLAGS_AT];
    let (len, _) = key_len(bytes, flags, usize::from(LENGTHS_AT[usize::from(flags)]));
    let at = usize::from(KEY_AT[usize::from(flags)]);
    &bytes[at..at + len]
}

/// How long the key is, and where the value's length follows.
fn key_len(bytes: &[u8], flags: u8, at: usize) -> (usize, usize) {
    if flags & LONG_KEY == 0 { (usize::from(bytes[at]), at + 1) } else { (usize::from(half_word(bytes, at)), at + 2) }
}

fn used_at(bytes: &[u8]) -> Option<usize> {
    (bytes[FLAGS_AT] & USED != 0).then(|| DUE_AT + if has_due(bytes) { DUE_BYTES } else { 0 })
}

impl<'e> EntryRef<'e> {
    pub(super) fn new(bytes: &'e [u8]) -> Self {
        let flags = bytes[FLAGS_AT];
        let lengths_at = usize::from(LENGTHS_AT[usize::from(flags)]);
        let key_at = usize::from(KEY_AT[usize::from(flags)]);
        let (key_len, value_len_at) = key_len(bytes, flags, lengths_at);
        let value_len = match flags >> VALUE_LEN_SHIFT & 3 {
            0 => usize::from(bytes[value_len_at]),
            1 => usize::from(half_word(bytes, value_len_at)),
            _ => word(bytes, value_len_at) as usize,
        };
        let tags_len = if flags & TAGGED == 0 { 0 } else { word(bytes, key_at - 4) as usize };
        let value_at = key_at + key_len;
        let tags_at = value_at + value_len;
        Self { bytes, key_at, value_at, tags_at, end: tags_at + tags_len }
    }

    /// Takes bytes of unknown origin; nothing if they are not exactly one entry that this store could have written.
    pub(super) fn checked(bytes: &'e [u8]) -> Option<Self> {
        let flags = *bytes.get(FLAGS_AT)?;
        let value_len_code = flags >> VALUE_LEN_SHIFT & 3;
        if value_len_code > 2 || bytes.len() < usize::from(KEY_AT[usize::from(flags)]) {
            return None;
        }
        let entry = Self::new(bytes);
        let sound = entry.end == bytes.len()
            && !entry.key_bytes().is_empty()
            && std::str::from_utf8(entry.key_bytes()).is_ok()
            && are_packed_tags(entry.tags_bytes())
            && (1..=VERSION_MAX).contains(&entry.version().get())
            && entry.due().is_none_or(|due| due.at <= LAST_MOMENT)
            && if entry.is_tombstone() { entry.is_sound_tombstone() } else { entry.is_sound_live() };
        sound.then_some(entry)
    }

    fn is_sound_tombstone(&self) -> bool {
        has_due(self.bytes) && self.content().is_empty() && self.tags_bytes().is_empty()
    }

    fn is_sound_live(&self) -> bool {
        self.due().is_none_or(|due| due.ttl > 0) && (self.kind() == Kind::Bytes || is_sound_json(self.content()))
    }

    /// Bytes it takes of its slot.
    pub(super) fn len(&self) -> usize {
        self.end
    }

    /// Those bytes; its place among the deadlines is somewhere in them.
    pub(super) fn bytes(&self) -> &'e [u8] {
        &self.bytes[..self.end]
    }

    /// What its owner gave: the key, the value and the tags.
    pub(super) fn given_bytes(&self) -> u64 {
        (self.end - self.key_at) as u64
    }

    fn tags_bytes(&self) -> &'e [u8] {
        &self.bytes[self.tags_at..self.end]
    }

    pub(super) fn key_bytes(&self) -> &'e [u8] {
        &self.bytes[self.key_at..self.value_at]
    }

    pub fn key(&self) -> &'e str {
        std::str::from_utf8(self.key_bytes()).expect("a key was text when it was stored")
    }

    pub fn kind(&self) -> Kind {
        if self.bytes[FLAGS_AT] & BYTES == 0 { Kind::Json } else { Kind::Bytes }
    }

    /// The value's text or bytes as they were written.
    pub fn content(&self) -> &'e [u8] {
        &self.bytes[self.value_at..self.tags_at]
    }

    pub fn tags(&self) -> TagsRef<'e> {
        TagsRef::new(self.tags_bytes())
    }

    pub fn version(&self) -> Version {
        Version::new(u64::from_le_bytes(self.bytes[..8].try_into().expect("eight bytes")))
    }

    pub fn created_at(&self) -> UnixMillis {
        UnixMillis::default().plus_seconds(u64::from(self.created()))
    }

    pub fn updated_at(&self) -> UnixMillis {
        UnixMillis::default().plus_seconds(u64::from(self.updated()))
    }

    pub fn expires_at(&self) -> Option<UnixMillis> {
        has_due(self.bytes).then(|| UnixMillis::new(due_of(self.bytes)))
    }

    /// The time to live as it was given; a tombstone was given none.
    pub fn ttl(&self) -> Option<Ttl> {
        let due = self.due().filter(|_| !self.is_tombstone());
        due.map(|due| Ttl::stored(due.ttl))
    }

    pub(super) fn created(&self) -> u32 {
        word(self.bytes, 8)
    }

    pub(super) fn updated(&self) -> u32 {
        word(self.bytes, 12)
    }

    pub(super) fn due(&self) -> Option<Due> {
        has_due(self.bytes).then(|| Due { at: UnixMillis::new(due_of(self.bytes)), ttl: word(self.bytes, DUE_AT + 6) })
    }

    pub(super) fn used(&self) -> Option<u32> {
        used_at(self.bytes).map(|at| word(self.bytes, at))
    }

    /// What is left of an entry that is gone: its key and version, until it expires itself.
    pub fn is_tombstone(&self) -> bool {
        is_tombstone(self.bytes)
    }

    pub fn to_entry(&self, namespace: Namespace) -> Entry {
        Entry {
            address: Address { namespace, key: Key::stored(self.key()).into_owned() },
            value: Value::stored(self.kind(), self.content()).into_owned(),
            version: self.version(),
            tags: self.tags().to_tags(),
            ttl: self.ttl(),
            created_at: self.created_at(),
            updated_at: self.updated_at(),
            expires_at: self.expires_at(),
        }
    }
}

impl std::fmt::Debug for EntryRef<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("EntryRef")
            .field("key", &self.key())
            .field("value", &Value::stored(self.kind(), self.content()))
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination of parts, with lengths at which the form changes.
    #[test]
    fn what_is_written_is_what_is_read() {
        let limits = super::super::limits::Limits { key_bytes_max: 4096, ..Default::default() };
        let tags = Tags::new([("a", "b"), ("long", &"ü".repeat(100))], &limits).expect("two tags");
        let none = Tags::default();
        for key_len in [1, 255, 256, 4096] {
            for value_len in [0, 1, 255, 256, 65_535, 65_536] {
                for bits in 0..16 {
                    let bit = |number: u8| bits >> number & 1 == 1;
                    let draft = Draft {
                        key: &"k".repeat(key_len),
                        kind: if bit(0) { Kind::Bytes } else { Kind::Json },
                        content: &vec![7; value_len],
                        tags: if bit(1) { tags.packed() } else { none.packed() },
                        version: Version::new(u64::MAX - 5),
                        created: 1_700_000_000,
                        updated: u32::MAX,
                        due: bit(2).then_some(Due { at: UnixMillis::new((1 << 48) - 1), ttl: 77 }),
                        used: bit(3).then_some(5),
                        tombstone: false,
                    };
                    let mut slot = vec![0xaa; draft.len() + 7];
                    draft.write(&mut slot);
                    let entry = EntryRef::new(&slot);
                    assert_eq!((entry.key(), entry.content(), entry.kind()), (draft.key, draft.content, draft.kind));
                    assert_eq!(entry.tags().to_tags(), if bit(1) { tags.clone() } else { none.clone() });
                    assert_eq!(
                        (entry.version(), entry.created(), entry.used()),
                        (draft.version, draft.created, draft.used)
                    );
                    assert_eq!(entry.updated_at().get(), u64::from(u32::MAX) * 1000);
                    assert_eq!(entry.expires_at(), draft.due.map(|due| due.at));
                    assert_eq!(entry.end, draft.len());
                }
            }
        }
    }

    #[test]
    fn places_and_uses_are_noted_without_touching_anything_else() {
        let due = Some(Due { at: UnixMillis::new(9), ttl: 1 });
        let draft = Draft {
            key: "k",
            kind: Kind::Json,
            content: b"1",
            tags: &[],
            version: Version::new(1),
            created: 1,
            updated: 2,
            due,
            used: Some(3),
            tombstone: true,
        };
        let mut slot = vec![0; draft.len()];
        draft.write(&mut slot);
        set_place(&mut slot, 70_000);
        set_used(&mut slot, 99);
        let entry = EntryRef::new(&slot);
        assert_eq!((place_of(&slot), entry.used(), entry.key(), entry.content()), (70_000, Some(99), "k", &b"1"[..]));
        assert!(entry.is_tombstone());
    }
}
