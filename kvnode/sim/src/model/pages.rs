//! Pages of keys, from a list of all keys that is sorted anew for each.

use kvnode_core::store::command::{List, Sorted};
use kvnode_core::store::cursor::Cursor;
use kvnode_core::store::outcome::{KeyPage, SortedPage};
use kvnode_core::store::slot::PartitionNumber;
use kvnode_core::time::UnixMillis;

use super::Model;

impl Model {
    /// Partitions behind the page are not asked, and so do not hear what time it is.
    pub(super) fn page(&mut self, list: &List, now: UnixMillis) -> KeyPage {
        let first = list.after.map_or(0, |after| u8::try_from(after.number() >> 48).expect("a place has 56 bits"));
        let mut keys: Vec<(Cursor, Box<str>)> = Vec::new();
        for number in first..=u8::MAX {
            let partition = PartitionNumber::new(number);
            self.advance(partition, now);
            let here = self.live.keys().filter(|address| {
                address.namespace == list.namespace
                    && address.partition() == partition
                    && address.key.as_str().starts_with(list.prefix.as_str())
            });
            let places = here.map(|address| (Cursor::of(address.key.as_str()), address.key.as_str().into()));
            keys.extend(places.filter(|(cursor, _)| list.after.is_none_or(|after| *cursor > after)));
            keys.sort();
            let last_of_page = keys.get(list.limit.get() - 1);
            if last_of_page.is_some_and(|(last, _)| keys.iter().any(|(cursor, _)| cursor > last)) {
                break;
            }
        }
        let last = keys.get(list.limit.get() - 1).map(|(cursor, _)| *cursor);
        let on_page = |cursor: Cursor| last.is_none_or(|last| cursor <= last);
        let more = keys.iter().any(|(cursor, _)| !on_page(*cursor));
        let keys = keys.into_iter().filter(|(cursor, _)| on_page(*cursor)).map(|(_, key)| key).collect();
        KeyPage { keys, next: last.filter(|_| more) }
    }

    pub(super) fn sorted_page(&self, sorted: &Sorted) -> SortedPage {
        let wanted = self.live.iter().filter(|(address, known)| {
            let has = |(name, value): &(Box<str>, Box<str>)| known.tags.iter().any(|tag| tag == (&**name, &**value));
            address.namespace == sorted.namespace
                && address.key.as_str().starts_with(sorted.prefix.as_str())
                && sorted.tags.iter().all(has)
        });
        let mut keys: Vec<Box<str>> = wanted.map(|(address, _)| address.key.as_str().into()).collect();
        keys.sort();
        let total = keys.len() as u64;
        SortedPage { keys: keys.into_iter().skip(sorted.skip).take(sorted.limit.get()).collect(), total }
    }
}
