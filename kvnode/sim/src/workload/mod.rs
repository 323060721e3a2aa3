//! What a simulated client does, drawn from the seed: few keys, so that commands meet on them, each in several
//! namespaces; short lives, so that things expire; and stores small enough that memory and tombstones run out.

mod conditions;
mod dumps;
mod writes;

use kvnode_core::store::answers::Idempotency;
use kvnode_core::store::command::{AllCommand, Command, KeyAction, KeyCommand, List, PageLimit, Sorted};
use kvnode_core::store::cursor::Cursor;
use kvnode_core::store::key::{Address, Key, KeyPart, Namespace};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::usage::Quota;
use kvnode_core::store::{Eviction, StoreConfig};
use kvnode_core::time::UnixMillis;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// All that a life is about: the tenant's own keys, those of two accounts, and the node's own.
pub const NAMESPACES: [Namespace; 4] =
    [Namespace::Shared, Namespace::Account(1), Namespace::Account(2), Namespace::System];

/// Two keys at one place in the order of lists, found by trying forty million: a page must have both or neither.
pub const COLLIDING_KEYS: [&str; 2] = ["{p}26481243", "{p}29468521"];

/// A store so large that nothing in a life can fill it: versions are then known exactly.
const ROOMY: u64 = 1 << 30;

/// Removals of one sweep in each partition; small, so that sweeps end in the middle.
const SWEEP_TURN_MAX: usize = 4;

/// Few, so that they are used again and again.
const IDEMPOTENCY_KEYS: u128 = 4;

/// Makes numbers of them that are as far from each other as hashes are.
const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a life has one step at a time")]
pub enum Step {
    Execute(Command<'static>),
    Sweep { turn: usize },
}

#[derive(Debug)]
pub struct Workload {
    pub config: StoreConfig,
    /// Of each account.
    pub quota: Quota,
    keys: Vec<Key<'static>>,
    /// Nearly all entries share a partition and a namespace and fill the memory, so that an eviction has many to choose
    /// from.
    crowded: bool,
    /// How often a command comes with an idempotency key. Where memory is short, there is room for few answers.
    keyed: f64,
    /// How large values may be, in characters.
    value_chars_max: usize,
}

impl Step {
    /// The key it is about, if it is about one.
    pub fn address(&self) -> Option<&Address<'static>> {
        match self {
            Self::Execute(Command::Key(command)) => Some(&command.address),
            _ => None,
        }
    }

    pub fn command(&self) -> Option<&KeyCommand<'static>> {
        match self {
            Self::Execute(Command::Key(command)) => Some(command),
            _ => None,
        }
    }
}

impl Workload {
    pub fn new(random: &mut StdRng) -> Self {
        let eviction =
            *[Eviction::None, Eviction::AllKeysLru, Eviction::VolatileTtl].choose(random).expect("three of them");
        let crowded = eviction != Eviction::None && random.random();
        let memory_limit = match random.random_range(0..4) {
            _ if crowded => random.random_range(4_000..8_000),
            0 => ROOMY,
            1 => random.random_range(4_000..30_000),
            _ => random.random_range(30_000..150_000),
        };
        let config = StoreConfig {
            memory_limit,
            tombstone_retention_ms: *[10_000, 600_000, 3_600_000].choose(random).expect("three of them"),
            hash_seed: random.random(),
            limits: Limits::default(),
            eviction,
        };
        let keys_max = random.random_range(if crowded { 60..80 } else { 2..40 });
        let mut keys: Vec<_> = (0..keys_max).map(|number| key(number, crowded, random)).collect();
        if random.random_bool(0.3) {
            keys.extend(COLLIDING_KEYS.map(|key| Key::new(key, &Limits::default()).expect("a short key")));
        }
        // Mostly of the sizes that share blocks, sometimes beyond those, seldom with a length of four bytes.
        let value_chars_max = *[30, 300, 2_000, 2_000, 2_000, 70_000].choose(random).expect("six of them");
        let value_chars_max = if crowded { 60 } else { random.random_range(1..value_chars_max) };
        let quota = match random.random_range(0..3) {
            0 => Quota { keys_max: random.random_range(0..8), bytes_max: u64::MAX },
            1 => Quota { keys_max: u64::MAX, bytes_max: random.random_range(0..3_000) },
            _ => Quota::NONE,
        };
        let keyed = match memory_limit {
            _ if crowded => 0.02,
            ROOMY => 0.4,
            _ => 0.08,
        };
        Self { config, quota, keys, crowded, keyed, value_chars_max }
    }

