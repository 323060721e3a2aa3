//! One node: what the shell does around the core. It holds the replicas and their store, asks for the lease, looks
//! whether it may serve before it begins and again before it answers (R7, R9), and does what the leader is for when it
//! is leader.

use std::collections::{BTreeMap, BTreeSet};

use kvnode_core::cluster::configuration::{Change, Configuration, Epoch, PartitionChange, Proposer, Role, Term};
use kvnode_core::cluster::leader::{Leader, Policy};
use kvnode_core::cluster::lease::{Grant, Holder, Nonce};
use kvnode_core::cluster::member::{Member, NodeId};
use kvnode_core::cluster::replica::message::Message;
use kvnode_core::cluster::replica::{Effect, Replica, Settings};
use kvnode_core::cluster::safeguard::Safeguard;
use kvnode_core::store::attributes::Ttl;
use kvnode_core::store::command::{KeyAction, KeyCommand, Write};
use kvnode_core::store::key::{Address, Key, Namespace};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::Reply;
use kvnode_core::store::partition::Snapshot;
use kvnode_core::store::record::Record;
use kvnode_core::store::slot::PartitionNumber;
use kvnode_core::store::value::Value;
use kvnode_core::store::{Eviction, Store, StoreConfig};
use kvnode_core::time::{UnixMillis, Uptime};

use super::clients::{Ask, Request, Told};
use super::group::Entry;

/// Bytes of a portion of rows: a few keys.
const PORTION_BYTES: usize = 100;

/// Of whom nothing was heard for so long is put out (R11).
const SILENT_AFTER: u64 = 800;

/// What one node says to another.
#[derive(Clone, Debug)]
pub(super) enum Payload {
    Replica(PartitionNumber, Message),
    /// I am there, and this is the leader that I know.
    Here {
        term: Term,
        leader: Option<NodeId>,
    },
    Ask(Nonce),
    Granted(Grant),
    Propose(Change),
    /// Do you follow this term?
    Confirm {
        term: Term,
        begun: Uptime,
    },
    Confirmed {
        term: Term,
        begun: Uptime,
    },
}

/// What comes out of a machine.
#[derive(Clone, Debug)]
pub(super) enum Out {
    Send(Member, Payload),
    /// To the group, by its leader in this term.
    Decide(Term, Proposer, Change),
    Told(Request, Told),
    /// A write was confirmed that is this record of its partition.
    Confirmed(PartitionNumber, u64),
}

#[derive(Debug)]
struct Waiting {
    request: Request,
    epoch: Epoch,
    rests_on: u64,
    told: Told,
}

#[derive(Debug)]
struct Leading {
    leader: Leader,
    /// Who has confirmed the round that was begun then.
    round: (Uptime, BTreeSet<NodeId>),
}

#[derive(Debug)]
pub(super) struct Machine {
    pub(super) member: Member,
    /// In thousandths of what passes, and what it began with.
    pub(super) pace: u64,
    pub(super) offset: u64,
    /// How far its wall clock is from what it should be: it is set now and then.
    pub(super) wrong: i64,
    /// How much of the group's log it has applied.
    pub(super) applied: usize,
    pub(super) configuration: Configuration,
    replicas: Vec<Replica>,
    store: Store,
    snapshots: BTreeMap<PartitionNumber, Snapshot>,
    settled: BTreeMap<PartitionNumber, u64>,
    waiting: BTreeMap<PartitionNumber, Vec<Waiting>>,
    holder: Holder,
    heard: BTreeMap<Member, u64>,
    began: u64,
    pub(super) term: Term,
    pub(super) known_leader: Option<NodeId>,
    leading: Option<Leading>,
}

impl Machine {
    pub(super) fn begin(member: Member, pace: u64, offset: u64, settings: Settings, now: u64) -> Self {
        let config = StoreConfig {
            memory_limit: 1 << 30,
            tombstone_retention_ms: 3_600_000,
            hash_seed: 7,
            limits: Limits::default(),
            eviction: Eviction::None,
        };
        let mut store = Store::new(&config);
        store.record_changes();
        Self {
            member,
            pace,
            offset,
            wrong: 0,
            applied: 0,
            configuration: Configuration::default(),
            replicas: (0..=u8::MAX).map(|_| Replica::new(member, settings)).collect(),
            store,
            snapshots: BTreeMap::new(),
            settled: BTreeMap::new(),
            waiting: BTreeMap::new(),
            holder: Holder::default(),
            heard: BTreeMap::new(),
            began: now,
            term: Term(0),
            known_leader: None,
            leading: None,
        }
    }

