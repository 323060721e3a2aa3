//! One client: its socket, what it has sent and not yet been answered, what it is owed, and who it is.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::Instant;

use mio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::buffer::{Buffers, Input};
use super::login;
use super::session::{Next, Session};
use super::stream::Stream;
use super::tally::Tally;
use crate::access::Standing;
use crate::cluster::Verdict;
use crate::resp::reply::Writer;
use crate::resp::request::{Bounds, Reader};
use crate::shared::Shared;
use crate::store::{Begun, Ticket};

/// A client that takes no answers gets no further ones: above this nothing more is read from it or done for it, until
/// it has taken some, or the kernel gives it up.
const OUTPUT_PAUSE_BYTES: usize = 1024 * 1024;

/// One answer of many values can be larger than that. Beyond this it would be a danger to the node, and the connection
/// is closed in its place.
pub(super) const OUTPUT_BYTES_MAX: usize = 128 * 1024 * 1024;

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is true or not whatever the others are")]
pub(super) struct Connection {
    stream: Stream,
    pub(super) input: Input,
    pub(super) reader: Reader,
    pub(super) bounds: Bounds,
    pub(super) output: Vec<u8>,
    written: usize,
    /// How much of the output may be sent.
    told: usize,
    /// So much more may be sent once the disk is so far. Answers that come meanwhile wait for a ticket of their own, or a
    /// busy client would be answered never.
    waits_for: Option<(usize, Ticket)>,
    /// When the first of the answers was made that may not be told yet.
    begun: Option<Begun>,
    /// Since when the disk has not moved for it.
    pub(super) held_since: Option<Instant>,
    /// In the list of those that wait for the disk.
    pub(super) is_held: bool,
    /// The socket may have more to read.
    readable: bool,
    /// The other side has sent all it will send; what of it has not been read is still there.
    peer_finished: bool,
    /// There may be whole commands in the input that nobody has looked at.
    pub(super) unread_commands: bool,
    /// Its commands of this round were put off, because it has to take some answers first.
    pub(super) is_postponed: bool,
    /// In the list of this turn.
    pub(super) listed: bool,
    /// Nothing more is read; the connection ends once its commands are done and their answers sent.
    finished: bool,
    broken: bool,
    pub(super) session: Session,
    shared: Arc<Shared>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    pub(super) fn new(stream: Stream, session: Session, shared: &Arc<Shared>, permit: OwnedSemaphorePermit) -> Self {
        shared.metrics.active_connections.inc();
        let value_bytes_max = u32::try_from(shared.live().limits.value_bytes_max).unwrap_or(u32::MAX);
        Self {
            stream,
            input: Input::default(),
            reader: Reader::new(),
            bounds: Bounds::for_values_of(value_bytes_max),
            output: Vec::new(),
            written: 0,
            told: 0,
            waits_for: None,
            begun: None,
            held_since: None,
            is_held: false,
            readable: false,
            peer_finished: false,
            unread_commands: false,
            is_postponed: false,
            listed: false,
            finished: false,
            broken: false,
            session,
            shared: Arc::clone(shared),
            _permit: permit,
        }
    }

    pub(super) fn socket(&mut self) -> &mut TcpStream {
        self.stream.socket()
    }

    /// The kernel has something to tell of the socket.
    pub(super) fn note(&mut self, readable: bool, peer_finished: bool) {
        self.readable |= readable;
        self.peer_finished |= peer_finished;
    }

    /// Whether the next command of this client may be done now.
    pub(super) fn is_served(&self) -> bool {
        matches!(self.session.next, Next::Serve) && !self.broken && self.owed() < OUTPUT_PAUSE_BYTES
    }

    /// Whether there is something to do without waiting for the socket.
    pub(super) fn has_work(&self) -> bool {
        matches!(self.session.next, Next::Walk(_))
            || (self.is_served() && (self.unread_commands || (self.readable && !self.finished)))
    }

    /// Whether nothing is left to be done for it.
    pub(super) fn is_done(&self) -> bool {
        let ends = match self.session.next {
            Next::Close => true,
            Next::Serve => self.finished && !self.unread_commands,
            Next::Walk(_) | Next::LogIn(_) => false,
        };
        self.broken || (ends && self.owed() == 0 && self.stream.is_flushed())
    }

    pub(super) fn owed(&self) -> usize {
        self.output.len() - self.written
    }

    /// Something is done for it now, of which it is told later.
    pub(super) fn begin(&mut self, begun: impl FnOnce() -> Begun) {
        self.begun.get_or_insert_with(begun);
    }

