//! One client: its socket, what it has sent and not yet been answered, what it is owed, and who it is.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use mio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::buffer::{Buffers, Input};
use super::session::Session;
use crate::resp::request::{Bounds, Reader};
use crate::shared::Shared;

/// A client that takes no answers gets no further ones: above this nothing more is read from it or done for it.
const OUTPUT_PAUSE_BYTES: usize = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    pub(super) input: Input,
    pub(super) reader: Reader,
    pub(super) bounds: Bounds,
    pub(super) output: Vec<u8>,
    written: usize,
    /// The socket may have more to read.
    pub(super) readable: bool,
    /// There may be whole commands in the input that nobody has looked at.
    pub(super) unread_commands: bool,
    /// In the list of this turn.
    pub(super) listed: bool,
    /// Nothing more is read; the connection ends once its answers are sent.
    pub(super) closing: bool,
    broken: bool,
    pub(super) session: Session,
    shared: Arc<Shared>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, session: Session, shared: &Arc<Shared>, permit: OwnedSemaphorePermit) -> Self {
        shared.metrics.active_connections.inc();
        let value_bytes_max = u32::try_from(shared.settings.limits.value_bytes_max).unwrap_or(u32::MAX);
        Self {
            stream,
            input: Input::default(),
            reader: Reader::new(),
            bounds: Bounds::for_values_of(value_bytes_max),
            output: Vec::new(),
            written: 0,
            readable: true,
            unread_commands: false,
            listed: false,
            closing: false,
            broken: false,
            session,
            shared: Arc::clone(shared),
            _permit: permit,
        }
    }

    pub(super) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Whether commands of this client may be executed now.
    pub(super) fn is_served(&self) -> bool {
        !self.closing && !self.broken && self.owed() < OUTPUT_PAUSE_BYTES
    }

    /// Whether there is something to do without waiting for the socket.
    pub(super) fn has_work(&self) -> bool {
        self.is_served() && (self.readable || self.unread_commands)
    }

    pub(super) fn is_done(&self) -> bool {
        self.broken || (self.closing && self.owed() == 0)
    }

    pub(super) fn owed(&self) -> usize {
        self.output.len() - self.written
    }

    /// Reads once. A full read leaves the socket marked as readable: the rest is for the next turn, after the others.
    pub(super) fn read(&mut self, buffers: &mut Buffers) {
        if !self.readable || !self.is_served() {
            return;
        }
        let room = self.input.room(buffers);
        let size = room.len();
        match self.stream.read(room) {
            Ok(0) => {
                self.readable = false;
                self.closing = true;
            }
            Ok(read) => {
                self.input.add(read);
                self.unread_commands = true;
                self.readable = read == size;
            }
            Err(error) => self.failed(&error, |connection| connection.readable = false),
        }
    }

    pub(super) fn write(&mut self, buffers: &mut Buffers) {
        while self.owed() > 0 && !self.broken {
            match self.stream.write(&self.output[self.written..]) {
                Ok(0) => self.broken = true,
                Ok(written) => self.written += written,
                Err(error) => {
                    let mut blocked = false;
                    self.failed(&error, |_| blocked = true);
                    if blocked {
                        return;
                    }
                }
            }
        }
        if !self.output.is_empty() {
            buffers.give_back(std::mem::take(&mut self.output));
            self.written = 0;
        }
    }

    fn failed(&mut self, error: &io::Error, would_block: impl FnOnce(&mut Self)) {
        match error.kind() {
            ErrorKind::WouldBlock => would_block(self),
            ErrorKind::Interrupted => {}
            _ => self.broken = true,
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.metrics.active_connections.dec();
    }
}
