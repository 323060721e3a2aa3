//! What can be asked of the store: a closed set that every protocol translates into. A command carries the namespace
//! it is about and only values that were checked, so the store itself refuses nothing but conditions, changes that the
//! present value does not allow, and memory. It borrows from the request it was made of.

use super::answers::Idempotency;
use super::attributes::{Tags, Ttl};
use super::change::NewValue;
use super::condition::Condition;
use super::cursor::Cursor;
use super::dumped::Dumped;
use super::key::{Address, KeyPart, Namespace};
use super::limits::{InputError, PAGE_KEYS_MAX};
use super::value::Value;
use crate::time::UnixMillis;

/// Everything the store does.
#[derive(Clone, Debug, PartialEq)]
pub enum Command<'c> {
    /// About one key, so about one partition.
    Key(KeyCommand<'c>),
    /// About all keys of a namespace, so about every partition, one after the other.
    All(AllCommand),
}

#[derive(Clone, Debug, PartialEq)]
pub struct KeyCommand<'c> {
    pub address: Address<'c>,
    pub action: KeyAction<'c>,
    /// With one, a write or a delete is done once: the next with the same gets the same answer. A get has no use for it,
    /// and what is put back twice is the same as put back once.
    pub idempotency: Option<Idempotency>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum KeyAction<'c> {
    Get,
    /// Creates the entry, or changes it.
    Write(Write<'c>),
    Delete {
        conditions: Vec<Condition>,
        with_previous: bool,
    },
    /// Makes the entry what a dump says it was, unless what is there is as new or newer.
    PutBack(Dumped<'c>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Write<'c> {
    pub value: NewValue<'c>,
    pub expiry: NewExpiry,
    pub tags: NewTags,
    /// All must hold; the first that does not is the one reported.
    pub conditions: Vec<Condition>,
    /// Whether the answer has the content that was there before.
    pub with_previous: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewExpiry {
    Never,
    Keep,
    /// As it is, and for an entry that is created by this write the ttl.
    KeepOrAfter(Ttl),
    After(Ttl),
    /// A moment that is over already deletes the entry.
    At(UnixMillis),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewTags {
    Keep,
    Set(Tags),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllCommand {
    List(List),
    Sorted(Sorted),
    Count(Namespace),
    /// Deletes every entry. Keys start above all of their versions afterwards.
    Flush(Namespace),
}

/// One page of the keys with a prefix, in the order of [`Cursor`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    pub namespace: Namespace,
    pub prefix: KeyPart,
    /// Only keys behind this place; what [`super::outcome::KeyPage::next`] of the page before said.
    pub after: Option<Cursor>,
    pub limit: PageLimit,
}

/// One page of the keys with a prefix and tags, in the order of their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sorted {
    pub namespace: Namespace,
    pub prefix: KeyPart,
    /// Names and values an entry must all have.
    pub tags: Vec<(Box<str>, Box<str>)>,
    pub skip: usize,
    pub limit: PageLimit,
}

/// How many keys a page may have: 1 to [`PAGE_KEYS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit(usize);

impl<'c> KeyCommand<'c> {
    pub fn new(address: Address<'c>, action: KeyAction<'c>) -> Self {
        Self { address, action, idempotency: None }
    }

    #[must_use]
    pub fn once(mut self, idempotency: Option<Idempotency>) -> Self {
        self.idempotency = idempotency;
        self
    }
}

impl<'c> Command<'c> {
    pub fn get(address: Address<'c>) -> Self {
        Self::Key(KeyCommand::new(address, KeyAction::Get))
    }

    pub fn write(address: Address<'c>, write: Write<'c>) -> Self {
        Self::Key(KeyCommand::new(address, KeyAction::Write(write)))
    }

    pub fn delete(address: Address<'c>, conditions: Vec<Condition>) -> Self {
        Self::Key(KeyCommand::new(address, KeyAction::Delete { conditions, with_previous: false }))
    }

    pub fn list(list: List) -> Self {
        Self::All(AllCommand::List(list))
    }

    pub fn count(namespace: Namespace) -> Self {
        Self::All(AllCommand::Count(namespace))
    }
}

impl<'c> Write<'c> {
    /// Replaces the whole of an entry, whatever it was.
    pub fn put(value: Value<'c>) -> Self {
        Self {
            value: NewValue::Set(value),
            expiry: NewExpiry::Never,
            tags: NewTags::Set(Tags::default()),
            conditions: Vec::new(),
            with_previous: false,
        }
    }

    /// Changes the value alone.
    pub fn change(value: NewValue<'c>) -> Self {
        Self { value, expiry: NewExpiry::Keep, tags: NewTags::Keep, conditions: Vec::new(), with_previous: false }
    }

    #[must_use]
    pub fn living(mut self, ttl: Option<Ttl>) -> Self {
        self.expiry = ttl.map_or(NewExpiry::Never, NewExpiry::After);
        self
    }

    #[must_use]
    pub fn tagged(mut self, tags: Tags) -> Self {
        self.tags = NewTags::Set(tags);
        self
    }

    #[must_use]
    pub fn only(mut self, conditions: Vec<Condition>) -> Self {
        self.conditions = conditions;
        self
    }
}

impl PageLimit {
    pub fn new(limit: usize) -> Result<Self, InputError> {
        if (1..=PAGE_KEYS_MAX).contains(&limit) { Ok(Self(limit)) } else { Err(InputError::PageLimit { limit }) }
    }

    pub fn get(self) -> usize {
        self.0
    }
}