    /// Whether it has answers that the disk must catch up with.
    pub(super) fn waits_for_disk(&self) -> bool {
        self.waits_for.is_some() && !self.broken
    }

    /// Finds out how much of the output may be sent: an answer is told when nothing it rests on can be undone by a crash.
    fn release(&mut self) {
        while self.told < self.output.len() {
            let store = &self.shared.store;
            let begun = self.begun.unwrap_or_default();
            let (end, ticket) = *self.waits_for.get_or_insert_with(|| (self.output.len(), store.ticket_of_all(begun)));
            match store.verdict(ticket) {
                Verdict::Confirmed => self.told = end,
                Verdict::Open => return,
                // What becomes of it will not be known here. Whoever loses its connection knows as much.
                Verdict::Lost => return self.abandon(),
            }
            (self.waits_for, self.held_since) = (None, None);
        }
        self.begun = None;
    }

    /// Its password was checked, and what it sent behind it can be done.
    pub(super) fn finish_login(&mut self, standing: Option<Standing>) {
        let begin = self.output.len();
        let protocol = self.session.protocol;
        login::finish(&mut self.session, &mut Writer::new(&mut self.output, protocol), standing);
        if self.session.muted {
            self.output.truncate(begin);
        }
    }

    /// What begins at this place of the input, and all behind it, is read again later.
    pub(super) fn postpone(&mut self, begin: usize) {
        self.input.use_up(begin);
        self.reader = Reader::new();
        self.unread_commands = true;
        self.is_postponed = true;
    }

    /// What was written from here on is not sent, if the client wants no answers.
    pub(super) fn mute_from(&mut self, begin: usize) {
        if self.session.muted {
            self.output.truncate(begin);
        }
    }

    /// Nothing more is read; what has been asked is still answered.
    pub(super) fn finish(&mut self) {
        self.finished = true;
    }

    pub(super) fn is_shaking_hands(&self) -> bool {
        self.stream.is_shaking_hands()
    }

    /// Ends it at once, whatever it is owed.
    pub(super) fn abandon(&mut self) {
        self.broken = true;
    }

    /// Reads once. A full read leaves the socket marked as readable: the rest is for the next turn, after the others.
    /// So does a short one when the other side has finished: the kernel tells of that only once, and perhaps together
    /// with the last data.
    pub(super) fn read(&mut self, buffers: &mut Buffers, tally: &mut Tally) {
        if !self.readable || self.finished || self.unread_commands || !self.is_served() {
            return;
        }
        let room = self.input.room(buffers);
        let size = room.len();
        match self.stream.read(room) {
            Ok(0) => {
                self.readable = false;
                self.finished = true;
            }
            Ok(read) => {
                self.input.add(read);
                tally.bytes_read += read as u64;
                self.unread_commands = true;
                self.readable = read == size || self.peer_finished || self.stream.holds_back();
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => self.readable = false,
                ErrorKind::Interrupted => {}
                _ => self.broken = true,
            },
        }
    }

    pub(super) fn write(&mut self, buffers: &mut Buffers, tally: &mut Tally) {
        match self.stream.flush() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => self.broken = true,
            _ => {}
        }
        self.release();
        while self.written < self.told && !self.broken {
            match self.stream.write(&self.output[self.written..self.told]) {
                Ok(0) => self.broken = true,
                Ok(written) => {
                    self.written += written;
                    tally.bytes_written += written as u64;
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return self.forget_written(),
                    ErrorKind::Interrupted => {}
                    _ => self.broken = true,
                },
            }
        }
        if self.waits_for.is_some() {
            self.forget_written();
        } else if !self.output.is_empty() {
            buffers.give_back(std::mem::take(&mut self.output));
            (self.written, self.told) = (0, 0);
        }
    }

    /// A client that always takes a little less than it is sent must not make the buffer grow for ever.
    fn forget_written(&mut self) {
        if self.written >= self.output.len() / 2 {
            self.output.drain(..self.written);
            self.told -= self.written;
            if let Some((end, _)) = &mut self.waits_for {
                *end -= self.written;
            }
            self.written = 0;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.stream.say_goodbye();
        self.shared.redis.clients.remove(self.session.client.id);
        self.shared.metrics.active_connections.dec();
    }
}

/// For the kernel's own watch over it.
pub(super) fn prepare(stream: &TcpStream, unread_answer_time_max: std::time::Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(unread_answer_time_max))
}
