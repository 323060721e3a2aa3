//! The side that serves: it waits until all in sync have what it tells (R8), makes their logs the same before it begins
//! (R12), puts out whoever is too slow (R11), and hands over without losing a word (R14).

use std::time::Duration;

use super::Effect;
use super::follower::Follower;
use super::log::{Log, Position};
use crate::cluster::configuration::{Epoch, PartitionChange, PartitionConfiguration};
use crate::cluster::member::Member;
use crate::time::Uptime;

/// A proposal of which nothing was heard is made again: the same, on the same number, so it can happen once only.
const PROPOSE_AGAIN_AFTER: Duration = Duration::from_millis(300);

/// A hand-over of which nothing comes for so long is given up: an abort is proposed on the same number, and either
/// happens. Until it is known which, nothing is served.
const HAND_OVER_MAX: Duration = Duration::from_millis(600);

/// For so long whoever hands over waits for what is under way; then it serves on, because nothing is proposed yet.
const PAUSE_MAX: Duration = Duration::from_millis(150);

/// Records that the slowest backup may leave others waiting for; with more of them it is put out (R11).
const BACKLOG_BYTES_MAX: usize = 32 << 20;

#[derive(Debug)]
pub(super) struct Primary {
    epoch: Epoch,
    min_in_sync: usize,
    /// All others in sync.
    followers: Vec<Follower>,
    phase: Phase,
    /// What may have happened already (R4).
    proposed: Option<Proposed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Until all in sync hold everything up to here.
    Sealing {
        up_to: u64,
    },
    Serving,
    /// Nothing new is begun, and what is under way comes to its end.
    Pausing {
        to: Member,
        since: Uptime,
    },
    /// It is proposed; only the next number tells what became of it.
    HandingOver {
        since: Uptime,
    },
}

#[derive(Debug)]
struct Proposed {
    number: u64,
    change: PartitionChange,
    at: Uptime,
}

