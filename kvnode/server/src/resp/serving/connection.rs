//! One client: its socket, what it has sent and not yet been answered, what it is owed, and who it is.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use mio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::buffer::{Buffers, Input};
use super::session::{Next, Session};
use super::stream::Stream;
use super::tally::Tally;
use crate::resp::request::{Bounds, Reader};
use crate::shared::Shared;

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
            Next::Walk(_) => false,
        };
        self.broken || (ends && self.owed() == 0 && self.stream.is_flushed())
    }

    pub(super) fn owed(&self) -> usize {
        self.output.len() - self.written
    }

    /// What begins at this place of the input, and all behind it, is read again later.
    pub(super) fn postpone(&mut self, begin: usize) {
        self.input.use_up(begin);
        self.reader = Reader::new();
        self.unread_commands = true;
        self.is_postponed = true;
    }

    /// Nothing more is read; what has been asked is still answered.
    pub(super) fn finish(&mut self) {
        self.finished = true;
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
        while self.owed() > 0 && !self.broken {
            match self.stream.write(&self.output[self.written..]) {
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
        if !self.output.is_empty() {
            buffers.give_back(std::mem::take(&mut self.output));
            self.written = 0;
        }
    }

    /// A client that always takes a little less than it is sent must not make the buffer grow for ever.
    fn forget_written(&mut self) {
        if self.written >= self.output.len() / 2 {
            self.output.drain(..self.written);
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