    /// Whether the store can never be full, so that no tombstone is dropped early either.
    pub fn is_roomy(&self) -> bool {
        self.config.memory_limit == ROOMY
    }

    pub fn any_address(&self, random: &mut StdRng) -> Address<'static> {
        let key = self.keys.choose(random).expect("at least two keys").clone();
        Address { namespace: self.any_namespace(random), key }
    }

    pub fn next_step(&self, now: UnixMillis, random: &mut StdRng) -> Step {
        let address = self.any_address(random);
        let action = match random.random_range(0..100) {
            0..47 => KeyAction::Write(self.write(now, random)),
            47..51 => KeyAction::PutBack(self.dumped(now, random)),
            51..62 => KeyAction::Get,
            62..82 => {
                KeyAction::Delete { conditions: self.conditions(now, random), with_previous: random.random_bool(0.3) }
            }
            82..94 => return Step::Execute(Command::All(self.question(random))),
            _ => return Step::Sweep { turn: random.random_range(1..=SWEEP_TURN_MAX) },
        };
        let idempotency = random.random_bool(self.keyed).then(|| Idempotency {
            key: SPREAD.wrapping_mul(random.random_range(1..IDEMPOTENCY_KEYS)),
            request: u128::from(random.random_range(1..6_u32) / 5),
        });
        Step::Execute(Command::Key(KeyCommand::new(address, action).once(idempotency)))
    }

    fn question(&self, random: &mut StdRng) -> AllCommand {
        let namespace = self.any_namespace(random);
        let prefix = *["", "k", "{", "é"].choose(random).expect("four of them");
        let prefix = KeyPart::new(prefix, "prefix", &self.config.limits).expect("short");
        let limit = PageLimit::new(random.random_range(1..20)).expect("within the range");
        match random.random_range(0..12) {
            0..5 => AllCommand::List(List { namespace, prefix, after: self.place(random), limit }),
            5..9 => {
                let tag = random.random_range(0..writes::TAG_VALUES).to_string().into_boxed_str();
                let tags = if random.random() { vec![("tag".into(), tag)] } else { vec![] };
                // The last skips beyond anything there could be.
                let skip = *[0, 0, 1, 7, usize::MAX].choose(random).expect("five of them");
                AllCommand::Sorted(Sorted { namespace, prefix, tags, skip, limit })
            }
            9 | 10 => AllCommand::Count(namespace),
            // A flush would end the crowd.
            _ if self.crowded && namespace == NAMESPACES[0] => AllCommand::Count(namespace),
            _ => AllCommand::Flush(namespace),
        }
    }

    fn any_namespace(&self, random: &mut StdRng) -> Namespace {
        match random.random_range(0..20) {
            _ if self.crowded && random.random_bool(0.95) => NAMESPACES[0],
            0..10 => NAMESPACES[0],
            10..14 => NAMESPACES[1],
            14..18 => NAMESPACES[2],
            _ => NAMESPACES[3],
        }
    }

    /// A place in the order of lists, of a key or of none.
    fn place(&self, random: &mut StdRng) -> Option<Cursor> {
        match random.random_range(0..4) {
            0 | 1 => None,
            2 => Some(Cursor::of(self.any_address(random).key.as_str())),
            _ => Cursor::from_number(random.random_range(0..1 << 56)),
        }
    }
}

fn key(number: usize, crowded: bool, random: &mut StdRng) -> Key<'static> {
    let text = match random.random_range(0..if crowded { 40 } else { 4 }) {
        0 => format!("é{number}"),
        1 | 2 => format!("key{number}"),
        _ => format!("{{p}}{number}"),
    };
    Key::new(&text, &Limits::default()).expect("a short key of plain characters").into_owned()
}
