//! Which answers may be told. Every write of this node has a place in one row, whichever partition it is of; an answer
//! rests on all that was in the row when it was made, and is told when all of that is held by everybody who has to (R8,
//! R9). What a partition has that was taken from this node will never be known here: whoever waits then learns that (R20).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use kvnode_core::store::slot::{PARTITIONS, PartitionNumber};

/// What an answer rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    /// Behind the last write in the row.
    place: u64,
    /// How often a partition had been taken from this node.
    losses: u64,
}

/// What is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Confirmed,
    Open,
    /// It may rest on something that this node will not hear of again.
    Lost,
}

#[derive(Debug)]
pub(crate) struct Confirmations {
    row: Mutex<Row>,
    /// Behind the last write.
    end: AtomicU64,
    /// Everything before it is confirmed.
    confirmed: AtomicU64,
    losses: AtomicU64,
}

#[derive(Debug)]
struct Row {
    /// The place of the first.
    first: u64,
    is_confirmed: VecDeque<bool>,
    /// Sequence and place of what is open, of each partition.
    open: Vec<VecDeque<(u64, u64)>>,
}

impl Default for Confirmations {
    fn default() -> Self {
        let open = (0..PARTITIONS).map(|_| VecDeque::new()).collect();
        Self {
            row: Mutex::new(Row { first: 0, is_confirmed: VecDeque::new(), open }),
            end: AtomicU64::new(0),
            confirmed: AtomicU64::new(0),
            losses: AtomicU64::new(0),
        }
    }
}

impl Confirmations {
    /// This record was written. To be called while its partition is held.
    pub(super) fn written(&self, partition: PartitionNumber, sequence: u64) {
        let mut row = self.row();
        let place = row.first + row.is_confirmed.len() as u64;
        row.is_confirmed.push_back(false);
        row.open[partition.index()].push_back((sequence, place));
        self.end.store(place + 1, Ordering::SeqCst);
    }

    /// Everything in this partition up to this sequence is held by everybody who has to. Says whether the row moved.
    pub(super) fn settled(&self, partition: PartitionNumber, sequence: u64) -> bool {
        self.confirm(partition, |open| open <= sequence)
    }

    /// The partition is another's. What is open in it stays so for ever.
    pub(super) fn lost(&self, partition: PartitionNumber) {
        // Before the row moves, or an answer could be told that rests on what is lost.
        self.losses.fetch_add(1, Ordering::SeqCst);
        self.confirm(partition, |_| true);
    }

    fn confirm(&self, partition: PartitionNumber, is_due: impl Fn(u64) -> bool) -> bool {
        let mut row = self.row();
        let first = row.first;
        while let Some((_, place)) = row.open[partition.index()].pop_front_if(|(sequence, _)| is_due(*sequence)) {
            let number = usize::try_from(place - first).expect("the row is in memory");
            row.is_confirmed[number] = true;
        }
        while row.is_confirmed.pop_front_if(|is_confirmed| *is_confirmed).is_some() {
            row.first += 1;
        }
        self.confirmed.store(row.first, Ordering::SeqCst);
        row.first > first
    }

    /// To be asked before an answer is made.
    pub(super) fn losses(&self) -> u64 {
        self.losses.load(Ordering::SeqCst)
    }

    /// What an answer rests on that was made just now, when so much had been lost before.
    pub(super) fn newest(&self, losses: u64) -> Rest {
        Rest { place: self.end.load(Ordering::SeqCst), losses }
    }

    pub(super) fn of(&self, rest: Rest) -> Verdict {
        let is_confirmed = rest.place <= self.confirmed.load(Ordering::SeqCst);
        if rest.losses != self.losses.load(Ordering::SeqCst) {
            Verdict::Lost
        } else if is_confirmed {
            Verdict::Confirmed
        } else {
            Verdict::Open
        }
    }

    fn row(&self) -> MutexGuard<'_, Row> {
        self.row.lock().expect("a panic ends the process")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PartitionNumber = PartitionNumber::new(1);
    const B: PartitionNumber = PartitionNumber::new(200);

    #[test]
    fn an_answer_waits_for_everything_before_it_and_for_nothing_else() {
        let all = Confirmations::default();
        let before = all.newest(all.losses());
        all.written(A, 7);
        all.written(B, 1);
        let both = all.newest(all.losses());
        all.written(A, 8);
        assert_eq!((all.of(before), all.of(both)), (Verdict::Confirmed, Verdict::Open));
        assert!(!all.settled(B, 1), "A's is before it");
        assert_eq!(all.of(both), Verdict::Open);
        assert!(all.settled(A, 7));
        assert_eq!((all.of(both), all.of(all.newest(all.losses()))), (Verdict::Confirmed, Verdict::Open));
        assert!(all.settled(A, 8) && !all.settled(A, 9));
        assert_eq!(all.of(all.newest(all.losses())), Verdict::Confirmed);
    }

    #[test]
    fn what_rests_on_a_partition_that_was_lost_is_never_confirmed() {
        let all = Confirmations::default();
        let before = all.newest(all.losses());
        all.written(A, 1);
        all.written(B, 1);
        let rest = all.newest(all.losses());
        all.lost(A);
        all.settled(B, 1);
        // Even what rests on nothing: a read of that partition may be among it.
        assert_eq!((all.of(rest), all.of(before)), (Verdict::Lost, Verdict::Lost));
        all.written(B, 2);
        let later = all.newest(all.losses());
        assert_eq!(all.of(later), Verdict::Open);
        all.settled(B, 2);
        assert_eq!(all.of(later), Verdict::Confirmed);
    }
}
