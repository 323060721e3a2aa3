//! What happens between reading and writing: the commands of all connections that have some, in rounds. A round collects
//! some of each connection and finds out where their keys are, touches all those places, and only then performs them.
//! The waits for memory of many commands then lie over each other, and no command waits for its own.

use std::ops::Range;
use std::sync::Arc;

use kvnode_core::store::key::Namespace;
use kvnode_core::store::partition::Place;
use kvnode_core::store::slot::Slot;
use kvnode_core::time::UnixMillis;
use slab::Slab;

use super::buffer::Buffers;
use super::call::Call;
use super::commands::{self, stops_reading_ahead};
use super::connection::{Connection, OUTPUT_BYTES_MAX};
use super::executor::Executor;
use super::failure::Failure;
use super::session::{Next, Port, Session};
use super::tally::Tally;
use super::walk::Step;
use crate::access::{Access, Caller, Who};
use crate::cluster::Route;
use crate::disk::Admission;
use crate::resp::commands::{Flags, Name, Refusal, find};
use crate::resp::reply::Writer;
use crate::resp::request::{Arena, Parsed, ProtocolError, Request};
use crate::settings::live::LiveSettings;
use crate::shared::Shared;

/// Commands of one connection in one round.
const COLLECTED_PER_CONNECTION: usize = 32;

/// Commands whose places are touched before the first of them is performed: what they read fits into the cache that is
/// nearest to a core.
const TOUCHED_AHEAD: usize = 64;

/// Rounds in one turn. Others that have become ready meanwhile wait for the end of the turn.
const ROUNDS_MAX: usize = 16;

/// Redis' words; clients wait and try again.
const LOADING: Failure<'static> = Failure::Said("LOADING Redis is loading the dataset in memory");

/// Redis' code for a disk that takes no writes.
const DISK_FULL: Failure<'static> = Failure::Said(
    "MISCONF The disk is full, so nothing can be written, and nothing was done. Give it room, and writes go on.",
);

/// Redis' code and words for a slot that nobody answers for.
const NOWHERE: Failure<'static> = Failure::Said("CLUSTERDOWN Hash slot not served");

const ONLY_A_PART: Failure<'static> =
    Failure::Said("ERR This node holds only a part of the keys, and does not gather those of the others");

#[derive(Debug)]
pub(super) struct Turn {
    shared: Arc<Shared>,
    arena: Arena,
    tasks: Vec<Task>,
    /// Where the next of them will look.
    wanted: Vec<(Namespace, Place)>,
    pub(super) tally: Tally,
    /// A write was put off, because the disk has to catch up first.
    pub(super) disk_is_behind: bool,
}

/// One command that has arrived.
#[derive(Debug)]
struct Task {
    connection: usize,
    /// Where it begins in its connection's input.
    begin: usize,
    request: Request,
    matter: Matter,
}

#[derive(Clone, Copy, Debug)]
enum Matter {
    Command {
        name: Name,
        place: Option<Place>,
    },
    /// It is no command; why is found out when it is its turn.
    NoCommand,
    Broken(ProtocolError),
}

