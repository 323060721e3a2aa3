//! The store as simple as it can be thought of: a map of what is there, and a map of what is gone. It judges outcomes
//! one by one. Where memory pressure may have dropped a tombstone, several versions are right, and the model says which.

use std::collections::BTreeMap;

use kvnode_core::store::attributes::{Tags, Ttl, Version};
use kvnode_core::store::command::{AllCommand, Command, KeyAction, KeyCommand, List, Put};
use kvnode_core::store::condition::Condition;
use kvnode_core::store::entry::Entry;
use kvnode_core::store::key::Address;
use kvnode_core::store::outcome::{KeyPage, Outcome, Refusal, Reply};
use kvnode_core::store::slot::PARTITIONS;
use kvnode_core::store::value::Value;
use kvnode_core::time::UnixMillis;

/// An entry as the model has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub value: Value,
    pub version: Version,
    pub tags: Tags,
    pub ttl: Option<Ttl>,
    pub created_at: UnixMillis,
    pub updated_at: UnixMillis,
    pub expires_at: Option<UnixMillis>,
}

#[derive(Clone, Copy, Debug)]
struct Gone {
    version: Version,
    /// Not later than the moment at which the store wrote its tombstone.
    since: UnixMillis,
}

#[derive(Debug)]
pub struct Model {
    live: BTreeMap<Address, Known>,
    gone: BTreeMap<Address, Gone>,
    /// Of each partition: the latest moment it was told of. Time never goes back in a partition.
    clocks: [UnixMillis; PARTITIONS],
    retention_ms: u64,
    /// No tombstone is ever dropped before its retention is over.
    roomy: bool,
    expired: u64,
}

impl Model {
    pub fn new(retention_ms: u64, roomy: bool) -> Self {
        let clocks = [UnixMillis::default(); PARTITIONS];
        Self { live: BTreeMap::new(), gone: BTreeMap::new(), clocks, retention_ms, roomy, expired: 0 }
    }

    pub fn get(&self, address: &Address) -> Option<&Known> {
        self.live.get(address)
    }

    /// Whether the key is there or ever was.
    pub fn knew(&self, address: &Address) -> bool {
        self.live.contains_key(address) || self.gone.contains_key(address)
    }

    /// How many entries ended by their time to live.
    pub fn expired(&self) -> u64 {
        self.expired
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.live.keys().map(|address| address.key.as_str())
    }

    /// Tells all partitions what time it is, as a sweep, a list or a count does.
    pub fn all_advance(&mut self, now: UnixMillis) {
        for clock in &mut self.clocks {
            *clock = (*clock).max(now);
        }
        self.expire();
    }

    /// Says what is wrong with an outcome, or takes over what it did.
    pub fn judge(&mut self, command: &Command, now: UnixMillis, outcome: &Outcome) -> Result<(), String> {
        match command {
            Command::Key(command) => self.judge_key(command, now, outcome),
            Command::All(command) => {
                self.all_advance(now);
                let expected = match command {
                    AllCommand::Count(_) => Reply::Count(self.live.len() as u64),
                    AllCommand::List(list) => Reply::Keys(self.page(list)),
                };
                same(outcome, &Ok(expected))
            }
        }
    }

    fn judge_key(&mut self, command: &KeyCommand, now: UnixMillis, outcome: &Outcome) -> Result<(), String> {
        let KeyCommand { address, action } = command;
        let clock = &mut self.clocks[address.partition().index()];
        *clock = (*clock).max(now);
        let clock = *clock;
        self.expire();
        match action {
            KeyAction::Get => match (self.live.get(address), outcome) {
                (None, Ok(Reply::Absent)) => Ok(()),
                (Some(known), Ok(Reply::Found(entry))) => known.same_as(entry),
                (known, outcome) => Err(format!("expected {known:?}, but got {outcome:?}")),
            },
            KeyAction::Delete { conditions } => {
                if let Some(refusal) = self.refusal(address, conditions) {
                    return same(outcome, &Err(refusal));
                }
                let Some(known) = self.live.remove(address) else { return same(outcome, &Ok(Reply::Absent)) };
                let version = known.version.next();
                self.gone.insert(address.clone(), Gone { version, since: clock });
                same(outcome, &Ok(Reply::Deleted { version }))
            }
            KeyAction::Put(put) => {
                if let Some(refusal) = self.refusal(address, &put.conditions) {
                    return same(outcome, &Err(refusal));
                }
                match outcome {
                    Err(Refusal::MemoryFull { used, needed, limit, creating, .. }) => {
                        let creates = !self.live.contains_key(address);
                        let full = used + needed > *limit && !self.roomy && *creating == creates;
                        if full { Ok(()) } else { Err(format!("a put that fits was refused: {outcome:?}")) }
                    }
                    Ok(Reply::Stored { entry, created }) => self.take_over(address, put, clock, entry, *created),
                    other => Err(format!("a put was answered with {other:?}")),
                }
            }
        }
    }

