//! C59, C66: what a namespace shows was written in that namespace. This looks at answers only: it remembers what was
//! stored where, and recognises it when it turns up elsewhere.

use std::collections::BTreeMap;

use kvnode_core::store::attributes::Version;
use kvnode_core::store::entry::Entry;
use kvnode_core::store::key::Address;
use kvnode_core::store::outcome::Reply;

use super::{Invariant, View};
use crate::subject::Answer;
use crate::trace::{namespace_words, place};

#[derive(Debug, Default)]
pub(super) struct NamespacesAreIsolated {
    /// Of every key ever written: the last it was told to be.
    stored: BTreeMap<Address<'static>, (Version, Vec<u8>)>,
}

impl NamespacesAreIsolated {
    /// An entry is foreign if it is not what was stored here, but what was stored under this key elsewhere.
    fn check_entry(&self, address: &Address<'static>, entry: &Entry) -> Result<(), String> {
        if entry.address != *address {
            return Err(format!("a get of {} answers with {}", place(address), place(&entry.address)));
        }
        let here = self.stored.get(address);
        let is_entry = |stored: &(Version, Vec<u8>)| stored.0 == entry.version && stored.1 == entry.value.content();
        if here.is_some_and(is_entry) {
            return Ok(());
        }
        let elsewhere = self.stored.iter().find(|(other, stored)| other.key == address.key && is_entry(stored));
        match elsewhere {
            Some((other, _)) => Err(format!("{} shows what was stored as {}", place(address), place(other))),
            None if here.is_none() => Err(format!("{} was never stored, but is there", place(address))),
            None => Ok(()),
        }
    }
}

impl Invariant for NamespacesAreIsolated {
    fn name(&self) -> &'static str {
        "namespaces are isolated"
    }

    fn check(&mut self, view: &View<'_>) -> Result<(), String> {
        if let Some(Answer::Key(Ok(Reply::Stored { entry, .. }))) = view.done() {
            self.stored.insert(entry.address.clone(), (entry.version, entry.value.content().to_vec()));
        }
        for (address, reply) in view.probes {
            if let Reply::Found(entry) = reply {
                self.check_entry(address, entry)?;
            }
        }
        for shown in view.shown {
            let own =
                |key: &str| self.stored.keys().any(|own| own.namespace == shown.namespace && own.key.as_str() == key);
            if let Some(foreign) = shown.listed.iter().find(|key| !own(key)) {
                return Err(format!(
                    "{} lists {foreign:?}, which was never stored there",
                    namespace_words(shown.namespace)
                ));
            }
        }
        Ok(())
    }
}
