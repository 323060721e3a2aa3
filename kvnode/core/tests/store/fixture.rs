//! A store with a clock in the test's hand, and words short enough to read a test as a story.

use kvnode_core::store::answers::Idempotency;
use kvnode_core::store::attributes::{Tags, Ttl, Version};
use kvnode_core::store::change::NewValue;
use kvnode_core::store::command::{AllCommand, KeyAction, KeyCommand, List, NewExpiry, PageLimit, Sorted, Write};
use kvnode_core::store::condition::Condition;
use kvnode_core::store::cursor::Cursor;
use kvnode_core::store::entry::Entry;
use kvnode_core::store::key::{Address, Key, KeyPart, Namespace};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::{Gathered, KeyPage, Outcome, Refusal, Reply, SortedPage};
use kvnode_core::store::partition::Swept;
use kvnode_core::store::value::Value;
use kvnode_core::store::{Eviction, Store, StoreConfig};
use kvnode_core::time::UnixMillis;

pub(crate) const HOUR_MS: u64 = 3_600_000;
const START_MS: u64 = 1_700_000_000_000;

/// A block of slots, from which most entries are served.
pub(crate) const BLOCK_BYTES: u64 = 4096;

/// What burying an entry can take without asking: a block for its tombstone, the record of that kind of block, and a
/// heap of up to 64 tombstones that doubles.
pub(crate) const BURIAL_BYTES_MAX: u64 = BLOCK_BYTES + 64 + 64 * 4;

pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) now: UnixMillis,
    /// Whose keys the short words are about.
    pub(crate) namespace: Namespace,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with_memory(1 << 30)
    }

    pub(crate) fn with_memory(memory_limit: u64) -> Self {
        Self::evicting(Eviction::None, memory_limit)
    }

    pub(crate) fn evicting(eviction: Eviction, memory_limit: u64) -> Self {
        Self::with(&StoreConfig { eviction, ..config(memory_limit) })
    }

    pub(crate) fn with(config: &StoreConfig) -> Self {
        Self { store: Store::new(config), now: UnixMillis::new(START_MS), namespace: Namespace::Shared }
    }

    pub(crate) fn after_ms(&mut self, milliseconds: u64) -> &mut Self {
        self.now = self.now.plus_millis(milliseconds);
        self
    }

    pub(crate) fn set_clock_back_ms(&mut self, milliseconds: u64) {
        self.now = UnixMillis::new(self.now.get() - milliseconds);
    }

    /// From here on, the words are about this namespace.
    pub(crate) fn within(&mut self, namespace: Namespace) -> &mut Self {
        self.namespace = namespace;
        self
    }

    pub(crate) fn run(&mut self, key: &str, action: KeyAction<'_>) -> Outcome {
        let limits = Limits { key_bytes_max: 1 << 15, ..Limits::default() };
        let address = Address { namespace: self.namespace, key: Key::new(key, &limits).expect("a key") };
        self.store.execute(&KeyCommand::new(address, action), self.now)
    }

    pub(crate) fn run_once(&mut self, key: &str, action: KeyAction<'_>, idempotency: Idempotency) -> Outcome {
        let key = Key::new(key, &Limits::default()).expect("a key");
        let address = Address { namespace: self.namespace, key };
        self.store.execute(&KeyCommand::new(address, action).once(Some(idempotency)), self.now)
    }

    pub(crate) fn get(&mut self, key: &str) -> Reply {
        self.run(key, KeyAction::Get).expect("a get is never refused")
    }

    pub(crate) fn entry(&mut self, key: &str) -> Entry {
        match self.get(key) {
            Reply::Found(entry) => entry,
            other => panic!("a get of {key} answered {other:?}"),
        }
    }

    pub(crate) fn text(&mut self, key: &str) -> String {
        String::from_utf8(self.entry(key).value.content().to_vec()).expect("text")
    }

    /// The live version; 0 when there is no entry.
    pub(crate) fn version(&mut self, key: &str) -> u64 {
        match self.get(key) {
            Reply::Found(entry) => entry.version.get(),
            other => {
                assert_eq!(other, Reply::Absent);
                0
            }
        }
    }

    pub(crate) fn write(&mut self, key: &str, write: Write<'_>) -> Outcome {
        self.run(key, KeyAction::Write(write))
    }

    /// The version of what was stored.
    pub(crate) fn store(&mut self, key: &str, write: Write<'_>) -> Result<u64, Refusal> {
        match self.write(key, write)? {
            Reply::Stored { entry, .. } => Ok(entry.version.get()),
            other => panic!("a write answered {other:?}"),
        }
    }

    pub(crate) fn put(&mut self, key: &str) -> u64 {
        self.store(key, Write::put(json("1"))).expect("room and no condition")
    }

    pub(crate) fn put_text(&mut self, key: &str, text: &str) -> Result<u64, Refusal> {
        self.store(key, Write::put(bytes(text.as_bytes())))
    }

    pub(crate) fn put_for(&mut self, key: &str, ttl: u64) -> u64 {
        let ttl = Ttl::from_seconds(ttl).expect("a ttl");
        self.store(key, Write::put(json("1")).living(ttl)).expect("room and no condition")
    }

    pub(crate) fn put_if(&mut self, key: &str, condition: Condition) -> Result<u64, Refusal> {
        self.store(key, Write::put(json("1")).only(vec![condition]))
    }

    pub(crate) fn change(&mut self, key: &str, value: NewValue<'_>) -> Result<u64, Refusal> {
        self.store(key, Write::change(value))
    }

    /// Changes the expiry alone.
    pub(crate) fn expire(&mut self, key: &str, expiry: NewExpiry) -> Outcome {
        self.write(key, Write { expiry, ..Write::change(NewValue::Keep) })
    }

    pub(crate) fn delete(&mut self, key: &str) -> bool {
        let reply = self.run(key, KeyAction::Delete { conditions: vec![], with_previous: false });
        matches!(reply.expect("no condition"), Reply::Deleted { .. })
    }

    pub(crate) fn page(&mut self, prefix: &str, after: Option<Cursor>, limit: usize) -> KeyPage {
        let limit = PageLimit::new(limit).expect("a limit");
        let list = List { namespace: self.namespace, prefix: part(prefix), after, limit };
        match self.store.gather(AllCommand::List(list), self.now) {
            Gathered::Keys(page) => page,
            other => panic!("a list answered {other:?}"),
        }
    }

    /// All keys, page after page.
    pub(crate) fn walk(&mut self, prefix: &str, limit: usize) -> Vec<String> {
        let mut keys = Vec::new();
        let mut after = None;
        loop {
            let page = self.page(prefix, after, limit);
            keys.extend(page.keys.into_iter().map(String::from));
            after = page.next;
            if after.is_none() {
                return keys;
            }
        }
    }

    pub(crate) fn sorted(&mut self, prefix: &str, tags: &[(&str, &str)], skip: usize, limit: usize) -> SortedPage {
        let tags = tags.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        let limit = PageLimit::new(limit).expect("a limit");
        let sorted = Sorted { namespace: self.namespace, prefix: part(prefix), tags, skip, limit };
        match self.store.gather(AllCommand::Sorted(sorted), self.now) {
            Gathered::Sorted(page) => page,
            other => panic!("a sorted list answered {other:?}"),
        }
    }

    pub(crate) fn count(&mut self) -> u64 {
        match self.store.gather(AllCommand::Count(self.namespace), self.now) {
            Gathered::Count(keys) => keys,
            other => panic!("a count answered {other:?}"),
        }
    }

    pub(crate) fn flush(&mut self) -> u64 {
        match self.store.gather(AllCommand::Flush(self.namespace), self.now) {
            Gathered::Flushed(entries) => entries,
            other => panic!("a flush answered {other:?}"),
        }
    }

    pub(crate) fn sweep(&mut self, turn: usize) -> Swept {
        self.store.sweep(self.now, turn)
    }

    /// Sweeps until nothing is left to do.
    pub(crate) fn sweep_all(&mut self) {
        while self.sweep(1000).more {}
    }

    pub(crate) fn used(&self) -> u64 {
        self.store.ledger().used()
    }

    /// Fails unless every counter agrees with what is really there.
    pub(crate) fn audit(&self) {
        let (mut bytes, mut tombstones, mut answers) = (0, 0, 0);
        for partition in self.store.partitions() {
            let audit = partition.audit();
            assert_eq!(audit.counted, audit.recounted);
            assert_eq!(audit.tombstones_counted, audit.tombstones_recounted);
            assert_eq!(audit.answers_counted, audit.answers_recounted);
            answers += audit.answers_recounted;
            bytes += audit.recounted;
            tombstones += audit.tombstones_recounted;
        }
        assert_eq!((self.used(), self.store.ledger().tombstones()), (bytes, tombstones));
        assert_eq!(self.store.ledger().answers(), answers);
    }
}

pub(crate) fn config(memory_limit: u64) -> StoreConfig {
    StoreConfig {
        memory_limit,
        tombstone_retention_ms: HOUR_MS,
        hash_seed: 7,
        limits: Limits::default(),
        eviction: Eviction::None,
    }
}

pub(crate) fn json(text: &str) -> Value<'_> {
    Value::json(text, &Limits::default()).expect("JSON")
}

pub(crate) fn bytes(content: &[u8]) -> Value<'_> {
    Value::bytes(content, &Limits::default()).expect("within the limit")
}

pub(crate) fn tags(pairs: &[(&str, &str)]) -> Tags {
    Tags::new(pairs.iter().copied(), &Limits::default()).expect("few short tags")
}

pub(crate) fn if_version(version: u64) -> Condition {
    Condition::IfVersion(Version::new(version))
}

fn part(text: &str) -> KeyPart {
    KeyPart::new(text, "prefix", &Limits::default()).expect("a prefix")
}
