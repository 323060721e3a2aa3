//! One partition on one member, as a state machine: what it holds, what it may answer, and what it tells others (R7 to
//! R14). It has no clock, no socket and no store; whoever drives it does what the effects say.
//!
//! ```text
//! configured, received, ticked, written, read ──▶ Replica ──▶ send, propose, apply, empty, load, read, settle
//! ```
//!
//! A backup's store is what is committed, and nothing more: records wait in the log until the primary says that all who
//! matter have them, so whatever a new primary lacks is cut from a log and never undone in a store. Only a primary's
//! store is ahead of that mark. One that is deposed with such records is no copy any more and begins anew.

mod backup;
mod follower;
mod joiner;
mod joining;
pub mod log;
pub mod message;
mod primary;

use super::configuration::{Epoch, PartitionChange, PartitionConfiguration, Role};
use super::member::Member;
use super::safeguard::Safeguard;
use crate::time::Uptime;
use log::{Entry, Log, Position};
use message::{Message, Stream, Word};
use primary::Primary;

/// What has to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Send {
        to: Member,
        message: Message,
    },
    /// On the number that the replica knows. Until that has become another, it counts as possible (R4).
    Propose {
        number: u64,
        change: PartitionChange,
    },
    /// Give these to the store, in their order.
    Apply(Vec<Box<[u8]>>),
    /// The store is to hold nothing.
    Empty,
    /// Give these rows of another's store to this one.
    Load(Vec<Box<[u8]>>),
    /// Read the next portion of rows for this member, from the beginning or from where the last one ended, and hand it to
    /// [`Replica::read`] before anything else happens to the store.
    Read {
        to: Member,
        begin: bool,
    },
    /// Outcomes that rest on records up to here may be told, if the lease still holds (R9).
    Settle(u64),
    /// Outcomes that rest on later records are unknown for ever (R20).
    Unknown,
}

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// With fewer in sync nothing is confirmed (R22).
    pub min_in_sync: usize,
    /// Committed records that are kept for copies that were away for a moment. More are sent as rows.
    pub kept_bytes: usize,
}

/// What a store is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// What the log says, up to what is applied, and nothing else.
    Copy,
    /// Some of the rows are here.
    Loading { portions: u64 },
    /// All of them are, and with them something that may not be committed.
    Loaded { up_to: u64 },
    /// It has something that was never decided, or lacks something.
    Spoilt,
}

#[derive(Debug)]
pub struct Replica {
    me: Member,
    settings: Settings,
    /// The newest that it has been told.
    known: PartitionConfiguration,
    /// Nothing of an earlier one is listened to. It never goes back.
    stream: Stream,
    /// It was told in this stream to forget what it had.
    has_begun: bool,
    log: Log,
    /// The store has the records up to here.
    applied: u64,
    /// The last mark that was given out with [`Effect::Settle`], and where it was when it became primary.
    settled: u64,
    content: Content,
    /// While it is primary, by the newest that it knows.
    primary: Option<Primary>,
}

/// Why nothing can be written or read here now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unserved {
    NotPrimary,
    /// It is about to be, or about to hand over; it will not be long.
    Changing,
    TooFewInSync {
        in_sync: usize,
        needed: usize,
    },
}

impl Replica {
    pub fn new(me: Member, settings: Settings) -> Self {
        Self {
            me,
            settings,
            known: PartitionConfiguration::default(),
            stream: Stream::default(),
            has_begun: false,
            log: Log::behind(Position::default(), settings.kept_bytes),
            applied: 0,
            settled: 0,
            content: Content::Copy,
            primary: None,
        }
    }

    pub fn known(&self) -> &PartitionConfiguration {
        &self.known
    }

