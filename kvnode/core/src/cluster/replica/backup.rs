//! The side that follows: it takes records of one primary only, in their order and without gaps, and says up to where it
//! has them (R10, R12).

use super::log::{Entry, Position};
use super::message::Message;
use super::{Effect, Replica};
use crate::cluster::configuration::Epoch;
use crate::cluster::member::Member;

impl Replica {
    pub(super) fn sealed(
        &mut self,
        from: Member,
        epoch: Epoch,
        after: Position,
        tail: Vec<Entry>,
        effects: &mut Vec<Effect>,
    ) {
        if epoch < self.accepted || self.is_primary_of(epoch) {
            return;
        }
        // Accepted once: what came since then would be cut off by the same words said again.
        if epoch > self.accepted {
            // A later primary has begun, whether the configuration has told so or not.
            self.step_down(effects);
            if self.is_spoilt || !self.log.holds(after) {
                return;
            }
            self.log.cut_above(after.sequence.max(self.log.committed()));
            if self.log.extend(after, tail).is_err() {
                return;
            }
            self.accepted = epoch;
        }
        self.say_held(from, effects);
    }

    pub(super) fn sent(
        &mut self,
        from: Member,
        epoch: Epoch,
        after: Position,
        entries: Vec<Entry>,
        committed: u64,
        effects: &mut Vec<Effect>,
    ) {
        if epoch != self.accepted || self.is_primary_of(epoch) {
            return;
        }
        if self.log.extend(after, entries).is_err() {
            let message = Message::Missing { epoch, end: self.log.end() };
            return effects.push(Effect::Send { to: from, message });
        }
        self.log.commit(committed);
        self.say_held(from, effects);
    }

    fn is_primary_of(&self, epoch: Epoch) -> bool {
        self.primary.as_ref().is_some_and(|primary| primary.epoch() == epoch)
    }

    fn say_held(&self, to: Member, effects: &mut Vec<Effect>) {
        let message = Message::Held { epoch: self.accepted, end: self.log.end().sequence };
        effects.push(Effect::Send { to, message });
    }
}
