//! A dump on its way into the store. What was taken stays taken, whatever ends it, because to restore the dump once more
//! is always right; so the answer says how far it came.

use std::fmt;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use kvnode_core::store::command::{KeyAction, KeyCommand};
use kvnode_core::store::key::{Address, Namespace};
use kvnode_core::store::outcome::Reply;
use serde::Serialize;
use tokio::time::timeout;

use crate::access::DIRECTORY_LIMITS;
use crate::dump::{EntryLine, Header, Line, LineError, Reader};
use crate::http::body::{ENVELOPE_BYTES_MAX, Room};
use crate::http::problem::Problem;
use crate::shared::Shared;
use crate::store::Begun;

/// Lines are put together in this much memory, which a restore keeps while it lasts: what comes at once from a connection,
/// behind the beginning of a line. Longer lines ask for more.
const USUAL_BYTES: usize = 192 * 1024;

/// Lines that are taken before other requests of the thread get a turn.
const LINES_PER_TURN: u64 = 16;

/// What may be taken before the disk must have it: few syncs for a large dump, and little to wait for at its end.
const UNSETTLED_BYTES_MAX: usize = 1 << 20;

/// Within its line, a character of JSON takes two at most, and three bytes take four.
const ESCAPED_PER_BYTE: usize = 2;

/// What came of the lines so far.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Tally {
    /// Entries that are as the dump has them.
    restored: u64,
    /// Entries that were there already, as new or newer.
    kept: u64,
    /// Entries whose time is over.
    expired: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { restored, kept, expired } = self;
        write!(formatter, "{restored} restored, {kept} kept as they were, {expired} expired")
    }
}

pub(super) struct Restoring<'s> {
    shared: &'s Shared,
    /// The tenant that the dump must be of.
    tenant: &'s str,
    reader: Reader,
    tally: Tally,
    unsettled: usize,
    /// Before the first of them.
    begun: Begun,
    /// Accounts or API keys came back.
    directory_changed: bool,
}

/// What has arrived and is not taken yet: the beginning of a line, after each turn.
struct Arrived {
    bytes: Vec<u8>,
    /// Of which so many are taken.
    taken: usize,
    /// Up to here there is no line feed behind them.
    searched: usize,
    room: Room,
}

impl<'s> Restoring<'s> {
    pub(super) fn new(shared: &'s Shared, tenant: &'s str) -> Self {
        let (reader, tally) = (Reader::default(), Tally::default());
        Self { shared, tenant, reader, tally, unsettled: 0, begun: shared.store.begin(), directory_changed: false }
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// Takes all of it, or tells why not and how far it came.
    pub(super) async fn take(&mut self, body: Body) -> Result<(), Problem> {
        let taken = self.take_lines(body).await;
        if self.directory_changed {
            self.shared.access.directory_restored();
        }
        // What the answer tells must outlive a crash, also if it is no good news.
        let settled = self.settle().await.map_err(|problem| self.broken_off(problem));
        settled.and(taken)
    }

    async fn take_lines(&mut self, mut body: Body) -> Result<(), Problem> {
        let silence_max = self.shared.bodies.silence_max();
        let mut arrived = Arrived::new(self.shared).await?;
        while let Some(bytes) = self.arriving(&mut body, silence_max).await? {
            arrived.add(&bytes, self.shared).await.map_err(|problem| self.broken_off(problem))?;
            drop(bytes);
            while let Some(line) = arrived.next_line() {
                self.take_line(line).await?;
            }
            if arrived.left() > self.line_bytes_max() {
                return Err(self.in_next_line(self.too_long()));
            }
            arrived.make_room(self.shared).await.map_err(|problem| self.broken_off(problem))?;
        }
        self.end(arrived.rest()).await
    }

    /// The next bytes; none behind the last.
    async fn arriving(&self, body: &mut Body, silence_max: Duration) -> Result<Option<Bytes>, Problem> {
        loop {
            match timeout(silence_max, body.frame()).await {
                Ok(None) => return Ok(None),
                Ok(Some(Ok(frame))) => {
                    // Headers behind the body say nothing here.
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
                Ok(Some(Err(error))) => {
                    let sentence = format!("The dump did not arrive whole: {error}.");
                    return Err(self.broken_off(Problem::malformed("BodyIncomplete", sentence)));
                }
                Err(_) => {
                    let seconds = silence_max.as_secs_f64();
                    let sentence = format!("Nothing arrived of the dump for {seconds} seconds.");
                    let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "BodyTooSlow", sentence);
                    return Err(self.broken_off(problem));
                }
            }
        }
    }

    /// What is left when no more comes: nothing, or a line whose line feed got lost, or a part of one.
    async fn end(&mut self, rest: &[u8]) -> Result<(), Problem> {
        let lines = self.reader.line();
        if lines == 0 || !rest.is_empty() {
            match self.take_line(rest).await {
                // Whatever it is a part of, nothing comes behind it.
                Err(_) if lines > 0 && !self.reader.ended() => return Err(self.cut_off(lines)),
                taken => taken?,
            }
        }
        if self.reader.ended() { Ok(()) } else { Err(self.cut_off(self.reader.line())) }
    }

    async fn take_line(&mut self, line: &[u8]) -> Result<(), Problem> {
        let read = self.reader.read(line).map_err(Problem::from);
        let taken = match read {
            Err(problem) => Err(problem),
            Ok(Line::Header(header)) => self.check(&header),
            Ok(Line::End) => Ok(()),
            Ok(Line::Entry(entry)) => self.put_back(&entry, line.len()).await,
        };
        taken.map_err(|problem| self.in_line(problem))?;
        if self.reader.line().is_multiple_of(LINES_PER_TURN) {
            tokio::task::yield_now().await;
        }
        if self.unsettled > UNSETTLED_BYTES_MAX {
            self.settle().await.map_err(|problem| self.broken_off(problem))?;
        }
        Ok(())
    }

    fn check(&self, header: &Header) -> Result<(), Problem> {
        if header.tenant == self.tenant {
            return Ok(());
        }
        let sentence = format!(
            "The dump is of the tenant '{}', and '{}' was expected; if it is meant to go here, say so with ?from={0} \
             (kvnode ctl restore --from {0}).",
            header.tenant, self.tenant
        );
        Err(Problem::new(StatusCode::CONFLICT, "OtherTenant", sentence))
    }

    async fn put_back(&mut self, line: &EntryLine<'_>, bytes: usize) -> Result<(), Problem> {
        let live = self.shared.live();
        let limits = if line.namespace == Namespace::System { &DIRECTORY_LIMITS } else { &live.limits };
        let address = Address { namespace: line.namespace, key: line.key(limits)? };
        let command = KeyCommand::new(address, KeyAction::PutBack(line.dumped(limits)?));
        let store = &self.shared.store;
        store.admitted().await?;
        let tally = &mut self.tally;
        let restored = store.execute(&command, self.shared.clock.now(), |outcome| {
            let (restored, counter) = match outcome {
                Ok(Reply::Stored { .. }) => (true, &mut tally.restored),
                Ok(Reply::Found(_)) => (false, &mut tally.kept),
                Ok(Reply::Absent) => (false, &mut tally.expired),
                Ok(Reply::Deleted { .. }) => unreachable!("nothing is deleted by putting something back"),
                Err(refusal) => return Err(Problem::refused(&command.address.key, &refusal)),
            };
            *counter += 1;
            Ok(restored)
        })?;
        if restored {
            self.unsettled += bytes;
            self.directory_changed |= line.namespace == Namespace::System;
        }
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), Problem> {
        let store = &self.shared.store;
        if self.tally.restored > 0 {
            store.settled(store.ticket_of_all(self.begun)).await?;
        }
        (self.unsettled, self.begun) = (0, store.begin());
        Ok(())
    }

    fn line_bytes_max(&self) -> usize {
        line_bytes_max(self.shared)
    }

    fn too_long(&self) -> Problem {
        let max = self.line_bytes_max();
        let sentence = format!("It is too long; with the limits of this node no entry takes more than {max} bytes.");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "LineTooLong", sentence)
    }

