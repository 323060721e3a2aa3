//! The records of a partition in their order, as far as somebody may still need them: those that are not committed, and
//! some before them, for a copy that was away for a moment.
//!
//! ```text
//!  before ┃ committed, kept for whoever lags ┃ held, and not known to be committed ┃ end
//!         ┃                        committed ┛
//! ```

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::cluster::configuration::Epoch;

/// Where a record stands. Two logs that have a record at the same position have the same records before it (R12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// In which the record was made.
    pub epoch: Epoch,
    /// Counted from 1 in each partition, through all epochs.
    pub sequence: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub position: Position,
    #[serde(with = "serde_bytes")]
    pub record: Box<[u8]>,
}

/// What was sent does not follow what is here: something is missing between them, or is another here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap;

#[derive(Debug, Default)]
pub struct Log {
    /// Of the record before the first that is kept.
    before: Position,
    entries: VecDeque<Entry>,
    committed: u64,
    bytes: usize,
    /// Committed records that are kept for copies that lag.
    kept_bytes: usize,
}

impl Log {
    /// Empty, behind everything up to this position, which is committed.
    pub fn behind(before: Position, kept_bytes: usize) -> Self {
        Self { before, committed: before.sequence, kept_bytes, ..Self::default() }
    }

    pub fn end(&self) -> Position {
        self.entries.back().map_or(self.before, |entry| entry.position)
    }

    /// The sequence up to which all that matters have the records.
    pub fn committed(&self) -> u64 {
        self.committed
    }

    /// Of records that are here and not known to be committed.
    pub fn uncommitted(&self) -> impl Iterator<Item = &Entry> {
        self.above(self.committed)
    }

    /// All that are here, the first of which may come after others.
    pub fn kept(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Of all records that are kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn holds(&self, position: Position) -> bool {
        self.position_at(position.sequence) == Some(position)
    }

    /// Whether what comes behind this position may follow here. What is no longer kept is committed, so it is the same
    /// everywhere, and may be sent again.
    pub fn reaches(&self, position: Position) -> bool {
        self.holds(position) || position.sequence < self.before.sequence
    }

    /// A record of the primary's own.
    pub fn append(&mut self, epoch: Epoch, record: Box<[u8]>) -> Position {
        let position = Position { epoch, sequence: self.end().sequence + 1 };
        self.push(Entry { position, record });
        position
    }

    /// Records that the primary has sent, which follow the one at `after`. What is here already stays.
    pub fn extend(&mut self, after: Position, sent: impl IntoIterator<Item = Entry>) -> Result<(), Gap> {
        if !self.reaches(after) {
            return Err(Gap);
        }
        for entry in sent {
            if entry.position.sequence < self.before.sequence {
                continue;
            }
            match self.position_at(entry.position.sequence) {
                Some(position) if position == entry.position => {}
                None if entry.position.sequence == self.end().sequence + 1 => self.push(entry),
                _ => return Err(Gap),
            }
        }
        Ok(())
    }

    /// Forgets the records above this sequence, none of which may be committed.
    pub fn cut_above(&mut self, sequence: u64) {
        assert!(sequence >= self.committed, "what is committed is never undone");
        while self.entries.back().is_some_and(|entry| entry.position.sequence > sequence) {
            let entry = self.entries.pop_back().expect("there is one");
            self.bytes -= entry.record.len();
        }
    }

    /// Never goes back, and never beyond what is here.
    pub fn commit(&mut self, sequence: u64) {
        self.committed = self.committed.max(sequence.min(self.end().sequence));
    }

    /// The records above this sequence; none if some of them are no longer here.
    pub fn since(&self, sequence: u64) -> Option<impl Iterator<Item = &Entry>> {
        (sequence >= self.before.sequence).then(|| self.above(sequence))
    }

    /// Lets go of committed records beyond what is kept of them, but for those above `needed`.
    pub fn let_go(&mut self, needed: u64) {
        let bound = self.committed.min(needed);
        while self.bytes > self.kept_bytes
            && let Some(first) = self.entries.pop_front_if(|first| first.position.sequence <= bound)
        {
            self.bytes -= first.record.len();
            self.before = first.position;
        }
    }

    /// Of this sequence, if it is known here.
    pub fn position_at(&self, sequence: u64) -> Option<Position> {
        match sequence.checked_sub(self.before.sequence)? {
            0 => Some(self.before),
            place => self.entries.get(index(place - 1)).map(|entry| entry.position),
        }
    }

    fn above(&self, sequence: u64) -> impl Iterator<Item = &Entry> {
        self.entries.range(index(sequence.saturating_sub(self.before.sequence)).min(self.entries.len())..)
    }

    fn push(&mut self, entry: Entry) {
        self.bytes += entry.record.len();
        self.entries.push_back(entry);
    }
}

fn index(place: u64) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEPT_BYTES: usize = 1 << 20;