impl Primary {
    pub(super) fn of(
        me: Member,
        min_in_sync: usize,
        next: &PartitionConfiguration,
        log: &mut Log,
        now: Uptime,
        effects: &mut Vec<Effect>,
    ) -> Self {
        let others = next.isr().iter().filter(|member| **member != me);
        let mut followers: Vec<Follower> = others.map(|member| Follower::new(*member, log, now)).collect();
        for follower in &mut followers {
            follower.seal(next.epoch(), log, now, effects);
        }
        let phase = Phase::Sealing { up_to: log.end().sequence };
        let mut primary = Self { epoch: next.epoch(), min_in_sync, followers, phase, proposed: None };
        primary.count(log);
        primary
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn is_serving(&self) -> bool {
        self.phase == Phase::Serving
    }

    /// Above this, some follower may need a record once more.
    pub(super) fn needed(&self) -> u64 {
        self.followers.iter().map(Follower::needs).min().unwrap_or(u64::MAX)
    }

    /// Another number of the same epoch: what was proposed on the one before has happened, or never will.
    pub(super) fn configured(
        &mut self,
        next: &PartitionConfiguration,
        log: &mut Log,
        now: Uptime,
        effects: &mut Vec<Effect>,
    ) {
        self.proposed = None;
        self.followers.retain(|follower| next.isr().contains(&follower.member));
        match self.phase {
            Phase::HandingOver { .. } => self.phase = Phase::Serving,
            Phase::Pausing { to, .. } if !next.isr().contains(&to) => self.phase = Phase::Serving,
            _ => {}
        }
        self.go_on(log, now, effects);
    }

    pub(super) fn appended(&mut self, log: &mut Log, now: Uptime, effects: &mut Vec<Effect>) {
        self.go_on(log, now, effects);
    }

    pub(super) fn held(&mut self, from: Member, end: u64, log: &mut Log, now: Uptime, effects: &mut Vec<Effect>) {
        if let Some(follower) = self.follower(from) {
            follower.acknowledged(end, log, now);
            self.go_on(log, now, effects);
        }
    }

    pub(super) fn missing(
        &mut self,
        from: Member,
        end: Position,
        log: &mut Log,
        now: Uptime,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(follower) = self.follower(from) {
            follower.lacks(end, log);
            self.go_on(log, now, effects);
        }
    }

    pub(super) fn ticked(
        &mut self,
        number: u64,
        log: &mut Log,
        now: Uptime,
        is_silent: &dyn Fn(Member) -> bool,
        effects: &mut Vec<Effect>,
    ) {
        for follower in &mut self.followers {
            follower.repeat(self.epoch, log, now, effects);
        }
        if let Phase::Pausing { since, .. } = self.phase
            && now.since(since) > PAUSE_MAX
        {
            self.phase = Phase::Serving;
        }
        if let (Phase::HandingOver { since }, Some(proposed)) = (self.phase, &mut self.proposed)
            && now.since(since) > HAND_OVER_MAX
        {
            proposed.change = PartitionChange::Abort;
        }
        match &mut self.proposed {
            Some(proposed) if now.since(proposed.at) > PROPOSE_AGAIN_AFTER => {
                proposed.at = now;
                effects.push(Effect::Propose { number: proposed.number, change: proposed.change.clone() });
            }
            Some(_) => {}
            None => {
                let lost = self.followers.iter().find(|one| is_silent(one.member) || one.is_slow(now));
                let slowest = || self.followers.iter().min_by_key(|follower| follower.held());
                let lost = lost.or_else(|| slowest().filter(|_| log.bytes() > BACKLOG_BYTES_MAX));
                if let Some(member) = lost.map(|follower| follower.member) {
                    self.propose(number, PartitionChange::Remove(member), now, effects);
                }
            }
        }
        self.hand_over_when_quiet(number, log, now, effects);
    }

    /// Only a backup that has made its log the same can take over at once, and only one thing is proposed at a time.
    pub(super) fn hand_over(&mut self, to: Member, number: u64, log: &mut Log, now: Uptime, effects: &mut Vec<Effect>) {
        let is_ready = self.follower(to).is_some_and(|follower| follower.is_sealed());
        if self.phase == Phase::Serving && self.proposed.is_none() && is_ready {
            self.phase = Phase::Pausing { to, since: now };
            self.hand_over_when_quiet(number, log, now, effects);
        }
    }

    fn hand_over_when_quiet(&mut self, number: u64, log: &Log, now: Uptime, effects: &mut Vec<Effect>) {
        if let Phase::Pausing { to, .. } = self.phase
            && self.proposed.is_none()
            && log.committed() == log.end().sequence
        {
            self.phase = Phase::HandingOver { since: now };
            self.propose(number, PartitionChange::HandOver { to }, now, effects);
        }
    }

    fn propose(&mut self, number: u64, change: PartitionChange, now: Uptime, effects: &mut Vec<Effect>) {
        self.proposed = Some(Proposed { number, change: change.clone(), at: now });
        effects.push(Effect::Propose { number, change });
    }

    /// Counts what all have, and sends what they have not.
    fn go_on(&mut self, log: &mut Log, now: Uptime, effects: &mut Vec<Effect>) {
        self.count(log);
        for follower in &mut self.followers {
            follower.send(self.epoch, log, now, effects);
        }
    }

    /// A record is committed when everybody in sync holds it, and enough of them are (R8). One whose removal is proposed
    /// is waited for until that is decided.
    fn count(&mut self, log: &mut Log) {
        let in_sync = self.followers.len() + 1;
        if in_sync >= self.min_in_sync {
            let held = self.followers.iter().map(Follower::held).min();
            log.commit(held.unwrap_or(log.end().sequence));
        }
        if let Phase::Sealing { up_to } = self.phase
            && self.followers.iter().all(|follower| follower.held() >= up_to && follower.is_sealed())
        {
            self.phase = Phase::Serving;
        }
    }

    fn follower(&mut self, member: Member) -> Option<&mut Follower> {
        self.followers.iter_mut().find(|follower| follower.member == member)
    }
}