    fn uptime(&self, now: u64) -> Uptime {
        Uptime::new(self.offset + now * self.pace / 1000)
    }

    fn wall(&self, now: u64) -> UnixMillis {
        UnixMillis::new((1_800_000_000_000 + now).saturating_add_signed(self.wrong))
    }

    pub(super) fn replica(&self, partition: PartitionNumber) -> &Replica {
        &self.replicas[partition.index()]
    }

    /// What its store has of a partition, in no order that matters.
    pub(super) fn rows(&self, partition: PartitionNumber) -> BTreeSet<Vec<u8>> {
        let mut rows = BTreeSet::new();
        let held = &self.store.partitions()[partition.index()];
        held.snapshot(&mut held.begin_snapshot(), usize::MAX, |row| {
            let record = Record::decode(row).expect("the core's own rows can be read");
            let mut row = Vec::new();
            // When it was given is a matter of whoever gives it.
            Record { clock: UnixMillis::default(), ..record }.encode(&mut row);
            rows.insert(row);
        });
        rows
    }

    pub(super) fn has_lease(&self, now: u64) -> bool {
        self.holder.holds(self.uptime(now), self.applied as u64)
    }

    pub(super) fn serves(&self, partition: PartitionNumber, now: u64) -> bool {
        self.replica(partition).serves().is_ok() && self.has_lease(now)
    }

    /// It was elected. What earlier leaders have granted it does not know.
    pub(super) fn lead(&mut self, term: Term, policy: Policy, now: u64) {
        let mut leader = Leader::elected(term, policy, self.uptime(now));
        if !Safeguard::OwnEntryFirst.holds() {
            leader.grantor().applied_own_entry();
        }
        self.leading = Some(Leading { leader, round: (self.uptime(now), BTreeSet::new()) });
        self.follow(term, Some(self.member.node));
    }

    pub(super) fn leads(&self) -> Option<Term> {
        self.leading.as_ref().map(|leading| leading.leader.term())
    }

    pub(super) fn follow(&mut self, term: Term, leader: Option<NodeId>) {
        if term > self.term {
            self.known_leader = None;
        }
        if term >= self.term {
            self.term = term;
            self.known_leader = leader.or(self.known_leader);
        }
        if self.leads().is_some_and(|led| led < self.term) {
            self.leading = None;
        }
    }

    pub(super) fn learn(&mut self, entry: &Entry, now: u64, out: &mut Vec<Out>) {
        self.applied += 1;
        let Some(change) = &entry.change else {
            if let Some(leading) = self.leading.as_mut().filter(|leading| leading.leader.term() == entry.term) {
                leading.leader.grantor().applied_own_entry();
            }
            return;
        };
        // What came too late is refused, here as everywhere.
        if self.configuration.apply(entry.proposer, entry.term, change).is_ok()
            && let Change::Partition { partition, .. } = change
        {
            let state = self.configuration.partition(*partition).clone();
            let uptime = self.uptime(now);
            self.act(*partition, now, out, |replica| replica.configured(&state, uptime));
        }
    }

    pub(super) fn ticked(&mut self, now: u64, out: &mut Vec<Out>) {
        let uptime = self.uptime(now);
        let heard = self.heard.clone();
        let (began, me) = (self.began, self.member);
        let nodes = self.configuration.nodes().clone();
        let is_silent = move |member: Member| {
            !nodes.is_registered(member)
                || (member != me && now - heard.get(&member).copied().unwrap_or(began) > SILENT_AFTER)
        };
        for partition in (0..=u8::MAX).map(PartitionNumber::new) {
            if self.replica(partition).leads().is_some() {
                self.act(partition, now, out, |replica| replica.ticked(uptime, &is_silent));
                self.follow_placement(partition, now, out);
            }
        }
        if let Some(leader) = self.known_leader.and_then(|leader| self.member_of(leader)) {
            let nonce = self.holder.ask(uptime);
            out.push(Out::Send(leader, Payload::Ask(nonce)));
        }
        for other in self.others() {
            out.push(Out::Send(other, Payload::Here { term: self.term, leader: self.known_leader }));
        }
        self.tick_leader(now, out);
    }

    fn others(&self) -> Vec<Member> {
        self.configuration.nodes().iter().map(|node| node.member).filter(|member| *member != self.member).collect()
    }

