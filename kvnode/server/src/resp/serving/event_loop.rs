//! One thread's Redis connections. A turn has three phases, each over all connections that have something to say: read
//! all, execute all, write all. Executed together, commands of many clients wait for memory together, which is most of
//! what a command costs; a loop that served one client after the other would pay it each time.

use std::io::{self, ErrorKind};
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;

use super::buffer::Buffers;
use super::connection::Connection;
use super::session::{Port, Session};
use super::turn::Turn;
use crate::shared::Shared;

/// Connections that are told of in one turn; the others wait for the next, which comes at once.
const EVENTS_PER_TURN: usize = 1024;

/// When the process is out of files, trying again at once would only burn the core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// When the node drains: how long a client has for what it was about to send.
const DRAIN_GRACE: Duration = Duration::from_secs(1);

/// A client that takes nothing of its answers for so long is gone, or might as well be.
const UNREAD_ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

const WAKE: Token = Token(usize::MAX);

pub(crate) struct EventLoop {
    poll: Poll,
    listeners: Vec<(TcpListener, Port)>,
    connections: Slab<Connection>,
    /// Those that have something to do in this turn.
    ready: Vec<usize>,
    buffers: Buffers,
    turn: Turn,
    shared: Arc<Shared>,
    /// A listener may have more connections than could be taken.
    accepting: bool,
}

impl EventLoop {
    pub(crate) fn new(listeners: Vec<(StdListener, Port)>, shared: &Arc<Shared>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut registered = Vec::new();
        for (number, (listener, port)) in listeners.into_iter().enumerate() {
            let mut listener = TcpListener::from_std(listener);
            poll.registry().register(&mut listener, Token(number), Interest::READABLE)?;
            registered.push((listener, port));
        }
        Ok(Self {
            poll,
            listeners: registered,
            connections: Slab::new(),
            ready: Vec::new(),
            buffers: Buffers::default(),
            turn: Turn::new(shared),
            shared: Arc::clone(shared),
            accepting: false,
        })
    }

    /// Ends a wait from another thread.
    pub(crate) fn waker(&self) -> io::Result<Waker> {
        Waker::new(self.poll.registry(), WAKE)
    }

    /// Serves until the node drains and all clients have their answers.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_PER_TURN);
        let mut drain_until = None;
        loop {
            let timeout = match (self.has_work(), self.accepting, drain_until) {
                (true, _, _) => Some(Duration::ZERO),
                (false, false, None) => None,
                (false, _, _) => Some(ACCEPT_PAUSE),
            };
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for event in &events {
                self.note(event);
            }
            if self.accepting && drain_until.is_none() {
                self.accept();
            }
            self.turn();
            if self.shared.is_draining() {
                let now = self.shared.clock.instant();
                let until = *drain_until.get_or_insert_with(|| {
                    // Clients whose connection the kernel has completed believe they are connected.
                    self.accept();
                    self.listeners.clear();
                    now + DRAIN_GRACE
                });
                if self.connections.is_empty() {
                    return Ok(());
                }
                if now >= until {
                    self.end_idle();
                }
            }
        }
    }

    fn note(&mut self, event: &Event) {
        let token = event.token();
        if token == WAKE {
            return;
        }
        if token.0 < self.listeners.len() {
            self.accepting = true;
            return;
        }
        let id = token.0 - FIRST_CONNECTION;
        // Connections go at the end of a turn only, so what the kernel tells of is still there.
        let Some(connection) = self.connections.get_mut(id) else { return };
        connection.readable |= event.is_readable() || event.is_read_closed() || event.is_error();
        if !connection.listed {
            connection.listed = true;
            self.ready.push(id);
        }
    }

    fn turn(&mut self) {
        for &id in &self.ready {
            self.connections[id].read(&mut self.buffers);
        }
        self.turn.execute(&mut self.connections, &self.ready, &mut self.buffers);
        let mut kept = 0;
        for position in 0..self.ready.len() {
            let id = self.ready[position];
            let connection = &mut self.connections[id];
            connection.write(&mut self.buffers);
            connection.input.settle(&mut self.buffers);
            if connection.is_done() {
                let mut gone = self.connections.remove(id);
                // The socket is closed right after; that it is still registered would not matter.
                let _ = self.poll.registry().deregister(gone.stream());
            } else if connection.has_work() {
                self.ready[kept] = id;
                kept += 1;
            } else {
                connection.listed = false;
            }
        }
        self.ready.truncate(kept);
    }

    fn has_work(&self) -> bool {
        !self.ready.is_empty()
    }

    fn accept(&mut self) {
        self.accepting = false;
        for number in 0..self.listeners.len() {
            loop {
                let (listener, port) = &self.listeners[number];
                let port = *port;
                match listener.accept() {
                    Ok((stream, caller)) => {
                        if let Err(error) = self.welcome(stream, port) {
                            tracing::debug!(%error, %caller, "a connection broke before it was used");
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        self.accepting = true;
                        break;
                    }
                }
            }
        }
    }

    fn welcome(&mut self, mut stream: TcpStream, port: Port) -> io::Result<()> {
        stream.set_nodelay(true)?;
        socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(UNREAD_ANSWER_TIME_MAX))?;
        let Ok(permit) = Arc::clone(&self.shared.connections).try_acquire_owned() else {
            use std::io::Write;
            return stream.write_all(b"-ERR max number of clients reached\r\n");
        };
        let entry = self.connections.vacant_entry();
        let id = entry.key();
        let token = Token(id + FIRST_CONNECTION);
        self.poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        entry.insert(Connection::new(stream, Session::new(port), &self.shared, permit));
        Ok(())
    }

    /// Ends every connection that is not in the middle of something.
    fn end_idle(&mut self) {
        for (id, connection) in &mut self.connections {
            connection.closing = true;
            if !connection.listed {
                connection.listed = true;
                self.ready.push(id);
            }
        }
    }
}

/// Tokens below are the listeners'.
const FIRST_CONNECTION: usize = 8;

impl std::fmt::Debug for EventLoop {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EventLoop").field("connections", &self.connections.len()).finish_non_exhaustive()
    }
}
