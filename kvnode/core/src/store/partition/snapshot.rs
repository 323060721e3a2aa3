//! A partition as records, a piece at a time: the lock can be given up between two pieces. Whoever puts the pieces and
//! the records of what happened meanwhile together in the order in which they were given has the partition as it is at
//! the end, because every row is of the moment at which it was given, and no row is missed.

use super::Partition;
use crate::store::arena::Walk;
use crate::store::key::Namespace;
use crate::store::record::{Event, Record};

/// How far it has come.
#[derive(Debug)]
pub struct Snapshot {
    /// The next answer's number.
    answer: u64,
    /// Namespaces yet to come. What comes into being later is in the records.
    namespaces: Vec<Namespace>,
    current: Option<(Namespace, Walk)>,
    row: Vec<u8>,
}

impl Partition {
    pub fn begin_snapshot(&self) -> Snapshot {
        let mut namespaces: Vec<Namespace> = self.others.keys().copied().collect();
        namespaces.push(Namespace::Shared);
        Snapshot { answer: 0, namespaces, current: None, row: Vec::new() }
    }

    /// Shows the next rows, until they have `bytes_max` bytes or nothing is left; then says whether more is to come.
    pub fn snapshot(&self, snapshot: &mut Snapshot, bytes_max: usize, mut each: impl FnMut(&[u8])) -> bool {
        let mut bytes = 0;
        while bytes < bytes_max {
            let Some(row) = self.next_row(snapshot) else { return false };
            let mut encoded = std::mem::take(&mut snapshot.row);
            encoded.clear();
            row.encode(&mut encoded);
            bytes += encoded.len();
            each(&encoded);
            snapshot.row = encoded;
        }
        true
    }

    fn next_row(&self, snapshot: &mut Snapshot) -> Option<Record<'_>> {
        if let Some((number, kept)) = self.answers.next_from(snapshot.answer) {
            snapshot.answer = number + 1;
            let (namespace, event) = (Namespace::Shared, Event::Answered(kept.entry));
            return Some(Record { clock: kept.given_at, namespace, event, answer: Some(kept.answer) });
        }
        loop {
            if let Some((namespace, walk)) = &mut snapshot.current
                && let Some(keyspace) = self.keyspace(*namespace)
                && let Some(entry) = keyspace.step(walk)
            {
                let (namespace, event) = (*namespace, Event::Holds(entry));
                return Some(Record { clock: self.clock, namespace, event, answer: None });
            }
            let namespace = snapshot.namespaces.pop()?;
            snapshot.current = Some((namespace, Walk::BEGINNING));
            if let Some(keyspace) = self.keyspace(namespace) {
                let event = Event::Floor(keyspace.floor);
                return Some(Record { clock: self.clock, namespace, event, answer: None });
            }
        }
    }
}
