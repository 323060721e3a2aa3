//! What can be asked of the store: a closed set that every protocol translates into. A command carries the namespace
//! it is about and only values that were checked, so the store itself refuses nothing but conditions and memory.

use super::attributes::{Tags, Ttl};
use super::condition::Condition;
use super::key::{Address, KeyPart, Namespace};
use super::limits::{InputError, PAGE_KEYS_MAX};
use super::value::Value;

/// Everything the store does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// About one key, so about one partition.
    Key(KeyCommand),
    /// About all keys of a namespace, so about every partition, one after the other.
    All(AllCommand),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCommand {
    pub address: Address,
    pub action: KeyAction,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyAction {
    Get,
    /// Creates the entry or replaces the whole of it.
    Put(Put),
    Delete {
        conditions: Vec<Condition>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    pub value: Value,
    pub ttl: Option<Ttl>,
    pub tags: Tags,
    /// All must hold; the first that does not is the one reported.
    pub conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllCommand {
    List(List),
    Count(Namespace),
}

/// One page of the keys with a prefix, in the order of their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    pub namespace: Namespace,
    pub prefix: KeyPart,
    /// Only keys after this one; what [`super::outcome::KeyPage::next`] of the page before said.
    pub after: Option<KeyPart>,
    pub limit: PageLimit,
}

/// How many keys a page may have: 1 to [`PAGE_KEYS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit(usize);

impl Command {
    pub fn get(address: Address) -> Self {
        Self::Key(KeyCommand { address, action: KeyAction::Get })
    }

    pub fn put(address: Address, put: Put) -> Self {
        Self::Key(KeyCommand { address, action: KeyAction::Put(put) })
    }

    pub fn delete(address: Address, conditions: Vec<Condition>) -> Self {
        Self::Key(KeyCommand { address, action: KeyAction::Delete { conditions } })
    }

    pub fn list(list: List) -> Self {
        Self::All(AllCommand::List(list))
    }

    pub fn count(namespace: Namespace) -> Self {
        Self::All(AllCommand::Count(namespace))
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