    pub fn accepted(&self) -> Epoch {
        self.stream.epoch
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    /// What the configuration says by now. Older news than what is known is none.
    pub fn configured(&mut self, next: &PartitionConfiguration, now: Uptime) -> Vec<Effect> {
        let mut effects = Vec::new();
        if next.number() <= self.known.number() {
            return effects;
        }
        self.known = next.clone();
        // It has heard from a later primary already.
        if next.epoch() < self.accepted() {
            return effects;
        }
        let leads = self.primary.as_ref().map(Primary::epoch) == Some(next.epoch());
        match (next.role_of(self.me), leads) {
            (Some(Role::Primary), true) => self.with_primary(&mut effects, |primary, log, effects| {
                primary.configured(next, log, now, effects);
            }),
            (Some(Role::Primary), false) if next.epoch() > self.accepted() => self.take_over(next, now, &mut effects),
            _ => self.step_down(&mut effects),
        }
        self.settle(&mut effects);
        effects
    }

    pub fn received(&mut self, from: Member, message: Message, now: Uptime) -> Vec<Effect> {
        let Message { stream, word } = message;
        let mut effects = Vec::new();
        let answer = match word {
            Word::Seal { after, tail } => self.sealed(stream, after, tail, &mut effects),
            Word::Invite => self.invited(stream, &mut effects),
            Word::Begin { behind } => self.begun(stream, behind, &mut effects),
            Word::Rows(rows) => self.got_rows(stream, rows, &mut effects),
            Word::Records { after, entries, committed } => self.sent(stream, after, entries, committed),
            Word::Offer { .. } | Word::Took { .. } | Word::Held { .. } | Word::Missing { .. } => {
                self.with_primary(&mut effects, |primary, log, effects| {
                    primary.answered(from, stream, &word, log, now, effects);
                });
                None
            }
        };
        self.settle(&mut effects);
        // The store has its part before anybody relies on it.
        if let Some(word) = answer {
            effects.push(Effect::Send { to: from, message: Message { stream, word } });
        }
        effects
    }

    /// What [`Effect::Read`] asked for; the store has not changed since.
    pub fn read(&mut self, rows: Vec<Box<[u8]>>, is_last: bool, now: Uptime) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.with_primary(&mut effects, |primary, log, effects| primary.read(rows, is_last, log, now, effects));
        effects
    }

    /// To be called every now and then; `is_silent` says of whom nothing has been heard for too long.
    pub fn ticked(&mut self, now: Uptime, is_silent: &dyn Fn(Member) -> bool) -> Vec<Effect> {
        let mut effects = Vec::new();
        let number = self.known.number();
        self.with_primary(&mut effects, |primary, log, effects| primary.ticked(number, log, now, is_silent, effects));
        self.settle(&mut effects);
        effects
    }

    /// As whose primary it answers, if it is one. Whether anything may be asked of it is another question.
    pub fn leads(&self) -> Option<Epoch> {
        self.primary.as_ref().map(Primary::epoch)
    }

    /// Whether its store is what its log says, so that others may count on it.
    pub fn is_copy(&self) -> bool {
        self.content == Content::Copy
    }

    /// Whether it may be asked anything. Whether the lease holds is another question, and asked again before an answer.
    pub fn serves(&self) -> Result<Epoch, Unserved> {
        let primary = self.primary.as_ref().ok_or(Unserved::NotPrimary)?;
        if primary.is_serving() { Ok(primary.epoch()) } else { Err(Unserved::Changing) }
    }

    /// Whether anything may be changed.
    pub fn takes_writes(&self) -> Result<Epoch, Unserved> {
        let epoch = self.serves()?;
        let in_sync = self.known.isr().len();
        if in_sync < self.settings.min_in_sync {
            return Err(Unserved::TooFewInSync { in_sync, needed: self.settings.min_in_sync });
        }
        Ok(epoch)
    }

    /// What the store did just now, under the lock of its partition. The outcome rests on the sequence that is returned.
    pub fn written(&mut self, record: Box<[u8]>, now: Uptime) -> (u64, Vec<Effect>) {
        let mut effects = Vec::new();
        let primary = self.primary.as_mut().expect("whoever writes has asked whether it may");
        let position = self.log.append(primary.epoch(), record);
        self.applied = position.sequence;
        primary.appended(&mut self.log, now, &mut effects);
        self.settle(&mut effects);
        (position.sequence, effects)
    }