    fn entry(epoch: u64, sequence: u64) -> Entry {
        Entry { position: at(epoch, sequence), record: format!("{epoch}.{sequence}").into_bytes().into() }
    }

    fn at(epoch: u64, sequence: u64) -> Position {
        Position { epoch: Epoch::new(epoch), sequence }
    }

    fn sequences<'e>(entries: impl Iterator<Item = &'e Entry>) -> Vec<u64> {
        entries.map(|entry| entry.position.sequence).collect()
    }

    /// Records 1 to 3 of epoch 1, the first of them committed.
    fn three() -> Log {
        let mut log = Log::default();
        log.extend(Position::default(), (1..=3).map(|sequence| entry(1, sequence))).expect("from the beginning");
        log.commit(1);
        log
    }

    #[test]
    fn what_follows_is_taken_once_and_what_does_not_is_a_gap() {
        let mut log = three();
        assert_eq!(log.extend(at(1, 4), [entry(1, 5)]), Err(Gap), "4 is missing");
        assert_eq!(log.extend(at(1, 3), [entry(1, 5)]), Err(Gap));
        assert_eq!(log.extend(at(2, 3), [entry(2, 4)]), Err(Gap), "another record is at 3");
        assert_eq!(log.extend(at(1, 1), [entry(1, 2), entry(2, 3)]), Err(Gap));
        log.extend(at(1, 1), (2..=5).map(|sequence| entry(1, sequence))).expect("some of it is here");
        assert_eq!((log.end(), sequences(log.uncommitted())), (at(1, 5), vec![2, 3, 4, 5]));
    }

    #[test]
    fn what_is_not_committed_can_be_cut_and_replaced() {
        let mut log = three();
        log.cut_above(2);
        log.extend(at(1, 2), [entry(2, 3)]).expect("it follows");
        assert!(log.holds(at(2, 3)) && !log.holds(at(1, 3)));
        assert_eq!(log.append(Epoch::new(2), Box::default()), at(2, 4));
    }

    #[test]
    #[should_panic(expected = "never undone")]
    fn what_is_committed_stays() {
        three().cut_above(0);
    }

    #[test]
    fn what_was_let_go_may_be_sent_again() {
        let mut log = three();
        log.commit(3);
        log.let_go(u64::MAX);
        assert_eq!(log.kept().count(), 0);
        log.extend(at(1, 1), [entry(1, 2), entry(1, 3)]).expect("all of it was here");
        log.extend(at(1, 1), (2..=4).map(|sequence| entry(1, sequence))).expect("and one more");
        assert_eq!((log.end(), sequences(log.kept())), (at(1, 4), vec![4]));
        assert_eq!(log.extend(at(1, 2), [entry(2, 3)]), Err(Gap), "another record is at 3");
    }

    #[test]
    fn a_mark_never_goes_back_nor_beyond_the_end() {
        let mut log = three();
        log.commit(9);
        assert_eq!(log.committed(), 3);
        log.commit(2);
        assert_eq!(log.committed(), 3);
    }

    #[test]
    fn committed_records_are_let_go_when_there_are_many_unless_somebody_needs_them() {
        let mut log = Log::behind(Position::default(), KEPT_BYTES);
        for _ in 0..300 {
            log.append(Epoch::new(1), vec![0; 10_000].into());
        }
        log.let_go(u64::MAX);
        assert_eq!(log.since(0).map(Iterator::count), Some(300), "nothing is committed");
        log.commit(250);
        log.let_go(100);
        assert!(log.since(99).is_none() && log.since(100).is_some());
        log.let_go(u64::MAX);
        let kept = log.since(log.before.sequence).expect("all that is here").count();
        assert_eq!(kept, KEPT_BYTES / 10_000);
        assert_eq!(log.position_at(log.before.sequence), Some(log.before));
    }

    proptest! {
        /// Two copies of what one primary sends, cut and sent again anyhow, hold the same.
        #[test]
        fn copies_that_hold_a_position_hold_the_same_before_it(
            steps in prop::collection::vec((0_u64..12, 0_u64..12, 1_u64..4), 1..40),
        ) {
            let mut source = Log::default();
            (0..12).for_each(|_| { source.append(Epoch::new(1), Box::from(*b"r")); });
            let mut copy = Log::default();
            for (from, count, cut) in steps {
                let after = source.position_at(from).expect("it is there");
                let sent: Vec<Entry> = source.above(from).take(index(count)).cloned().collect();
                let end = copy.end();
                let taken = copy.extend(after, sent);
                prop_assert_eq!(taken.is_ok(), end.sequence >= from, "only what follows is taken");
                copy.commit(copy.end().sequence.saturating_sub(cut));
                copy.cut_above(copy.end().sequence.saturating_sub(cut).max(copy.committed()));
                for sequence in 0..=copy.end().sequence {
                    prop_assert_eq!(copy.position_at(sequence), source.position_at(sequence));
                }
            }
        }
    }
}
