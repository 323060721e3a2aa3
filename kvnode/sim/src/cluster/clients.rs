//! What clients ask, and what came of it. A client asks one thing after another, of whatever node it happens to know; an
//! answer that does not come is never taken for a no.

use std::collections::BTreeMap;

use rand::RngExt;
use rand::rngs::StdRng;

use super::linear::{Kind, OPERATIONS_MAX, Operation};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RequestId(pub(super) u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) id: RequestId,
    pub(super) client: usize,
    pub(super) key: usize,
    pub(super) ask: Ask,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Write(u32),
    /// For so many milliseconds.
    Lend(u32, u64),
    Delete,
    Read,
}

impl Ask {
    pub(super) fn changes(self) -> bool {
        self != Self::Read
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Written,
    Found(Option<u32>),
    /// It was not done, and never will be.
    Refused,
    /// It may have been done, or may yet be.
    Unknown,
}

#[derive(Debug, Default)]
pub(super) struct Clients {
    next: u64,
    open: BTreeMap<RequestId, (Request, u64)>,
    history: BTreeMap<usize, Vec<Operation>>,
    pub(super) answered: u64,
}

impl Clients {
    /// None when enough was asked about this key.
    pub(super) fn ask(&mut self, client: usize, key: usize, random: &mut StdRng, now: u64) -> Option<Request> {
        let about = self.history.get(&key).map_or(0, Vec::len)
            + self.open.values().filter(|(request, _)| request.key == key).count();
        if about >= OPERATIONS_MAX {
            return None;
        }
        self.next += 1;
        let id = RequestId(self.next);
        let value = u32::try_from(self.next).expect("a life is short");
        let ask = match random.random_range(0..20) {
            0..10 => Ask::Read,
            10..17 => Ask::Write(value),
            17 => Ask::Delete,
            _ => Ask::Lend(value, random.random_range(50..3000)),
        };
        let request = Request { id, client, key, ask };
        self.open.insert(id, (request, now));
        Some(request)
    }

    pub(super) fn told(&mut self, id: RequestId, told: Told, now: u64) {
        let Some((request, began)) = self.open.remove(&id) else { return };
        let kind = match (request.ask, told) {
            (_, Told::Refused) | (Ask::Read, Told::Unknown | Told::Written) => return,
            (Ask::Read, Told::Found(found)) => Kind::Read(found),
            (Ask::Write(value), _) => Kind::Write(value),
            (Ask::Lend(value, _), _) => Kind::Lend(value),
            (Ask::Delete, _) => Kind::Delete,
        };
        let ended = (told != Told::Unknown).then_some(now);
        self.answered += u64::from(ended.is_some());
        self.history.entry(request.key).or_default().push(Operation { kind, began, ended });
    }

    /// What nobody has answered stays open for ever.
    pub(super) fn finish(mut self) -> BTreeMap<usize, Vec<Operation>> {
        for id in self.open.keys().copied().collect::<Vec<_>>() {
            self.told(id, Told::Unknown, u64::MAX);
        }
        self.history
    }
}
