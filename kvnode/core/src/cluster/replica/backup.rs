//! The side that follows: it takes records of one primary only, in their order and without gaps, and says up to where it
//! has them (R10). Its log is made the same as the primary's once for each stream (R12), and never what is committed of
//! it is undone.

use super::log::{Entry, Position};
use super::message::{Stream, Word};
use super::{Content, Effect, Replica};
use crate::cluster::safeguard::Safeguard;

impl Replica {
    /// Each of these gives what is to be said when the store has done its part.
    pub(super) fn sealed(
        &mut self,
        stream: Stream,
        after: Position,
        tail: Vec<Entry>,
        effects: &mut Vec<Effect>,
    ) -> Option<Word> {
        // Followed once: what came since then would be cut off by the same words said again.
        if stream > self.stream || (stream == self.stream && !Safeguard::SealOnce.holds()) {
            // A later primary has begun, whether the configuration has told so or not.
            self.step_down(effects);
            if self.content != Content::Copy || !self.log.reaches(after) {
                return None;
            }
            self.log.cut_above(after.sequence.max(self.log.committed()));
            if self.log.extend(after, tail).is_err() {
                return None;
            }
            self.stream = stream;
        }
        self.follows(stream).then(|| self.held())
    }

    pub(super) fn sent(
        &mut self,
        stream: Stream,
        after: Position,
        entries: Vec<Entry>,
        committed: u64,
    ) -> Option<Word> {
        if !self.follows(stream) {
            return None;
        }
        let end = after.sequence + entries.len() as u64;
        if self.log.extend(after, entries).is_err() {
            if !Safeguard::GaplessLog.holds() {
                return Some(Word::Held { end, committed, is_copy: true });
            }
            return Some(self.missing());
        }
        self.log.commit(committed);
        if let Content::Loaded { up_to } = self.content
            && self.log.committed() >= up_to
        {
            self.content = Content::Copy;
        }
        Some(self.held())
    }

    /// Whether it is the stream that is listened to, and not this member's own.
    pub(super) fn follows(&self, stream: Stream) -> bool {
        (stream == self.stream || !Safeguard::Fencing.holds()) && self.primary.is_none()
    }

    pub(super) fn held(&self) -> Word {
        let (end, committed) = (self.log.end().sequence, self.log.committed());
        Word::Held { end, committed, is_copy: self.content == Content::Copy }
    }

    pub(super) fn missing(&self) -> Word {
        Word::Missing { end: self.log.end() }
    }
}