    fn member_of(&self, node: NodeId) -> Option<Member> {
        if node == self.member.node {
            Some(self.member)
        } else {
            self.configuration.nodes().get(node).map(|one| one.member)
        }
    }

    /// A primary that is to be another hands over; copies that are to be nowhere go when there are enough others.
    fn follow_placement(&mut self, partition: PartitionNumber, now: u64, out: &mut Vec<Out>) {
        let uptime = self.uptime(now);
        let wished: Vec<Member> = {
            let nodes = self.configuration.placement().of(partition.index());
            nodes.iter().filter_map(|node| self.member_of(*node)).collect()
        };
        let Some(&first) = wished.first() else { return };
        let known = self.replica(partition).known();
        let is_in_sync = |member: &Member| known.isr().contains(member);
        let surplus = known.isr()[1..].iter().copied().find(|member| !wished.contains(member));
        if first != self.member && known.role_of(first) == Some(Role::InSync) {
            self.act(partition, now, out, |replica| replica.hand_over(first, uptime));
        } else if let Some(member) = surplus.filter(|_| wished.iter().all(is_in_sync)) {
            self.act(partition, now, out, |replica| replica.put_out(member, uptime));
        }
    }

    fn tick_leader(&mut self, now: u64, out: &mut Vec<Out>) {
        let (uptime, wall) = (self.uptime(now), self.wall(now));
        let others = self.others();
        let Some(Leading { leader, round }) = &mut self.leading else { return };
        *round = (uptime, BTreeSet::new());
        for other in others {
            out.push(Out::Send(other, Payload::Confirm { term: leader.term(), begun: uptime }));
        }
        let term = leader.term();
        for change in leader.ticked(&self.configuration, uptime, wall) {
            out.push(Out::Decide(term, Proposer::Leader(term), change));
        }
    }

    pub(super) fn received(&mut self, from: Member, payload: Payload, voters: usize, now: u64, out: &mut Vec<Out>) {
        let uptime = self.uptime(now);
        self.heard.insert(from, now);
        match payload {
            Payload::Replica(partition, message) => {
                self.act(partition, now, out, |replica| replica.received(from, message, uptime));
            }
            Payload::Here { term, leader } => self.follow(term, leader),
            Payload::Ask(nonce) => {
                let Some(leading) = &mut self.leading else { return };
                let granted = leading.leader.asked(nonce, from, &self.configuration, self.applied as u64, uptime);
                if let Ok(grant) = granted {
                    out.push(Out::Send(from, Payload::Granted(grant)));
                }
            }
            Payload::Granted(grant) => self.holder.granted(grant),
            Payload::Propose(change) => {
                if let Some(term) = self.leads() {
                    out.push(Out::Decide(term, Proposer::Member(from), change));
                }
            }
            Payload::Confirm { term, begun } => {
                self.follow(term, Some(from.node));
                if term == self.term || !Safeguard::QuorumConfirmed.holds() {
                    out.push(Out::Send(from, Payload::Confirmed { term, begun }));
                }
            }
            Payload::Confirmed { term, begun } => {
                let Some(Leading { leader, round }) = &mut self.leading else { return };
                if leader.term() == term && round.0 == begun {
                    round.1.insert(from.node);
                    if 2 * (round.1.len() + 1) > voters {
                        leader.grantor().confirmed_since(begun);
                    }
                }
            }
        }
    }

