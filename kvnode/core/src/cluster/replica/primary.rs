//! The side that serves: it waits until all in sync have what it tells (R8), makes their logs the same before it begins
//! (R12), puts out whoever is too slow (R11), and hands over without losing a word (R14).

use std::time::Duration;

use super::Effect;
use super::follower::Follower;
use super::joiner::Joiner;
use super::log::Log;
use super::message::{Stream, Word};
use crate::cluster::configuration::{Epoch, PartitionChange, PartitionConfiguration};
use crate::cluster::member::Member;
use crate::cluster::safeguard::Safeguard;
use crate::time::Uptime;

/// A proposal of which nothing was heard is made again: the same, on the same number, so it can happen once only.
const PROPOSE_AGAIN_AFTER: Duration = Duration::from_millis(300);

/// A hand-over of which nothing comes for so long is given up: an abort is proposed on the same number, and either
/// happens. Until it is known which, nothing is served.
const HAND_OVER_MAX: Duration = Duration::from_millis(600);

/// For so long whoever hands over waits for what is under way; then it serves on, because nothing is proposed yet.
const PAUSE_MAX: Duration = Duration::from_millis(150);

/// Records that whoever joins may keep from being forgotten; with more of them it begins anew.
const JOINER_BACKLOG_BYTES_MAX: usize = 8 << 20;

/// Records that the slowest backup may leave others waiting for; with more of them it is put out (R11).
const BACKLOG_BYTES_MAX: usize = 32 << 20;

#[derive(Debug)]
pub(super) struct Primary {
    me: Member,
    epoch: Epoch,
    /// All others in sync.
    followers: Vec<Follower>,
    joiner: Option<Joiner>,
    /// How many streams were begun.
    streams: u64,
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
    /// Whoever joins was proposed on this number, whatever is proposed on it now.
    may_add: bool,
    at: Uptime,
}

impl Primary {
    pub(super) fn of(
        me: Member,
        next: &PartitionConfiguration,
        log: &mut Log,
        now: Uptime,
        effects: &mut Vec<Effect>,
    ) -> Self {
        let phase = Phase::Sealing { up_to: log.end().sequence };
        let mut primary =
            Self { me, epoch: next.epoch(), followers: Vec::new(), joiner: None, streams: 0, phase, proposed: None };
        primary.configured(next, log, now, effects);
        primary
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn is_serving(&self) -> bool {
        match self.phase {
            Phase::Serving => true,
            Phase::Sealing { .. } => false,
            Phase::Pausing { .. } | Phase::HandingOver { .. } => !Safeguard::HandOverPauses.holds(),
        }
    }

    /// Above this, somebody may need a record once more.
    pub(super) fn needed(&self, log: &Log) -> u64 {
        let is_waited_for = |_: &&Joiner| self.may_have_added() || log.bytes() <= JOINER_BACKLOG_BYTES_MAX;
        let joiner = self.joiner.as_ref().filter(is_waited_for).map(Joiner::needs);
        self.followers.iter().map(Follower::needs).chain(joiner).min().unwrap_or(u64::MAX)
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
        if let Some(joiner) = self.joiner.take() {
            if next.isr().contains(&joiner.member()) {
                self.followers.push(joiner.into_follower());
            } else if next.joining() == Some(joiner.member()) {
                self.joiner = Some(joiner);
            }
        }
        for &member in next.isr() {
            if member != self.me && self.follower(member).is_none() {
                let mut follower = Follower::in_sync(member, self.next_stream(), log, now);
                follower.seal(log, now, effects);
                self.followers.push(follower);
            }
        }
        if self.joiner.is_none()
            && let Some(member) = next.joining()
        {
            self.joiner = Some(Joiner::invite(member, self.next_stream(), now, effects));
        }
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

    /// What a backup has said. In another stream than its newest it speaks of something that is no more.
    pub(super) fn answered(
        &mut self,
        from: Member,
        stream: Stream,
        word: &Word,
        log: &mut Log,
        now: Uptime,
        effects: &mut Vec<Effect>,
    ) {
        let is_of = |other: Stream| other == stream || !Safeguard::AnswersOfTheirStream.holds();
        if let Some(follower) = self.follower(from).filter(|follower| is_of(follower.stream())) {
            match *word {
                Word::Held { end, committed, .. } => follower.acknowledged(end, committed, log, now),
                Word::Missing { end } => follower.lacks(end, log),
                _ => return,
            }
        } else if let Some(joiner) =
            self.joiner.as_mut().filter(|joiner| joiner.member() == from && is_of(joiner.stream()))
        {
            match *word {
                Word::Offer { has } => joiner.offered(has, log, now, effects),
                Word::Took { portions, is_copy } => joiner.took(portions, is_copy),
                Word::Held { end, committed, is_copy } => joiner.held(end, committed, is_copy, log, now),
                Word::Missing { end } => joiner.missing(end, log),
                _ => return,
            }
        }
        self.go_on(log, now, effects);
    }

    pub(super) fn read(
        &mut self,
        rows: Vec<Box<[u8]>>,
        is_last: bool,
        log: &mut Log,
        now: Uptime,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(joiner) = &mut self.joiner {
            joiner.read(rows, is_last, log, now, effects);
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
            follower.repeat(log, now, effects);
        }
        if let Some(joiner) = &mut self.joiner {
            joiner.repeat(log, now, effects);
        }
        if let Phase::Pausing { since, .. } = self.phase
            && now.since(since) > PAUSE_MAX
        {
            self.phase = Phase::Serving;
        }
        if self.is_to_give_up(now, is_silent)
            && let Some(proposed) = &mut self.proposed
        {
            proposed.change = PartitionChange::Abort;
            if !Safeguard::UndecidedKept.holds() {
                self.proposed = None;
            }
            if !Safeguard::HandOverDecided.holds() && matches!(self.phase, Phase::HandingOver { .. }) {
                self.phase = Phase::Serving;
            }
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
                } else if let Some(joiner) = self.joiner.as_ref().filter(|joiner| joiner.is_ready(log))
                    && self.phase == Phase::Serving
                    && !is_silent(joiner.member())
                {
                    // It is waited for from now on, before anybody else knows.
                    let member = joiner.member();
                    self.propose(number, PartitionChange::Add(member), now, effects);
                }
            }
        }
        self.hand_over_when_quiet(number, log, now, effects);
    }

