//! What a simulated client does, drawn from the seed: few keys, so that commands meet on them; short lives, so that
//! things expire; and stores small enough that memory and tombstones run out.

use kvnode_core::store::StoreConfig;
use kvnode_core::store::attributes::{Tags, Ttl, Version};
use kvnode_core::store::command::{Command, List, PageLimit, Put};
use kvnode_core::store::condition::Condition;
use kvnode_core::store::key::{Address, Key, KeyPart, Namespace};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::value::Value;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// A store so large that nothing in a life can fill it: versions are then known exactly.
const ROOMY: u64 = 1 << 30;

/// Removals of one sweep in each partition; small, so that sweeps end in the middle.
const SWEEP_TURN_MAX: usize = 4;

#[derive(Clone, Debug)]
pub enum Step {
    Execute(Command),
    Sweep { turn: usize },
}

#[derive(Debug)]
pub struct Workload {
    pub config: StoreConfig,
    keys: Vec<Address>,
    limits: Limits,
    /// How large values may be, in characters.
    value_chars_max: usize,
}

impl Workload {
    pub fn new(random: &mut StdRng) -> Self {
        let memory_limit = match random.random_range(0..3) {
            0 => ROOMY,
            1 => random.random_range(2_000..20_000),
            _ => random.random_range(20_000..200_000),
        };
        let config = StoreConfig {
            memory_limit,
            tombstone_retention_ms: *[10_000, 600_000, 3_600_000].choose(random).expect("three of them"),
            hash_seed: random.random(),
        };
        let keys_max = random.random_range(2..40);
        let keys = (0..keys_max).map(|number| address(number, random)).collect();
        Self { config, keys, limits: Limits::default(), value_chars_max: random.random_range(1..2_000) }
    }

    /// Whether the store can never be full, so that no tombstone is dropped early either.
    pub fn is_roomy(&self) -> bool {
        self.config.memory_limit == ROOMY
    }

    pub fn any_address(&self, random: &mut StdRng) -> Address {
        self.keys.choose(random).expect("at least two keys").clone()
    }

    pub fn next_step(&self, random: &mut StdRng) -> Step {
        let address = self.any_address(random);
        Step::Execute(match random.random_range(0..100) {
            0..45 => Command::put(address, self.put(random)),
            45..60 => Command::get(address),
            60..85 => Command::delete(address, conditions(random)),
            85..92 => Command::list(self.list(random)),
            92..95 => Command::count(Namespace::Shared),
            _ => return Step::Sweep { turn: random.random_range(1..=SWEEP_TURN_MAX) },
        })
    }

    fn put(&self, random: &mut StdRng) -> Put {
        let seconds = if random.random_bool(0.5) { 0 } else { random.random_range(1..120) };
        let tag = random.random_range(0..3_u8).to_string();
        let tags: &[(&str, &str)] = if random.random_bool(0.2) { &[("tag", &tag)] } else { &[] };
        Put {
            value: self.value(random),
            ttl: Ttl::from_seconds(seconds).expect("two minutes are a good ttl"),
            tags: Tags::new(tags.iter().copied(), &self.limits).expect("one short tag"),
            conditions: conditions(random),
        }
    }

    fn value(&self, random: &mut StdRng) -> Value {
        let text = "x".repeat(random.random_range(0..self.value_chars_max));
        let value = if random.random_bool(0.7) {
            Value::json(&format!("\"{text}\""), &self.limits)
        } else {
            Value::bytes(text.as_bytes(), &self.limits)
        };
        value.expect("short values are good")
    }

    fn list(&self, random: &mut StdRng) -> List {
        let part = |text: &str| KeyPart::new(text, "part", &self.limits).expect("short");
        let after = random.random_bool(0.5).then(|| part(self.any_address(random).key.as_str()));
        List {
            namespace: Namespace::Shared,
            prefix: part(["", "k", "{", "é"].choose(random).expect("four of them")),
            after,
            limit: PageLimit::new(random.random_range(1..20)).expect("within the range"),
        }
    }
}

fn address(number: usize, random: &mut StdRng) -> Address {
    let text = match random.random_range(0..4) {
        0 => format!("{{same partition}}{number}"),
        1 => format!("é{number}"),
        _ => format!("key{number}"),
    };
    let key = Key::new(&text, &Limits::default()).expect("a short key of plain characters");
    Address { namespace: Namespace::Shared, key }
}

/// Versions low enough to be right now and then.
fn conditions(random: &mut StdRng) -> Vec<Condition> {
    let version = |random: &mut StdRng| Version::new(random.random_range(0..8));
    match random.random_range(0..10) {
        0 | 1 => vec![Condition::IfVersion(version(random))],
        2 => vec![Condition::IfMatch(vec![version(random), version(random)])],
        3 => vec![Condition::IfNoneMatchAny],
        4 => vec![Condition::IfMatchAny, Condition::IfNoneMatch(vec![version(random)])],
        _ => vec![],
    }
}
