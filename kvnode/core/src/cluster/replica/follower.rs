//! What a primary knows of one backup.

use std::time::Duration;

use super::Effect;
use super::log::{Entry, Log, Position};
use super::message::{Message, Stream, Word};
use crate::cluster::member::Member;
use crate::time::Uptime;

/// Bytes of records on their way to one backup. A fast one has acknowledged the first of them long before the last.
const UNDERWAY_BYTES_MAX: usize = 4 << 20;

/// What was said and not answered for so long is said again.
pub(super) const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// A backup that leaves records unacknowledged for so long is put out of the set that is waited for (R11).
const SLOW_AFTER: Duration = Duration::from_millis(1000);

#[derive(Debug)]
pub(super) struct Follower {
    pub(super) member: Member,
    stream: Stream,
    /// It follows the stream, and what is known of it is true.
    is_sealed: bool,
    /// It has everything up to here.
    held: u64,
    /// Everything up to here was sent.
    sent: u64,
    /// Bytes of the records between the two.
    underway: usize,
    /// What it has been told is committed.
    told: u64,
    /// What it has said that it knows of that.
    knows: u64,
    /// Since when it has left something unacknowledged.
    waits_since: Option<Uptime>,
    sent_at: Uptime,
}

impl Follower {
    /// Nothing is known of it but that it has what is committed.
    pub(super) fn in_sync(member: Member, stream: Stream, log: &Log, now: Uptime) -> Self {
        let committed = log.committed();
        Self {
            member,
            stream,
            is_sealed: false,
            held: committed,
            sent: committed,
            underway: 0,
            told: 0,
            knows: 0,
            waits_since: Some(now),
            sent_at: now,
        }
    }

    /// It has everything up to this sequence, and waits for more.
    pub(super) fn from(member: Member, stream: Stream, sequence: u64, now: Uptime) -> Self {
        Self {
            member,
            stream,
            is_sealed: true,
            held: sequence,
            sent: sequence,
            underway: 0,
            told: 0,
            knows: 0,
            waits_since: None,
            sent_at: now,
        }
    }

    pub(super) fn stream(&self) -> Stream {
        self.stream
    }

    /// Up to where it was sent everything.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Up to where it may be counted on.
    pub(super) fn held(&self) -> u64 {
        if self.is_sealed { self.held } else { 0 }
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.is_sealed
    }

    pub(super) fn is_slow(&self, now: Uptime) -> bool {
        self.waits_since.is_some_and(|since| now.since(since) > SLOW_AFTER)
    }

    /// What may have to be sent to it once more.
    pub(super) fn needs(&self) -> u64 {
        self.held
    }

    pub(super) fn acknowledged(&mut self, end: u64, committed: u64, log: &Log, now: Uptime) {
        self.is_sealed = true;
        self.knows = self.knows.max(committed);
        let held = self.held.max(end.min(log.end().sequence));
        let arrived = bytes_between(log, self.held, held.min(self.sent));
        self.underway = self.underway.saturating_sub(arrived);
        self.held = held;
        self.sent = self.sent.max(held);
        self.waits_since = (self.held < log.end().sequence).then_some(now);
    }

    /// It has lost its place, or something was lost on the way.
    pub(super) fn lacks(&mut self, end: Position, log: &Log) {
        // What it said that it has, it has; an older word comes late.
        if self.is_sealed && log.holds(end) {
            self.begin_again_at(end.sequence.max(self.held), log);
        }
    }

    /// Sends what has not been sent, as far as there is room on the way, and the mark if it has moved.
    pub(super) fn send(&mut self, log: &Log, now: Uptime, effects: &mut Vec<Effect>) {
        self.send_up_to(u64::MAX, log, now, effects);
    }

    pub(super) fn send_up_to(&mut self, sequence: u64, log: &Log, now: Uptime, effects: &mut Vec<Effect>) {
        if !self.is_sealed {
            return;
        }
        let after = log.position_at(self.sent).expect("what a backup needs is kept");
        let mut entries: Vec<Entry> = Vec::new();
        let due = log.since(self.sent).into_iter().flatten();
        for entry in due.take_while(|entry| entry.position.sequence <= sequence) {
            // One record always goes, however large it is.
            if self.underway > 0 && self.underway + entry.record.len() > UNDERWAY_BYTES_MAX {
                break;
            }
            self.underway += entry.record.len();
            entries.push(entry.clone());
        }
        let committed = log.committed();
        if entries.is_empty() && committed <= self.told {
            return;
        }
        self.sent += entries.len() as u64;
        self.told = committed;
        self.sent_at = now;
        if self.held < self.sent {
            self.waits_since.get_or_insert(now);
        }
        self.say(Word::Records { after, entries, committed }, effects);
    }

    pub(super) fn say(&self, word: Word, effects: &mut Vec<Effect>) {
        effects.push(Effect::Send { to: self.member, message: Message { stream: self.stream, word } });
    }

    /// What was not acknowledged in time is sent again.
    pub(super) fn repeat(&mut self, log: &Log, now: Uptime, effects: &mut Vec<Effect>) {
        self.repeat_up_to(u64::MAX, log, now, effects);
    }

    pub(super) fn repeat_up_to(&mut self, sequence: u64, log: &Log, now: Uptime, effects: &mut Vec<Effect>) {
        if now.since(self.sent_at) < AGAIN_AFTER {
            return;
        }
        if !self.is_sealed {
            self.seal(log, now, effects);
        } else if self.held < self.sent || self.knows < self.told {
            self.begin_again_at(self.held, log);
            self.told = self.knows;
            self.send_up_to(sequence, log, now, effects);
        }
    }

    fn begin_again_at(&mut self, sequence: u64, log: &Log) {
        self.sent = sequence;
        self.underway = bytes_between(log, self.held, sequence);
    }

    pub(super) fn seal(&mut self, log: &Log, now: Uptime, effects: &mut Vec<Effect>) {
        let after = log.position_at(log.committed()).expect("the mark is within the log");
        self.sent = log.end().sequence;
        self.sent_at = now;
        self.say(Word::Seal { after, tail: log.uncommitted().cloned().collect() }, effects);
    }
}

fn bytes_between(log: &Log, from: u64, to: u64) -> usize {
    let entries = log.since(from).into_iter().flatten().take_while(|entry| entry.position.sequence <= to);
    entries.map(|entry| entry.record.len()).sum()
}