    /// What is proposed and takes too long is not forgotten: something else is proposed on the same number, and the next
    /// number tells which of them it was (R4).
    fn is_to_give_up(&self, now: Uptime, is_silent: &dyn Fn(Member) -> bool) -> bool {
        match (self.phase, &self.joiner) {
            (Phase::HandingOver { since }, _) => now.since(since) > HAND_OVER_MAX,
            (_, Some(joiner)) if self.may_have_added() => is_silent(joiner.member()) || joiner.follower().is_slow(now),
            _ => false,
        }
    }

    /// Whoever joins may be in sync already, by the word of the configuration (R4).
    fn may_have_added(&self) -> bool {
        Safeguard::GrowCounts.holds() && self.proposed.as_ref().is_some_and(|proposed| proposed.may_add)
    }

    /// Only a backup that has made its log the same can take over at once, and only one thing is proposed at a time.
    pub(super) fn hand_over(&mut self, to: Member, number: u64, log: &mut Log, now: Uptime, effects: &mut Vec<Effect>) {
        let is_ready = self.follower(to).is_some_and(|follower| follower.is_sealed());
        if self.phase == Phase::Serving && self.proposed.is_none() && is_ready {
            self.phase = Phase::Pausing { to, since: now };
            self.hand_over_when_quiet(number, log, now, effects);
        }
    }

    pub(super) fn put_out(&mut self, member: Member, number: u64, now: Uptime, effects: &mut Vec<Effect>) {
        if self.phase == Phase::Serving && self.proposed.is_none() && self.follower(member).is_some() {
            self.propose(number, PartitionChange::Remove(member), now, effects);
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
        let may_add = matches!(change, PartitionChange::Add(_));
        self.proposed = Some(Proposed { number, change: change.clone(), may_add, at: now });
        effects.push(Effect::Propose { number, change });
    }

    fn next_stream(&mut self) -> Stream {
        self.streams += 1;
        Stream { epoch: self.epoch, number: self.streams }
    }

    /// Counts what all have, and sends what they have not.
    fn go_on(&mut self, log: &mut Log, now: Uptime, effects: &mut Vec<Effect>) {
        self.count(log);
        for follower in &mut self.followers {
            follower.send(log, now, effects);
        }
        if let Some(member) = self.joiner.as_ref().filter(|joiner| joiner.is_left_behind(log)).map(Joiner::member) {
            self.joiner = Some(Joiner::invite(member, self.next_stream(), now, effects));
        }
        if let Some(joiner) = &mut self.joiner {
            joiner.send(log, now, effects);
        }
    }

    /// A record is committed when everybody in sync holds it: whoever comes next has it then (R8). One whose removal is
    /// proposed is waited for until that is decided, and one whose adding is proposed from then on.
    fn count(&mut self, log: &mut Log) {
        let joiner = self.joiner.as_ref().filter(|_| self.may_have_added()).map(Joiner::follower);
        let held = self.followers.iter().filter(|one| self.is_waited_for(one)).chain(joiner).map(Follower::held).min();
        log.commit(held.unwrap_or(log.end().sequence));
        if let Phase::Sealing { up_to } = self.phase
            && self.followers.iter().all(|follower| follower.held() >= up_to && follower.is_sealed())
        {
            self.phase = Phase::Serving;
        }
    }

    fn is_waited_for(&self, follower: &Follower) -> bool {
        let removed = self.proposed.as_ref().map(|proposed| &proposed.change);
        Safeguard::ShrinkWaits.holds() || removed != Some(&PartitionChange::Remove(follower.member))
    }

    fn follower(&mut self, member: Member) -> Option<&mut Follower> {
        self.followers.iter_mut().find(|follower| follower.member == member)
    }
}