    fn take_over(
        &mut self,
        address: &Address,
        put: &Put,
        clock: UnixMillis,
        entry: &Entry,
        created: bool,
    ) -> Result<(), String> {
        self.judge_version(address, clock, entry.version)?;
        let before = self.live.get(address);
        if created != before.is_none() {
            return Err(format!("created is {created}, but there was {before:?} before"));
        }
        let known = Known {
            value: put.value.clone(),
            version: entry.version,
            tags: put.tags.clone(),
            ttl: put.ttl,
            created_at: before.map_or(clock, |before| before.created_at),
            updated_at: clock,
            expires_at: put.ttl.map(|ttl| clock.plus_seconds(ttl.seconds())),
        };
        known.same_as(entry)?;
        self.live.insert(address.clone(), known);
        self.gone.remove(address);
        Ok(())
    }

    fn judge_version(&self, address: &Address, clock: UnixMillis, version: Version) -> Result<(), String> {
        let first = Version::new(1);
        let (right, expected) = match (self.live.get(address), self.gone.get(address)) {
            (Some(known), _) => (version == known.version.next(), format!("{}", known.version.next())),
            (None, None) if self.roomy => (version == first, "1".to_owned()),
            (None, None) => (version >= first, "1 or more".to_owned()),
            (None, Some(gone)) => {
                let next = gone.version.next();
                let remembered = clock < gone.since.plus_millis(self.retention_ms);
                match (remembered, self.roomy) {
                    (true, true) => (version == next, format!("{next}")),
                    (true, false) => (version >= next, format!("{next} or more")),
                    (false, true) => (version == next || version == first, format!("1 or {next}")),
                    (false, false) => (version >= first, "1 or more".to_owned()),
                }
            }
        };
        if right { Ok(()) } else { Err(format!("version {version} in place of {expected}")) }
    }

    fn refusal(&self, address: &Address, conditions: &[Condition]) -> Option<Refusal> {
        let actual = self.live.get(address).map_or(Version::ABSENT, |known| known.version);
        let failed = conditions.iter().find(|condition| !condition.holds(actual))?;
        Some(Refusal::VersionMismatch { key: address.key.clone(), expected: failed.clone(), actual })
    }

    fn page(&self, list: &List) -> KeyPage {
        let after = list.after.as_ref().map_or("", kvnode_core::store::key::KeyPart::as_str);
        let wanted = |key: &&str| key.starts_with(list.prefix.as_str()) && (list.after.is_none() || *key > after);
        let mut keys: Vec<Box<str>> = self.keys().filter(wanted).map(Box::from).collect();
        keys.sort();
        let more = keys.len() > list.limit.get();
        keys.truncate(list.limit.get());
        let next = keys.last().filter(|_| more).cloned();
        KeyPage { keys, next }
    }

    fn expire(&mut self) {
        let clocks = &self.clocks;
        let clock_of = |address: &Address| clocks[address.partition().index()];
        let due = |address: &Address, known: &Known| known.expires_at.is_some_and(|at| at <= clock_of(address));
        for (address, known) in self.live.extract_if(.., |address, known| due(address, known)) {
            let since = clock_of(&address);
            self.gone.insert(address, Gone { version: known.version.next(), since });
            self.expired += 1;
        }
    }
}

impl Known {
    pub fn same_as(&self, entry: &Entry) -> Result<(), String> {
        let shown = Self {
            value: entry.value.clone(),
            version: entry.version,
            tags: entry.tags.clone(),
            ttl: entry.ttl,
            created_at: entry.created_at,
            updated_at: entry.updated_at,
            expires_at: entry.expires_at,
        };
        if *self == shown { Ok(()) } else { Err(format!("expected {self:?}, but got {shown:?}")) }
    }
}

fn same(outcome: &Outcome, expected: &Outcome) -> Result<(), String> {
    if outcome == expected { Ok(()) } else { Err(format!("expected {expected:?}, but got {outcome:?}")) }
}
