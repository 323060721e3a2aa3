//! Defects in answers about all keys.

use kvnode_core::store::attributes::Ttl;
use kvnode_core::store::command::{AllCommand, KeyAction, KeyCommand, Write};
use kvnode_core::store::cursor::Cursor;
use kvnode_core::store::outcome::{Gathered, KeyPage};
use kvnode_core::time::UnixMillis;

use super::{Mutant, Mutation};
use crate::subject::Subject;

impl<S: Subject> Mutant<S> {
    pub(super) fn spoil_gathered(&mut self, command: &AllCommand, gathered: Gathered, now: UnixMillis) -> Gathered {
        match (gathered, command) {
            (Gathered::Keys(page), _) => Gathered::Keys(self.spoil_page(page)),
            (Gathered::Count(keys), _) if self.mutation == Mutation::CountOffByOne => {
                Gathered::Count(keys + u64::from(keys > 0))
            }
            (Gathered::Flushed(entries), AllCommand::Flush(namespace)) => {
                self.flushed.insert(*namespace);
                self.used.retain(|address, _| address.namespace != *namespace);
                if self.mutation == Mutation::FlushLeavesAnEntry {
                    self.put_back(now);
                }
                Gathered::Flushed(entries)
            }
            (gathered, _) => gathered,
        }
    }

    fn spoil_page(&self, mut page: KeyPage) -> KeyPage {
        match self.mutation {
            Mutation::DeletedStillListed => page.keys.extend(self.last_deleted.clone()),
            Mutation::ListForgetsAKey => drop(page.keys.pop()),
            Mutation::ListOutOfOrder => page.keys.reverse(),
            Mutation::PageCutsAPlace => {
                if let [.., one, other] = &*page.keys
                    && Cursor::of(one) == Cursor::of(other)
                {
                    page.keys.pop();
                }
            }
            _ => {}
        }
        page
    }

    fn put_back(&mut self, now: UnixMillis) {
        let Some(entry) = self.last_stored.take() else { return };
        let write = Write::put(entry.value).living(entry.ttl.and_then(|ttl| Ttl::from_seconds(ttl.seconds()).ok()?));
        drop(self.inner.execute(&KeyCommand::new(entry.address, KeyAction::Write(write)), now));
    }
}