impl Turn {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            tally: Tally::new(&shared.metrics),
            shared: Arc::clone(shared),
            arena: Arena::new(),
            tasks: Vec::new(),
            wanted: Vec::new(),
            disk_is_behind: false,
        }
    }

    pub(super) fn execute(&mut self, connections: &mut Slab<Connection>, ready: &[usize], buffers: &mut Buffers) {
        let shared = Arc::clone(&self.shared);
        let (now, live) = (shared.clock.now(), shared.live());
        self.disk_is_behind = false;
        for _ in 0..ROUNDS_MAX {
            self.arena.clear();
            self.tasks.clear();
            for &id in ready {
                self.collect(id, &mut connections[id]);
            }
            if self.tasks.is_empty() {
                break;
            }
            for begin in (0..self.tasks.len()).step_by(TOUCHED_AHEAD) {
                let window = begin..self.tasks.len().min(begin + TOUCHED_AHEAD);
                self.touch(window.clone(), connections);
                self.perform(window, connections, now, &live, buffers);
            }
        }
        for &id in ready {
            self.walk(&mut connections[id], now);
        }
    }

    pub(super) fn publish(&mut self) {
        self.tally.publish(&self.shared.metrics, &self.shared.redis.totals);
    }

    /// Notes the next commands of a connection.
    fn collect(&mut self, id: usize, connection: &mut Connection) {
        connection.is_postponed = false;
        if !connection.unread_commands || !connection.is_served() {
            return;
        }
        connection.bounds.authenticated = connection.session.standing.is_some();
        for _ in 0..COLLECTED_PER_CONNECTION {
            let Connection { input, reader, bounds, .. } = connection;
            let begin = input.start();
            let (request, matter) = match reader.read(input.arrived(), begin, bounds, &mut self.arena) {
                Parsed::Complete(request) => {
                    input.use_up(request.end());
                    if request.is_empty() {
                        continue;
                    }
                    let matter = self.matter(&request, input.arrived());
                    (request, matter)
                }
                Parsed::Incomplete { .. } => {
                    connection.unread_commands = false;
                    return;
                }
                Parsed::Broken(error) => {
                    connection.unread_commands = false;
                    (Request::nothing(), Matter::Broken(error))
                }
            };
            self.tasks.push(Task { connection: id, begin, request, matter });
            match matter {
                Matter::Command { name, .. } if !stops_reading_ahead(name) => {}
                // What comes next is judged when this is done.
                _ => return,
            }
        }
    }

    fn matter(&self, request: &Request, buffer: &[u8]) -> Matter {
        let arguments = self.arena.arguments(request, buffer);
        let Ok(name) = find(arguments) else { return Matter::NoCommand };
        let place = if name.spec().keys.first == 1 { arguments.get(1) } else { None };
        Matter::Command { name, place: place.map(|key| self.shared.store.place_of(key)) }
    }

    /// A single command gains nothing by it.
    fn touch(&mut self, window: Range<usize>, connections: &Slab<Connection>) {
        if window.len() < 2 {
            return;
        }
        self.wanted.clear();
        self.wanted.extend(self.tasks[window].iter().filter_map(|task| match task.matter {
            Matter::Command { place: Some(place), .. } => {
                Some((connections[task.connection].session.namespace(), place))
            }
            _ => None,
        }));
        self.shared.store.touch(&self.wanted);
    }

    fn perform(
        &mut self,
        window: Range<usize>,
        connections: &mut Slab<Connection>,
        now: UnixMillis,
        live: &LiveSettings,
        buffers: &mut Buffers,
    ) {
        let Self { shared, arena, tasks, tally, disk_is_behind, .. } = self;
        let is_loading = shared.store.ready().is_err();
        for task in &tasks[window] {
            let connection = &mut connections[task.connection];
            if connection.is_postponed {
                continue;
            }
            let behind = task.writes(&connection.session) && shared.store.admission() == Admission::Later;
            *disk_is_behind |= behind;
            if behind || !connection.is_served() {
                // It has to wait, and all behind it: they will be read again.
                connection.postpone(task.begin);
                continue;
            }
            if connection.output.capacity() == 0 {
                connection.output = buffers.lend();
            }
            tally.commands += 1;
            connection.begin(|| shared.store.begin());
            task.perform(connection, &Round { shared, live, arena, now, is_loading }, tally);
        }
    }

    fn walk(&mut self, connection: &mut Connection, now: UnixMillis) {
        if !matches!(connection.session.next, Next::Walk(_)) {
            return;
        }
        let Connection { session, output, .. } = connection;
        let Next::Walk(walk) = std::mem::take(&mut session.next) else { unreachable!("it was just seen") };
        let begin = output.len();
        let mut writer = Writer::new(output, session.protocol);
        match walk.step(&self.shared.store, session.namespace(), now, &mut writer) {
            Step::GoesOn(walk) => session.next = Next::Walk(Box::new(walk)),
            Step::Answered => {
                self.tally.listed();
                if session.muted {
                    output.truncate(begin);
                }
            }
            Step::TooLarge => connection.abandon(),
        }
    }
}