    fn in_line(&self, problem: Problem) -> Problem {
        problem.in_line(self.reader.line(), &Far(self.tally))
    }

    /// The one that is not whole yet.
    fn in_next_line(&self, problem: Problem) -> Problem {
        problem.in_line(self.reader.line() + 1, &Far(self.tally))
    }

    fn broken_off(&self, problem: Problem) -> Problem {
        problem.behind_line(self.reader.line(), &self.tally)
    }

    fn cut_off(&self, lines: u64) -> Problem {
        let sentence = "The dump is cut off: its last line, which says that it is complete, is missing.";
        Problem::malformed("DumpCutOff", sentence).behind_line(lines, &self.tally)
    }
}

/// How far a restore came that ended with a line.
struct Far(Tally);

impl fmt::Display for Far {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Nothing from this line on was taken; before it: {}.", self.0)
    }
}

/// The longest line of an entry within the limits.
fn line_bytes_max(shared: &Shared) -> usize {
    shared.live().limits.value_bytes_max * ESCAPED_PER_BYTE + ENVELOPE_BYTES_MAX
}

impl Arrived {
    async fn new(shared: &Shared) -> Result<Self, Problem> {
        let room = shared.bodies.room_for(USUAL_BYTES).await?;
        Ok(Self { bytes: Vec::with_capacity(USUAL_BYTES), taken: 0, searched: 0, room })
    }

    async fn add(&mut self, bytes: &[u8], shared: &Shared) -> Result<(), Problem> {
        if self.bytes.len() + bytes.len() > self.room.bytes() {
            // The line, the next one's beginning, and the value that is read from it. The smaller room is given back
            // first: who waits for more must not keep others waiting.
            self.room = Room::default();
            let line = line_bytes_max(shared) + bytes.len();
            self.room = shared.bodies.room_for(line + shared.live().limits.value_bytes_max).await?;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn next_line(&mut self) -> Option<&[u8]> {
        let begin = self.taken;
        let Some(length) = self.bytes[self.searched..].iter().position(|&byte| byte == b'\n') else {
            self.searched = self.bytes.len();
            return None;
        };
        let end = self.searched + length;
        (self.taken, self.searched) = (end + 1, end + 1);
        Some(&self.bytes[begin..end])
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.taken
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// Forgets what is taken, and gives back what a long line needed.
    async fn make_room(&mut self, shared: &Shared) -> Result<(), Problem> {
        self.bytes.drain(..self.taken);
        self.searched -= self.taken;
        self.taken = 0;
        if self.room.bytes() > USUAL_BYTES && self.bytes.len() < USUAL_BYTES / 2 {
            self.bytes.shrink_to(USUAL_BYTES);
            self.room = Room::default();
            self.room = shared.bodies.room_for(USUAL_BYTES).await?;
        }
        Ok(())
    }
}

impl From<LineError> for Problem {
    fn from(error: LineError) -> Self {
        let code = match error {
            LineError::NoDump | LineError::Form(_) => "NoDump",
            LineError::Damaged | LineError::Unreadable { .. } | LineError::BehindEnd | LineError::Count { .. } => {
                "DumpDamaged"
            }
        };
        Self::malformed(code, error.to_string())
    }
}
