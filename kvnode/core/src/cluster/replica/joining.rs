//! The side that joins: it goes on from what it has, or forgets it and takes everything anew (R13).

use super::log::{Log, Position};
use super::message::{Rows, Stream, Word};
use super::{Content, Effect, Replica};
use crate::cluster::safeguard::Safeguard;

impl Replica {
    /// Nobody counts on it, so whatever is not committed may go; and must, because it may not be what was decided.
    pub(super) fn invited(&mut self, stream: Stream, effects: &mut Vec<Effect>) -> Option<Word> {
        if stream > self.stream || (stream == self.stream && !Safeguard::InvitedOnce.holds()) {
            self.step_down(effects);
            self.log.cut_above(self.log.committed());
            self.stream = stream;
            self.has_begun = false;
            if self.content != Content::Copy {
                self.content = Content::Spoilt;
            }
        }
        let has = (self.content == Content::Copy).then(|| self.log.end());
        (self.follows(stream) && !self.has_begun).then_some(Word::Offer { has })
    }

    pub(super) fn begun(&mut self, stream: Stream, behind: Position, effects: &mut Vec<Effect>) -> Option<Word> {
        if !self.follows(stream) {
            return None;
        }
        // Once, as a seal: the same words may come again when much was taken already.
        if !self.has_begun {
            self.has_begun = true;
            self.log = Log::behind(behind, self.settings.kept_bytes);
            self.applied = behind.sequence;
            self.content = Content::Loading { portions: 0 };
            effects.push(Effect::Empty);
        }
        Some(self.held())
    }

    /// Rows are what the store was when everything up to a position had happened. They are taken exactly there, so none
    /// is older than what is here, and none newer than a record that comes later.
    pub(super) fn got_rows(&mut self, stream: Stream, rows: Rows, effects: &mut Vec<Effect>) -> Option<Word> {
        if !self.follows(stream) {
            return None;
        }
        let Content::Loading { portions } = self.content else {
            return self.has_begun.then(|| self.took(rows.portion));
        };
        if rows.portion == portions {
            if self.log.end() != rows.at && Safeguard::RowsInOrder.holds() {
                return Some(self.missing());
            }
            self.apply_up_to(rows.at.sequence, effects);
            effects.push(Effect::Load(rows.rows));
            self.content = match rows.is_last {
                false => Content::Loading { portions: portions + 1 },
                // What is in the rows may not be committed yet.
                true if rows.at.sequence > self.log.committed() && Safeguard::LoadedIsNoCopy.holds() => {
                    Content::Loaded { up_to: rows.at.sequence }
                }
                true => Content::Copy,
            };
        }
        Some(self.took(rows.portion))
    }

    fn took(&self, portion: u64) -> Word {
        Word::Took { portions: portion + 1, is_copy: self.content == Content::Copy }
    }
}
