//! A store with a clock in the test's hand, and words short enough to read a test as a story.

use kvnode_core::store::attributes::{Tags, Ttl, Version};
use kvnode_core::store::command::{Command, List, PageLimit, Put};
use kvnode_core::store::condition::Condition;
use kvnode_core::store::key::{Address, Key, KeyPart, Namespace};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::{KeyPage, Outcome, Refusal, Reply};
use kvnode_core::store::value::Value;
use kvnode_core::store::{Store, StoreConfig};
use kvnode_core::time::UnixMillis;

pub(crate) const HOUR_MS: u64 = 3_600_000;
const START_MS: u64 = 1_700_000_000_000;

pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) now: UnixMillis,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with_memory(1 << 30)
    }

    pub(crate) fn with_memory(memory_limit: u64) -> Self {
        let config = StoreConfig { memory_limit, tombstone_retention_ms: HOUR_MS, hash_seed: 7 };
        Self { store: Store::new(config), now: UnixMillis::new(START_MS) }
    }

    pub(crate) fn after_ms(&mut self, milliseconds: u64) -> &mut Self {
        self.now = self.now.plus_millis(milliseconds);
        self
    }

    pub(crate) fn set_clock_back_ms(&mut self, milliseconds: u64) {
        self.now = UnixMillis::new(self.now.get() - milliseconds);
    }

    pub(crate) fn run(&mut self, command: Command) -> Outcome {
        self.store.execute(command, self.now)
    }

    pub(crate) fn get(&mut self, key: &str) -> Reply {
        self.run(Command::get(address(key))).expect("a get is never refused")
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

    pub(crate) fn write(
        &mut self,
        key: &str,
        value: &str,
        ttl: u64,
        conditions: Vec<Condition>,
    ) -> Result<u64, Refusal> {
        let value = Value::json(value, &Limits::default()).expect("JSON");
        let ttl = Ttl::from_seconds(ttl).expect("a ttl");
        let put = Put { value, ttl, tags: Tags::default(), conditions };
        match self.run(Command::put(address(key), put))? {
            Reply::Stored { entry, .. } => Ok(entry.version.get()),
            other => panic!("a put answered {other:?}"),
        }
    }

    pub(crate) fn put(&mut self, key: &str) -> u64 {
        self.write(key, "1", 0, vec![]).expect("room and no condition")
    }

    pub(crate) fn put_for(&mut self, key: &str, ttl: u64) -> u64 {
        self.write(key, "1", ttl, vec![]).expect("room and no condition")
    }

    pub(crate) fn put_if(&mut self, key: &str, condition: Condition) -> Result<u64, Refusal> {
        self.write(key, "1", 0, vec![condition])
    }

    pub(crate) fn delete(&mut self, key: &str) -> bool {
        let reply = self.run(Command::delete(address(key), vec![])).expect("no condition");
        matches!(reply, Reply::Deleted { .. })
    }

    pub(crate) fn page(&mut self, prefix: &str, after: Option<&str>, limit: usize) -> KeyPage {
        let limits = Limits::default();
        let list = List {
            namespace: Namespace::Shared,
            prefix: KeyPart::new(prefix, "prefix", &limits).expect("a prefix"),
            after: after.map(|after| KeyPart::new(after, "cursor", &limits).expect("a cursor")),
            limit: PageLimit::new(limit).expect("a limit"),
        };
        match self.run(Command::list(list)) {
            Ok(Reply::Keys(page)) => page,
            other => panic!("a list answered {other:?}"),
        }
    }

    pub(crate) fn count(&mut self) -> u64 {
        match self.run(Command::count(Namespace::Shared)) {
            Ok(Reply::Count(keys)) => keys,
            other => panic!("a count answered {other:?}"),
        }
    }

    pub(crate) fn sweep(&mut self, turn: usize) -> kvnode_core::store::partition::Swept {
        self.store.sweep(self.now, turn)
    }

    /// Fails unless every counter agrees with what is really there.
    pub(crate) fn audit(&self) {
        let (mut bytes, mut tombstones) = (0, 0);
        for partition in self.store.partitions() {
            let audit = partition.audit();
            assert_eq!(audit.tombstones_counted, audit.tombstones_recounted);
            bytes += audit.recounted;
            tombstones += audit.tombstones_recounted;
        }
        assert_eq!((self.store.ledger().used(), self.store.ledger().tombstones()), (bytes, tombstones));
    }
}

pub(crate) fn address(key: &str) -> Address {
    Address { namespace: Namespace::Shared, key: Key::new(key, &Limits::default()).expect("a key") }
}

pub(crate) fn if_version(version: u64) -> Condition {
    Condition::IfVersion(Version::new(version))
}
