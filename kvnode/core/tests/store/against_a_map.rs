//! Any sequence of commands at any times gives what a plain map would give. The map is the simulator's model; what this
//! adds to the simulator is arbitrary content, and that a failure is shrunk to the few commands that matter.

use crate::fixture::{config, json};
use crate::steps::{any_address, any_moment, any_step};
use kvnode_core::store::Store;
use kvnode_core::store::command::{KeyAction, KeyCommand, Write};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::Reply;
use kvnode_core::store::slot::PartitionNumber;
use kvnode_core::store::value::Value;
use kvnode_core::time::UnixMillis;
use kvnode_sim::model::Model;
use kvnode_sim::subject::{Core, Subject};
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_commands_at_any_times_answer_as_a_map_would(
        steps in prop::collection::vec((any_step(), any_moment()), 1..80),
    ) {
        let config = config(1 << 30);
        let mut core = Core::new(&config);
        let mut model = Model::new(&config, true);
        for (step, now) in steps {
            let answer = core.take(&step, now);
            prop_assert_eq!(model.judge(&step, now, &answer), Ok(()));
        }
        let accounts = core.accounts();
        prop_assert_eq!((accounts.used, accounts.tombstones), (accounts.recounted, accounts.tombstones_recounted));
    }

    #[test]
    fn a_key_stored_is_the_key_found_and_lies_in_one_partition(address in any_address()) {
        let mut store = Store::new(&config(1 << 20));
        let mut run = |action| store.execute(&KeyCommand::new(address.clone(), action), UnixMillis::new(1));
        run(KeyAction::Write(Write::put(json("1")))).expect("room");
        let Ok(Reply::Found(entry)) = run(KeyAction::Get) else { panic!("it was put") };
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
