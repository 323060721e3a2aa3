//! Commands about one key: what is there, what the conditions say to it, what comes of it, and the answer.

use super::{Partition, Place, keyspace_of, saturated, seconds};
use crate::store::Eviction;
use crate::store::answers::{Answer, AnswerKind, Idempotency, Met};
use crate::store::arena::Handle;
use crate::store::attributes::Version;
use crate::store::change;
use crate::store::command::{KeyAction, KeyCommand, NewExpiry, NewTags, Write};
use crate::store::condition::{Condition, Present};
use crate::store::entry::{Draft, Due, EntryRef, LAST_MOMENT};
use crate::store::key::{Address, Namespace};
use crate::store::ledger::Ledger;
use crate::store::outcome::{Outcome, Refusal, Reply};
use crate::store::record::{Event, Record};
use crate::time::UnixMillis;

/// A [`Reply`] that names the entry by its handle, so that more can be done before it is shown.
pub(super) enum Done {
    Found(Handle),
    Absent,
    Stored { handle: Handle, created: bool, previous: Option<Box<[u8]>> },
    Deleted { version: Version, previous: Option<Box<[u8]>> },
}

/// The command's address, and what was found there.
#[derive(Clone, Copy)]
pub(super) struct At<'c> {
    pub(super) hash: u64,
    pub(super) address: &'c Address<'c>,
    pub(super) found: Option<Handle>,
    /// Room for the answer is reserved before anything is done, if it is to be kept.
    idempotency: Option<Idempotency>,
}

