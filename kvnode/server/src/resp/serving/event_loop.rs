//! One thread's Redis connections. A turn has three phases, each over all connections that have something to say: read
//! all, execute all, write all. Executed together, commands of many clients wait for memory together, which is most of
//! what a command costs; a loop that served one client after the other would pay it each time.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener as StdListener};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

use super::buffer::Buffers;
use super::clients::Whereabouts;
use super::connection::{Connection, prepare};
use super::handshakes::Handshakes;
use super::inbox::{Inbox, Message, WAKE};
use super::session::{Port, Session};
use super::stream::Stream;
use super::turn::Turn;
use crate::shared::Shared;
use crate::store::CONFIRMATION_TIME_MAX;

/// Connections that are told of in one turn; the others wait for the next, which comes at once.
const EVENTS_PER_TURN: usize = 1024;

/// Connections taken in one turn, so that a flood of new ones does not keep the others waiting.
const ACCEPTED_PER_TURN: usize = 128;

/// When the process is out of files, trying again at once would only burn the core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// When the disk is behind and takes no writes, or holds back answers: how soon that is looked at again, if nobody tells.
const DISK_PAUSE: Duration = Duration::from_millis(100);

/// When the node drains: how long a client has for what it was about to send.
const DRAIN_GRACE: Duration = Duration::from_secs(1);

/// And how long it may take to take its answers.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);

/// A client that takes nothing of its answers for so long is gone, or might as well be.
const UNREAD_ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// Names below are the listeners'.
const FIRST_CONNECTION: usize = 8;

pub(crate) struct EventLoop {
    poll: Poll,
    listeners: Vec<(TcpListener, Port)>,
    connections: Slab<Connection>,
    /// Those that have something to do in this turn.
    ready: Vec<usize>,
    /// Those whose answers wait for the disk. Others may have their places by then.
    held: Vec<usize>,
    handshakes: Handshakes,
    buffers: Buffers,
    turn: Turn,
    inbox: Arc<Inbox>,
    shared: Arc<Shared>,
    accepting: Accepting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepting {
    /// Nobody waits, as far as is known.
    Idle,
    /// There may be more than were taken.
    More,
    /// The system has no room for more; later there may be some.
    Paused,
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
        let inbox = Arc::new(Inbox::new(poll.registry())?);
        shared.redis.add(&inbox);
        Ok(Self {
            poll,
            listeners: registered,
            connections: Slab::new(),
            ready: Vec::new(),
            held: Vec::new(),
            handshakes: Handshakes::within(shared.settings.timeouts.handshake),
            buffers: Buffers::default(),
            turn: Turn::new(shared),
            inbox,
            shared: Arc::clone(shared),
            accepting: Accepting::Idle,
        })
    }

