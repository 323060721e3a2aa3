//! Any sequence of commands at any times gives what a plain map would give. The map is the simulator's model; what this
//! adds to the simulator is arbitrary content, and that a failure is shrunk to the few commands that matter.

use kvnode_core::store::attributes::{Tags, Ttl, Version};
use kvnode_core::store::command::{Command, List, PageLimit, Put};
use kvnode_core::store::condition::Condition;
use kvnode_core::store::key::{Address, Key, KeyPart, Namespace};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::Reply;
use kvnode_core::store::slot::PartitionNumber;
use kvnode_core::store::value::Value;
use kvnode_core::store::{Store, StoreConfig};
use kvnode_core::time::UnixMillis;
use kvnode_sim::model::Model;
use proptest::prelude::*;

const RETENTION_MS: u64 = 60_000;

fn any_address() -> impl Strategy<Value = Address> {
    // Few distinct keys, so that commands meet; the second form is any text that is a key at all.
    prop_oneof![4 => "[ab]{1,2}", 1 => "\\PC{1,20}"].prop_filter_map("no key", |text| {
        let key = Key::new(&text, &Limits::default()).ok()?;
        Some(Address { namespace: Namespace::Shared, key })
    })
}

fn any_conditions() -> impl Strategy<Value = Vec<Condition>> {
    let version = || (0..6_u64).prop_map(Version::new);
    prop_oneof![
        6 => Just(vec![]),
        1 => version().prop_map(|version| vec![Condition::IfVersion(version)]),
        1 => prop::collection::vec(version(), 0..3).prop_map(|versions| vec![Condition::IfMatch(versions)]),
        1 => Just(vec![Condition::IfMatchAny]),
        1 => prop::collection::vec(version(), 0..3).prop_map(|versions| vec![Condition::IfNoneMatch(versions)]),
        1 => Just(vec![Condition::IfNoneMatchAny]),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let limits = Limits::default();
    let bytes_limits = limits.clone();
    prop_oneof![
        any::<i64>().prop_map(move |number| Value::json(&number.to_string(), &limits).expect("a number is JSON")),
        prop::collection::vec(any::<u8>(), 0..50)
            .prop_map(move |bytes| Value::bytes(&bytes, &bytes_limits).expect("few bytes")),
    ]
}

fn any_put() -> impl Strategy<Value = Put> {
    let tags = prop::collection::btree_map("[a-c]", "\\PC{0,5}", 0..3).prop_map(|pairs| {
        let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Tags::new(pairs, &Limits::default()).expect("few short tags")
    });
    let ttl = (0..100_u64).prop_map(|seconds| Ttl::from_seconds(seconds).expect("a short ttl"));
    (any_value(), ttl, tags, any_conditions()).prop_map(|(value, ttl, tags, conditions)| Put {
        value,
        ttl,
        tags,
        conditions,
    })
}

fn any_list() -> impl Strategy<Value = List> {
    let part = |text: String| KeyPart::new(&text, "part", &Limits::default()).expect("short");
    ("[ab]{0,1}", prop::option::of("[abc]{0,2}"), 1..5_usize).prop_map(move |(prefix, after, limit)| List {
        namespace: Namespace::Shared,
        prefix: part(prefix),
        after: after.map(part),
        limit: PageLimit::new(limit).expect("within the range"),
    })
}

#[derive(Clone, Debug)]
enum Act {
    Run(Command),
    Sweep(usize),
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (any_address(), any_put()).prop_map(|(address, put)| Act::Run(Command::put(address, put))),
        2 => any_address().prop_map(|address| Act::Run(Command::get(address))),
        3 => (any_address(), any_conditions())
            .prop_map(|(address, conditions)| Act::Run(Command::delete(address, conditions))),
        2 => any_list().prop_map(|list| Act::Run(Command::list(list))),
        1 => Just(Act::Run(Command::count(Namespace::Shared))),
        1 => (1..5_usize).prop_map(Act::Sweep),
    ]
}

proptest! {
    #[test]
    fn any_commands_at_any_times_answer_as_a_map_would(
        acts in prop::collection::vec((any_act(), 0..40_000_u64), 1..80),
    ) {
        let config = StoreConfig { memory_limit: 1 << 30, tombstone_retention_ms: RETENTION_MS, hash_seed: 1 };
        let mut store = Store::new(config);
        let mut model = Model::new(RETENTION_MS, true);
        for (act, milliseconds) in acts {
            let now = UnixMillis::new(1_000_000 + milliseconds);
            match act {
                Act::Run(command) => {
                    let outcome = store.execute(command.clone(), now);
                    prop_assert_eq!(model.judge(&command, now, &outcome), Ok(()));
                }
                Act::Sweep(turn) => {
                    store.sweep(now, turn);
                    model.all_advance(now);
                }
            }
        }
        let recounted: u64 = store.partitions().iter().map(|partition| partition.audit().recounted).sum();
        prop_assert_eq!(store.ledger().used(), recounted);
    }

    #[test]
    fn a_key_stored_is_the_key_found_and_lies_in_one_partition(address in any_address()) {
        let limits = Limits::default();
        let mut store = Store::new(StoreConfig { memory_limit: 1 << 20, tombstone_retention_ms: 1, hash_seed: 1 });
        let put = Put {
            value: Value::json("1", &limits).expect("JSON"),
            ttl: None,
            tags: Tags::default(),
            conditions: vec![],
        };
        let now = UnixMillis::new(1);
        store.execute(Command::put(address.clone(), put), now).expect("room");
        let Ok(Reply::Found(entry)) = store.execute(Command::get(address.clone()), now) else { panic!("it was put") };
        prop_assert_eq!(&entry.address, &address);
        let number = PartitionNumber::of(address.key.as_str().as_bytes()).index();
        for (index, partition) in store.partitions().iter().enumerate() {
            prop_assert_eq!(partition.audit().recounted > 0, index == number);
        }
    }

    #[test]
    fn whatever_serde_json_can_parse_is_kept_as_it_is(text in "(-?[0-9]{1,25}(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,2})?| ?\"[a-z\\\\n]{0,3}\" ?|\\[(1, )?2 ?\\]|\\{\"a\" ?:1(,\"a\":2)?\\})") {
        prop_assume!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        let kept = Value::json(&text, &Limits::default()).expect("it is JSON");
        prop_assert_eq!(kept.content(), text.trim().as_bytes());
    }
}