/// Whose commands are noted in an audit trail: everybody's but a stranger's.
fn noted<'s>(access: &'s Access, session: &Session) -> Option<(&'s Access, Caller)> {
    let caller = session.standing.as_ref()?.caller;
    (caller.who != Who::Anonymous).then_some((access, caller))
}

/// What all tasks of a round share.
struct Round<'r> {
    shared: &'r Shared,
    /// The settings as they are in this turn.
    live: &'r LiveSettings,
    arena: &'r Arena,
    now: UnixMillis,
    /// What the disk holds is not there yet.
    is_loading: bool,
}

impl Task {
    /// Whether the store may be changed by it. Writes of a transaction are done with its end.
    fn writes(&self, session: &Session) -> bool {
        let Matter::Command { name, .. } = self.matter else { return false };
        name == Name::Exec || (name.spec().flags.has(Flags::WRITE) && session.transaction.is_none())
    }

    /// Why the disk does not let this be done.
    fn forbidden(&self, name: Name, session: &Session, round: &Round<'_>) -> Option<Failure<'static>> {
        if round.is_loading && !name.spec().flags.has(Flags::LOADING) {
            return Some(LOADING);
        }
        (self.writes(session) && round.shared.store.admission() == Admission::DiskFull).then_some(DISK_FULL)
    }

    fn perform(&self, connection: &mut Connection, round: &Round<'_>, tally: &mut Tally) {
        let Connection { input, output, session, .. } = connection;
        let begin = output.len();
        let arguments = round.arena.arguments(&self.request, input.arrived());
        session.begin_command();
        let writer = Writer::new(output, session.protocol);
        match self.matter {
            Matter::Command { name, place } => {
                session.note_use(round.now, name);
                let elsewhere = || elsewhere(session, round.shared, name, place, arguments.get(1));
                if let Some(failure) = self.forbidden(name, session, round).or_else(elsewhere) {
                    commands::reject(session, writer, Some(name), &failure);
                    return connection.mute_from(begin);
                }
                let executor = Executor {
                    store: &round.shared.store,
                    namespace: session.namespace(),
                    now: round.now,
                    tally,
                    monitor: &round.shared.monitor,
                    alone: None,
                    noted: noted(&round.shared.access, session),
                };
                let Round { shared, live, .. } = *round;
                commands::perform(&mut Call { name, arguments, place, session, writer, executor, shared, live });
            }
            Matter::NoCommand => {
                if let Err(refusal) = find(arguments) {
                    let name = if let Refusal::Arity(spec) = refusal { Some(spec.name) } else { None };
                    commands::reject(session, writer, name, &Failure::Command(refusal));
                }
            }
            Matter::Broken(error) => lose_place(session, writer, error),
        }
        connection.mute_from(begin);
        if connection.owed() > OUTPUT_BYTES_MAX {
            connection.abandon();
        }
    }
}

/// Where a command has to be sent instead, if this node does not answer for its key (R20: nothing was done here).
fn elsewhere(
    session: &Session,
    shared: &Shared,
    name: Name,
    place: Option<Place>,
    key: Option<&[u8]>,
) -> Option<Failure<'static>> {
    let cluster = shared.store.cluster()?;
    if commands::looks_at_all_keys(name) {
        return Some(ONLY_A_PART);
    }
    let (place, key) = place.zip(key)?;
    match cluster.route(place.partition) {
        Route::Here => None,
        Route::There(who) if session.port == Port::Cluster => {
            let slot = Slot::of(key).get();
            Some(
                who.resp_cluster_port
                    .map_or(NOWHERE, |port| Failure::Told(format!("MOVED {slot} {}:{port}", who.host))),
            )
        }
        Route::There(_) | Route::Nowhere => Some(NOWHERE),
    }
}

/// Nothing behind this can be understood.
fn lose_place(session: &mut Session, mut writer: Writer<'_>, error: ProtocolError) {
    writer.error(&error.message());
    session.next = Next::Close;
}