    /// Serves until the node drains and all clients have their answers.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_PER_TURN);
        let mut drain_until = None;
        loop {
            match self.poll.poll(&mut events, self.wait(drain_until.is_some())) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for event in &events {
                self.note(event);
            }
            if self.accepting != Accepting::Idle {
                self.accept();
            }
            self.look_at_held();
            self.end_handshakes();
            self.turn();
            if self.shared.is_draining() && self.drain(&mut drain_until) {
                return Ok(());
            }
        }
    }

    /// How long the kernel may wait for something to happen.
    fn wait(&self, draining: bool) -> Option<Duration> {
        let wait = self.wait_for_work(draining);
        if self.handshakes.is_empty() {
            return wait;
        }
        let until_due = self.handshakes.wait(self.shared.clock.instant());
        wait.into_iter().chain(until_due).min()
    }

    fn wait_for_work(&self, draining: bool) -> Option<Duration> {
        if self.accepting == Accepting::More || (!self.ready.is_empty() && !self.turn.disk_is_behind) {
            Some(Duration::ZERO)
        } else if !self.ready.is_empty() || !self.held.is_empty() {
            Some(DISK_PAUSE)
        } else if draining || self.accepting == Accepting::Paused {
            Some(ACCEPT_PAUSE)
        } else {
            None
        }
    }

    fn note(&mut self, event: &Event) {
        let token = event.token();
        if token == WAKE {
            self.take_messages();
        } else if let Some(id) = token.0.checked_sub(FIRST_CONNECTION) {
            let closed = event.is_read_closed() || event.is_error();
            // Connections go at the end of a turn only, so what the kernel tells of is still there.
            let Some(connection) = self.connections.get_mut(id) else { return };
            connection.note(event.is_readable() || closed, closed);
            self.list(id);
        } else {
            self.accepting = Accepting::More;
        }
    }

    fn take_messages(&mut self) {
        for message in self.inbox.take() {
            match message {
                Message::Close { place, client } => {
                    if let Some(connection) = self.meant(place, client) {
                        connection.abandon();
                        self.list(place);
                    }
                }
                Message::LoggedIn { place, client, standing } => {
                    if let Some(standing) = &standing {
                        self.shared.access.note_login(standing, self.shared.clock.now());
                    }
                    if let Some(connection) = self.meant(place, client) {
                        connection.finish_login(standing);
                        self.list(place);
                    }
                }
            }
        }
    }

    /// Those that the disk has caught up with are written to in this turn. One that it keeps waiting for too long is
    /// closed: its client then knows that it does not know what became of its command.
    fn look_at_held(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let now = self.shared.clock.instant();
        for place in std::mem::take(&mut self.held) {
            let Some(connection) = self.connections.get_mut(place) else { continue };
            connection.is_held = false;
            if connection.held_since.is_some_and(|since| now.duration_since(since) > CONFIRMATION_TIME_MAX) {
                connection.abandon();
            }
            self.list(place);
        }
    }

    /// Whoever has not agreed on TLS in its time is closed.
    fn end_handshakes(&mut self) {
        if self.handshakes.is_empty() {
            return;
        }
        let now = self.shared.clock.instant();
        while let Some((place, client)) = self.handshakes.take_due(now) {
            if let Some(connection) = self.meant(place, client)
                && connection.is_shaking_hands()
            {
                let caller = connection.session.client.address;
                tracing::debug!(%caller, "a connection could not be encrypted: the client did not finish in time");
                connection.abandon();
                self.list(place);
            }
        }
    }

    /// The connection at this place, if it is still that client's.
    fn meant(&mut self, place: usize, client: u64) -> Option<&mut Connection> {
        self.connections.get_mut(place).filter(|connection| connection.session.client.id == client)
    }

    fn list(&mut self, id: usize) {
        let connection = &mut self.connections[id];
        if !connection.listed {
            connection.listed = true;
            self.ready.push(id);
        }
    }

    fn turn(&mut self) {
        if self.ready.is_empty() {
            return;
        }
        for &id in &self.ready {
            self.connections[id].read(&mut self.buffers, &mut self.turn.tally);
        }
        self.turn.execute(&mut self.connections, &self.ready, &mut self.buffers);
        let mut kept = 0;
        for position in 0..self.ready.len() {
            let id = self.ready[position];
            let connection = &mut self.connections[id];
            connection.write(&mut self.buffers, &mut self.turn.tally);
            connection.input.settle(&mut self.buffers);
            if connection.waits_for_disk() && !connection.is_held {
                connection.is_held = true;
                connection.held_since.get_or_insert_with(|| self.shared.clock.instant());
                self.held.push(id);
            }
            if connection.is_done() {
                let mut gone = self.connections.remove(id);
                // The socket is closed right after; that it is still registered would not matter.
                let _ = self.poll.registry().deregister(gone.socket());
            } else if connection.has_work() {
                self.ready[kept] = id;
                kept += 1;
            } else {
                connection.listed = false;
            }
        }
        self.ready.truncate(kept);
        self.turn.publish();
    }

    fn accept(&mut self) {
        self.accepting = Accepting::Idle;
        for number in 0..self.listeners.len() {
            for taken in 0.. {
                if taken == ACCEPTED_PER_TURN {
                    self.accepting = Accepting::More;
                    break;
                }
                let (listener, port) = &self.listeners[number];
                let port = *port;
                match listener.accept() {
                    Ok((stream, caller)) => {
                        if let Err(error) = self.welcome(stream, caller, port) {
                            tracing::debug!(%error, %caller, "a connection broke before it was used");
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        self.accepting = Accepting::Paused;
                        break;
                    }
                }
            }
        }
    }

    fn welcome(&mut self, mut socket: TcpStream, address: SocketAddr, port: Port) -> io::Result<()> {
        let redis = &self.shared.redis;
        let Ok(permit) = Arc::clone(&self.shared.connections).try_acquire_owned() else {
            redis.totals.refused_connections.fetch_add(1, Ordering::Relaxed);
            return socket.write_all(b"-ERR max number of clients reached\r\n");
        };
        prepare(&socket, UNREAD_ANSWER_TIME_MAX)?;
        let (local_address, file) = (socket.local_addr()?, socket.as_raw_fd());
        let mut stream = match &self.shared.live().tls {
            Some(tls) => Stream::within_tls(socket, tls.server())?,
            None => Stream::plain(socket),
        };
        let is_shaking_hands = stream.is_shaking_hands();
        let entry = self.connections.vacant_entry();
        let place = entry.key();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(stream.socket(), Token(place + FIRST_CONNECTION), interest)?;
        let whereabouts = Whereabouts { address, local_address, file, place, inbox: Arc::clone(&self.inbox) };
        let client = redis.clients.add(whereabouts, self.shared.clock.now());
        redis.totals.connections.fetch_add(1, Ordering::Relaxed);
        let number = client.id;
        let session = Session::new(port, client, self.shared.access.standing_of_stranger());
        entry.insert(Connection::new(stream, session, &self.shared, permit));
        if is_shaking_hands {
            let connections = &self.connections;
            let goes_on = |place, client| {
                let connection: Option<&Connection> = connections.get(place);
                connection.is_some_and(|one| one.session.client.id == client && one.is_shaking_hands())
            };
            self.handshakes.begin(place, number, self.shared.clock.instant(), goes_on);
        }
        Ok(())
    }

    /// Whether everything has come to its end.
    fn drain(&mut self, until: &mut Option<Instant>) -> bool {
        let now = self.shared.clock.instant();
        if until.is_none() {
            // Clients whose connection the kernel has completed believe they are connected.
            self.accept();
            self.listeners.clear();
            *until = Some(now + DRAIN_GRACE);
        }
        if let Some(until) = *until
            && now >= until
        {
            self.accepting = Accepting::Idle;
            let all: Vec<usize> = self.connections.iter().map(|(id, _)| id).collect();
            for id in all {
                self.connections[id].finish();
                if now >= until + DRAIN_TIME_MAX {
                    self.connections[id].abandon();
                }
                self.list(id);
            }
        }
        self.connections.is_empty()
    }
}

impl std::fmt::Debug for EventLoop {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EventLoop").field("connections", &self.connections.len()).finish_non_exhaustive()
    }
}