impl Partition {
    /// The place must be that of the command's key.
    pub fn execute(
        &mut self,
        command: &KeyCommand<'_>,
        place: Place,
        now: UnixMillis,
        ledger: &Ledger,
    ) -> Outcome<EntryRef<'_>> {
        self.advance(now);
        let answered_again = matches!(command.action, KeyAction::Write(_) | KeyAction::Delete { .. });
        if let Some(idempotency) = command.idempotency.filter(|_| answered_again) {
            return self.execute_once(command, place, idempotency, ledger);
        }
        let (done, _) = self.act(command, place, None, ledger)?;
        Ok(self.show(command.address.namespace, done))
    }

    fn execute_once(
        &mut self,
        command: &KeyCommand<'_>,
        place: Place,
        idempotency: Idempotency,
        ledger: &Ledger,
    ) -> Outcome<EntryRef<'_>> {
        let idempotency = idempotency.within(command.address.namespace);
        self.forget_answers(usize::MAX, ledger);
        match self.answers.meet(idempotency, self.clock) {
            Met::Answered => return Ok(self.answers.reply(idempotency)),
            Met::Reused => return Err(Refusal::IdempotencyKeyReused),
            Met::Unknown => {}
        }
        let namespace = command.address.namespace;
        let (done, room) = self.act(command, place, Some(idempotency), ledger)?;
        self.keep_answer(idempotency, namespace, &done, room, ledger);
        Ok(self.show(namespace, done))
    }

    /// What came of it, and how many bytes are reserved for keeping the answer.
    fn act(
        &mut self,
        command: &KeyCommand<'_>,
        place: Place,
        idempotency: Option<Idempotency>,
        ledger: &Ledger,
    ) -> Result<(Done, u64), Refusal> {
        let address = &command.address;
        let found = self.find_live(place.hash, address, ledger);
        let at = At { hash: place.hash, address, found, idempotency };
        match &command.action {
            KeyAction::Get => {
                let Some(handle) = found else { return Ok((Done::Absent, 0)) };
                if self.eviction == Eviction::AllKeysLru {
                    let clock = seconds(self.clock);
                    self.existing_mut(address.namespace).use_at(handle, clock);
                }
                Ok((Done::Found(handle), 0))
            }
            KeyAction::Write(write) => self.write(at, write, ledger),
            KeyAction::Delete { conditions, with_previous } => {
                let before = found.map(|handle| self.existing(address.namespace).view(handle));
                check(conditions, before.map_or_else(Present::default, present), *with_previous)?;
                let previous = before.filter(|_| *with_previous).map(|entry| entry.content().into());
                self.delete(at, previous, ledger)
            }
            KeyAction::PutBack(dumped) => Ok((self.put_back(at, dumped, ledger)?, 0)),
        }
    }

    fn write(&mut self, at: At<'_>, write: &Write<'_>, ledger: &Ledger) -> Result<(Done, u64), Refusal> {
        let namespace = at.address.namespace;
        let before = at.found.map(|handle| self.existing(namespace).view(handle));
        check(&write.conditions, before.map_or_else(Present::default, present), write.with_previous)?;
        let before_value = before.map(|entry| change::Present { kind: entry.kind(), content: entry.content() });
        let value = write.value.apply(before_value, &self.limits)?;
        let due = self.due(write.expiry, before);
        let previous = before.filter(|_| write.with_previous).map(|entry| entry.content().into());
        if due.is_some_and(|due| due.at <= self.clock) {
            return self.delete(at, previous, ledger);
        }
        let kept_tags = before.filter(|_| write.tags == NewTags::Keep).map(|entry| entry.tags().to_tags());
        let tags = match &write.tags {
            NewTags::Set(tags) => tags.packed(),
            NewTags::Keep => kept_tags.as_ref().map_or(&[][..], |tags| tags.packed()),
        };
        let clock = seconds(self.clock);
        let draft = Draft {
            key: at.address.key.as_str(),
            kind: value.kind(),
            content: value.content(),
            tags,
            version: Version::ABSENT,
            created: before.map_or(clock, |entry| entry.created()),
            updated: clock,
            due,
            used: (self.eviction == Eviction::AllKeysLru).then_some(clock),
            tombstone: false,
        };
        let created = before.is_none();
        let room = self.room_for_answer(at.idempotency, draft.len(), ledger)?;
        let handle = self.put(at, draft, room, ledger).inspect_err(|_| ledger.release_answer(room))?;
        let kind = if created { AnswerKind::Created } else { AnswerKind::Replaced };
        self.record_entry(namespace, handle, at.idempotency.map(|idempotency| Answer { idempotency, kind }));
        Ok((Done::Stored { handle, created, previous }, room))
    }

    fn delete(&mut self, at: At<'_>, previous: Option<Box<[u8]>>, ledger: &Ledger) -> Result<(Done, u64), Refusal> {
        let room = self.room_for_answer(at.idempotency, 0, ledger)?;
        // A delete makes room; it is never refused for want of some.
        ledger.settle(0, room);
        let Some(handle) = at.found else { return Ok((Done::Absent, room)) };
        let version = self.bury(at.address.namespace, at.hash, handle, at.idempotency, ledger);
        Ok((Done::Deleted { version, previous }, room))
    }

    fn show(&self, namespace: Namespace, done: Done) -> Reply<EntryRef<'_>> {
        let view = |handle| self.existing(namespace).view(handle);
        match done {
            Done::Found(handle) => Reply::Found(view(handle)),
            Done::Absent => Reply::Absent,
            Done::Stored { handle, created, previous } => Reply::Stored { entry: view(handle), created, previous },
            Done::Deleted { version, previous } => Reply::Deleted { version, previous },
        }
    }

    /// Reserves what keeping an answer takes of the part that answers may have.
    fn room_for_answer(
        &self,
        idempotency: Option<Idempotency>,
        entry_len: usize,
        ledger: &Ledger,
    ) -> Result<u64, Refusal> {
        if idempotency.is_none() {
            return Ok(0);
        }
        let room = self.answers.growth(entry_len);
        if ledger.reserve_answer(room) {
            return Ok(room);
        }
        Err(Refusal::AnswersFull { used: ledger.answers(), limit: ledger.answer_limit() })
    }

    fn keep_answer(&mut self, idempotency: Idempotency, namespace: Namespace, done: &Done, room: u64, ledger: &Ledger) {
        let (kind, handle) = match done {
            Done::Stored { handle, created: true, .. } => (AnswerKind::Created, Some(*handle)),
            Done::Stored { handle, created: false, .. } => (AnswerKind::Replaced, Some(*handle)),
            Done::Deleted { version, .. } => (AnswerKind::Deleted(*version), None),
            Done::Absent => (AnswerKind::Absent, None),
            Done::Found(_) => unreachable!("only writes and deletes are answered again"),
        };
        let answer = Answer { idempotency, kind };
        let keyspace = keyspace_of(&self.shared, &self.others, namespace);
        let entry = handle.and_then(|handle| Some(keyspace?.view(handle)));
        let held = self.answers.held();
        self.answers.keep(answer, self.clock, entry);
        ledger.settle_answers(held + room, self.answers.held());
        if kind == AnswerKind::Absent {
            let event = Event::Answered(None);
            self.records.push(&Record { clock: self.clock, namespace, event, answer: Some(answer) });
        }
    }

    fn due(&self, expiry: NewExpiry, before: Option<EntryRef<'_>>) -> Option<Due> {
        match expiry {
            NewExpiry::Never => None,
            NewExpiry::Keep => before.and_then(|entry| entry.due()),
            NewExpiry::KeepOrAfter(_) if before.is_some() => before.and_then(|entry| entry.due()),
            NewExpiry::KeepOrAfter(ttl) | NewExpiry::After(ttl) => {
                Some(Due { at: self.clock.plus_millis(ttl.milliseconds()), ttl: saturated(ttl.seconds()) })
            }
            NewExpiry::At(moment) => {
                let moment = moment.min(LAST_MOMENT);
                let left = moment.get().saturating_sub(self.clock.get()).div_ceil(1000);
                Some(Due { at: moment, ttl: saturated(left.max(1)) })
            }
        }
    }

    /// The version of the entry, or of what its end left, or above which keys start: whoever sees the same one twice
    /// knows that nothing was done to the key between. What was forgotten between looks like a change.
    pub fn last_version(&mut self, address: &Address<'_>, place: Place, now: UnixMillis, ledger: &Ledger) -> Version {
        self.advance(now);
        // One whose time is over has its end first.
        self.find_live(place.hash, address, ledger);
        let Some(keyspace) = self.keyspace(address.namespace) else { return Version::ABSENT };
        let last = keyspace.find(place.hash, address.key.as_str().as_bytes());
        last.map_or(keyspace.floor, |handle| keyspace.view(handle).version())
    }

    /// An entry whose time is over is found no more, and ends here.
    fn find_live(&mut self, hash: u64, address: &Address<'_>, ledger: &Ledger) -> Option<Handle> {
        let keyspace = self.keyspace(address.namespace)?;
        let handle = keyspace.find(hash, address.key.as_str().as_bytes())?;
        let entry = keyspace.view(handle);
        if entry.is_tombstone() {
            return None;
        }
        if entry.due().is_some_and(|due| due.at <= self.clock) {
            self.bury(address.namespace, hash, handle, None, ledger);
            ledger.add_expired();
            return None;
        }
        Some(handle)
    }
}

fn present(entry: EntryRef<'_>) -> Present<'_> {
    Present { version: entry.version(), content: entry.content(), expires_at: entry.expires_at() }
}

fn check(conditions: &[Condition], present: Present<'_>, with_previous: bool) -> Result<(), Refusal> {
    let Some(failed) = conditions.iter().find(|condition| !condition.holds(present)) else { return Ok(()) };
    let previous = (with_previous && present.version != Version::ABSENT).then(|| present.content.into());
    Err(Refusal::VersionMismatch { expected: failed.clone(), actual: present.version, previous })
}