    /// Begins what a client asks.
    pub(super) fn asked(&mut self, request: Request, now: u64, out: &mut Vec<Out>) {
        let key_text = super::life::key(request.key);
        let key = Key::new(&key_text, &Limits::default()).expect("a good key");
        let partition = PartitionNumber::of(key_text.as_bytes());
        let replica = self.replica(partition);
        let may = if request.ask.changes() { replica.takes_writes() } else { replica.serves() };
        let (Ok(epoch), true) = (may, self.has_lease(now)) else {
            return out.push(Out::Told(request, Told::Refused));
        };
        let address = Address { namespace: Namespace::Shared, key };
        let put = |value: u32| {
            let text = value.to_string();
            Write::put(Value::json(&text, &Limits::default()).expect("a number").into_owned())
        };
        let action = match request.ask {
            Ask::Write(value) => KeyAction::Write(put(value)),
            Ask::Lend(value, milliseconds) => {
                KeyAction::Write(put(value).living(Ttl::from_millis(milliseconds).expect("short")))
            }
            Ask::Delete => KeyAction::Delete { conditions: Vec::new(), with_previous: false },
            Ask::Read => KeyAction::Get,
        };
        let wall = self.wall(now);
        let told = match self.store.execute(&KeyCommand::new(address, action), wall) {
            Ok(Reply::Stored { .. } | Reply::Deleted { .. }) => Told::Written,
            Ok(Reply::Absent) if request.ask == Ask::Delete => Told::Written,
            Ok(Reply::Found(entry)) => {
                let text = std::str::from_utf8(entry.value.content()).expect("it was written as text");
                Told::Found(Some(text.parse().expect("it was written as a number")))
            }
            Ok(Reply::Absent) => Told::Found(None),
            other => panic!("these have no such outcome: {other:?}"),
        };
        let mut records = Vec::new();
        self.store.take_records(|number, record| records.push((number, record.into())));
        // A get that finds something expired writes that down.
        for (number, record) in records {
            let uptime = self.uptime(now);
            self.act(number, now, out, |replica| replica.written(record, uptime).1);
        }
        let is_told_at_once = !request.ask.changes() && !Safeguard::ReadsWait.holds();
        let rests_on = if is_told_at_once { 0 } else { self.replica(partition).newest() };
        self.waiting.entry(partition).or_default().push(Waiting { request, epoch, rests_on, told });
        self.answer(partition, now, out);
    }

    /// Tells what is settled, if it may still be told.
    fn answer(&mut self, partition: PartitionNumber, now: u64, out: &mut Vec<Out>) {
        let settled = self.settled.get(&partition).copied().unwrap_or_default();
        let leads = self.replica(partition).leads();
        let has_lease = self.has_lease(now);
        let Some(waiting) = self.waiting.get_mut(&partition) else { return };
        let (due, rest) = std::mem::take(waiting).into_iter().partition(|one: &Waiting| one.rests_on <= settled);
        *waiting = rest;
        for Waiting { request, epoch, rests_on, told } in due {
            let may_tell = (leads == Some(epoch) || !Safeguard::SameEpoch.holds())
                && (has_lease || !Safeguard::LeaseBeforeTelling.holds());
            let told = match (may_tell, told) {
                (true, told) => told,
                (false, Told::Written) => Told::Unknown,
                (false, _) => Told::Refused,
            };
            if told == Told::Written {
                out.push(Out::Confirmed(partition, rests_on));
            }
            out.push(Out::Told(request, told));
        }
    }

    fn act(
        &mut self,
        partition: PartitionNumber,
        now: u64,
        out: &mut Vec<Out>,
        act: impl FnOnce(&mut Replica) -> Vec<Effect>,
    ) {
        for effect in act(&mut self.replicas[partition.index()]) {
            match effect {
                Effect::Send { to, message } => out.push(Out::Send(to, Payload::Replica(partition, message))),
                Effect::Propose { number, change } => self.propose(partition, number, change, out),
                Effect::Apply(records) | Effect::Load(records) => {
                    for bytes in records {
                        let record = Record::decode(&bytes).expect("it was written as a record");
                        self.store.restore(partition, &record).expect("it is this partition's");
                    }
                }
                Effect::Empty => self.store.empty(partition),
                Effect::Read { begin, .. } => self.read(partition, begin, now, out),
                Effect::Settle(sequence) => {
                    self.settled.insert(partition, sequence);
                    self.answer(partition, now, out);
                }
                Effect::Unknown => {
                    for Waiting { request, told, .. } in self.waiting.remove(&partition).unwrap_or_default() {
                        let told = if told == Told::Written { Told::Unknown } else { Told::Refused };
                        out.push(Out::Told(request, told));
                    }
                }
            }
        }
    }

    fn propose(&self, partition: PartitionNumber, number: u64, change: PartitionChange, out: &mut Vec<Out>) {
        if let Some(leader) = self.known_leader.and_then(|leader| self.member_of(leader)) {
            out.push(Out::Send(leader, Payload::Propose(Change::Partition { partition, number, change })));
        }
    }

    fn read(&mut self, partition: PartitionNumber, begin: bool, now: u64, out: &mut Vec<Out>) {
        let held = &self.store.partitions()[partition.index()];
        if begin {
            self.snapshots.insert(partition, held.begin_snapshot());
        }
        let snapshot = self.snapshots.get_mut(&partition).expect("it was begun");
        let mut rows = Vec::new();
        let more = held.snapshot(snapshot, PORTION_BYTES, |row| rows.push(row.into()));
        let uptime = self.uptime(now);
        self.act(partition, now, out, |replica| replica.read(rows, !more, uptime));
    }
}
