//! What a primary does for the one member that joins (R13): it finds out what that has, goes on from there or sends
//! everything, and counts on it when it is a copy like the others.
//!
//! ```text
//! invited ──▶ following                        it has what is here, up to a position
//!        └──▶ beginning ──▶ loading ──▶ following   it has nothing that is of use
//! ```
//!
//! Rows and records are one stream: a portion is read when everything before it was sent, and nothing behind it is sent
//! before it has arrived.

use super::Effect;
use super::follower::{AGAIN_AFTER, Follower};
use super::log::{Log, Position};
use super::message::{Rows, Stream, Word};
use crate::cluster::member::Member;
use crate::cluster::safeguard::Safeguard;
use crate::time::Uptime;

#[derive(Debug)]
pub(super) struct Joiner {
    follower: Follower,
    stage: Stage,
    said_at: Uptime,
    /// By its own word.
    is_copy: bool,
}

#[derive(Debug)]
enum Stage {
    Invited,
    Beginning {
        behind: Position,
    },
    /// The next portion is to be read.
    Reading {
        portion: u64,
    },
    /// The store is being asked for it.
    Asked {
        portion: u64,
    },
    Loading(Rows),
    Following,
}

impl Joiner {
    pub(super) fn invite(member: Member, stream: Stream, now: Uptime, effects: &mut Vec<Effect>) -> Self {
        let follower = Follower::from(member, stream, 0, now);
        follower.say(Word::Invite, effects);
        Self { follower, stage: Stage::Invited, said_at: now, is_copy: false }
    }

    pub(super) fn member(&self) -> Member {
        self.follower.member
    }

    pub(super) fn stream(&self) -> Stream {
        self.follower.stream()
    }

    pub(super) fn follower(&self) -> &Follower {
        &self.follower
    }

    pub(super) fn into_follower(self) -> Follower {
        self.follower
    }

    /// It may be counted on from now on.
    pub(super) fn is_ready(&self, log: &Log) -> bool {
        let has_everything = self.is_copy && self.follower.held() >= log.committed();
        matches!(self.stage, Stage::Following) && (has_everything || !Safeguard::GrowCaughtUp.holds())
    }

    /// Records above this are needed for it.
    pub(super) fn needs(&self) -> u64 {
        if matches!(self.stage, Stage::Invited) { u64::MAX } else { self.follower.needs() }
    }

    /// What it needs next is no longer kept, so it has to begin again.
    pub(super) fn is_left_behind(&self, log: &Log) -> bool {
        !matches!(self.stage, Stage::Invited) && log.position_at(self.follower.needs()).is_none()
    }

    pub(super) fn offered(&mut self, has: Option<Position>, log: &Log, now: Uptime, effects: &mut Vec<Effect>) {
        if !matches!(self.stage, Stage::Invited) {
            return;
        }
        let (member, stream) = (self.member(), self.stream());
        let is_common = |has: &Position| log.holds(*has);
        if let Some(has) = has.filter(is_common) {
            self.follower = Follower::from(member, stream, has.sequence, now);
            self.is_copy = true;
            self.stage = Stage::Following;
        } else {
            let behind = log.position_at(log.committed()).expect("the mark is within the log");
            self.follower = Follower::from(member, stream, behind.sequence, now);
            self.stage = Stage::Beginning { behind };
            self.said_at = now;
            self.follower.say(Word::Begin { behind }, effects);
        }
    }

    pub(super) fn held(&mut self, end: u64, committed: u64, is_copy: bool, log: &Log, now: Uptime) {
        match self.stage {
            Stage::Invited => return,
            Stage::Beginning { .. } => self.stage = Stage::Reading { portion: 0 },
            _ => {}
        }
        self.is_copy |= is_copy;
        self.follower.acknowledged(end, committed, log, now);
    }

    pub(super) fn missing(&mut self, end: Position, log: &Log) {
        if !matches!(self.stage, Stage::Invited | Stage::Beginning { .. }) {
            self.follower.lacks(end, log);
        }
    }

    pub(super) fn took(&mut self, portions: u64, is_copy: bool) {
        self.is_copy |= is_copy;
        if let Stage::Loading(rows) = &self.stage
            && portions == rows.portion + 1
        {
            self.stage = if rows.is_last { Stage::Following } else { Stage::Reading { portion: portions } };
        }
    }

    /// What the store has given, which was locked since it was asked.
    pub(super) fn read(
        &mut self,
        rows: Vec<Box<[u8]>>,
        is_last: bool,
        log: &Log,
        now: Uptime,
        effects: &mut Vec<Effect>,
    ) {
        if let Stage::Asked { portion } = self.stage {
            let rows = Rows { portion, at: log.end(), rows, is_last };
            self.say_rows(rows, now, effects);
        }
    }

    /// Sends what may be sent.
    pub(super) fn send(&mut self, log: &Log, now: Uptime, effects: &mut Vec<Effect>) {
        match self.stage {
            Stage::Invited | Stage::Beginning { .. } | Stage::Asked { .. } => {}
            Stage::Loading(_) if !Safeguard::RowsInOrder.holds() => self.follower.send(log, now, effects),
            Stage::Loading(Rows { at, .. }) => self.follower.send_up_to(at.sequence, log, now, effects),
            Stage::Following => self.follower.send(log, now, effects),
            Stage::Reading { portion } => {
                self.follower.send(log, now, effects);
                if self.follower.sent() == log.end().sequence {
                    self.stage = Stage::Asked { portion };
                    effects.push(Effect::Read { to: self.member(), begin: portion == 0 });
                }
            }
        }
    }

    pub(super) fn repeat(&mut self, log: &Log, now: Uptime, effects: &mut Vec<Effect>) {
        if matches!(self.stage, Stage::Reading { .. } | Stage::Following) {
            return self.follower.repeat(log, now, effects);
        }
        if now.since(self.said_at) < AGAIN_AFTER {
            return;
        }
        self.said_at = now;
        match &self.stage {
            Stage::Invited => self.follower.say(Word::Invite, effects),
            Stage::Beginning { behind } => self.follower.say(Word::Begin { behind: *behind }, effects),
            Stage::Loading(rows) => {
                self.follower.say(Word::Rows(rows.clone()), effects);
                // Records before them may have been lost too.
                self.follower.repeat_up_to(rows.at.sequence, log, now, effects);
            }
            Stage::Reading { .. } | Stage::Asked { .. } | Stage::Following => {}
        }
    }

    fn say_rows(&mut self, rows: Rows, now: Uptime, effects: &mut Vec<Effect>) {
        self.said_at = now;
        self.follower.say(Word::Rows(rows.clone()), effects);
        self.stage = Stage::Loading(rows);
    }
}