    /// On what a read rests that sees everything that was accepted (R9).
    pub fn newest(&self) -> u64 {
        self.log.end().sequence
    }

    /// Asks for the partition to be given to another that is in sync (R14).
    pub fn hand_over(&mut self, to: Member, now: Uptime) -> Vec<Effect> {
        let mut effects = Vec::new();
        let number = self.known.number();
        if self.known.role_of(to) == Some(Role::InSync) {
            self.with_primary(&mut effects, |primary, log, effects| primary.hand_over(to, number, log, now, effects));
        }
        effects
    }

    /// Lets go of a copy that is to be elsewhere, when others are enough.
    pub fn put_out(&mut self, member: Member, now: Uptime) -> Vec<Effect> {
        let mut effects = Vec::new();
        let number = self.known.number();
        self.with_primary(&mut effects, |primary, _, effects| primary.put_out(member, number, now, effects));
        effects
    }

    fn take_over(&mut self, next: &PartitionConfiguration, now: Uptime, effects: &mut Vec<Effect>) {
        assert!(self.content == Content::Copy, "whoever is in sync is a copy");
        self.stream = Stream { epoch: next.epoch(), number: 0 };
        // Whoever was primary told this, or may have.
        self.settled = self.log.committed();
        effects.push(Effect::Settle(self.settled));
        // Any of these may have been confirmed, so all of them stay.
        if !Safeguard::TailKept.holds() {
            self.log.cut_above(self.log.committed());
        }
        self.apply_up_to(self.log.end().sequence, effects);
        self.primary = Some(Primary::of(self.me, next, &mut self.log, now, effects));
    }

    /// Nothing more is answered here. What waits for an answer has none.
    fn step_down(&mut self, effects: &mut Vec<Effect>) {
        if self.primary.take().is_some() {
            if self.applied > self.log.committed() && Safeguard::DeposedIsNoCopy.holds() {
                self.content = Content::Spoilt;
            }
            effects.push(Effect::Unknown);
        }
    }

    fn with_primary(&mut self, effects: &mut Vec<Effect>, act: impl FnOnce(&mut Primary, &mut Log, &mut Vec<Effect>)) {
        if let Some(primary) = &mut self.primary {
            act(primary, &mut self.log, effects);
        }
    }

    /// A primary tells whoever waits; a backup's store follows.
    fn settle(&mut self, effects: &mut Vec<Effect>) {
        let committed = self.log.committed();
        if self.primary.is_some() {
            // What is committed outlives everybody but the last; that enough have it is asked for besides (R22).
            if committed > self.settled && self.known.isr().len() >= self.settings.min_in_sync {
                self.settled = committed;
                effects.push(Effect::Settle(committed));
            }
        } else {
            match self.content {
                Content::Copy => self.apply_up_to(committed, effects),
                // Rows were read between records, and go between them here.
                Content::Loading { .. } => self.apply_up_to(self.log.end().sequence, effects),
                Content::Loaded { .. } | Content::Spoilt => {}
            }
        }
        let needed = self.primary.as_ref().map_or(committed, |primary| primary.needed(&self.log));
        self.log.let_go(needed);
    }

    fn apply_up_to(&mut self, sequence: u64, effects: &mut Vec<Effect>) {
        let Some(entries) = self.log.since(self.applied) else { return };
        let due = entries.take_while(|entry| entry.position.sequence <= sequence);
        let records: Vec<Box<[u8]>> = due.map(|Entry { record, .. }| record.clone()).collect();
        if !records.is_empty() {
            self.applied += records.len() as u64;
            effects.push(Effect::Apply(records));
        }
    }
}

#[cfg(test)]
mod tests;
