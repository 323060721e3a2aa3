//! Namespaces do not meet: not in keys, not in versions, not in the work that a question costs.

use crate::fixture::{Fixture, config};
use crate::steps::{any_moment, any_step};
use kvnode_core::store::command::{AllCommand, Command};
use kvnode_core::store::key::Namespace;
use kvnode_core::store::partition::Partition;
use kvnode_core::time::UnixMillis;
use kvnode_sim::subject::{Core, Subject};
use kvnode_sim::workload::{NAMESPACES, Step};
use proptest::prelude::*;

/// C59
#[test]
fn the_same_key_in_two_accounts_never_meets() {
    let mut store = Fixture::new();
    for (namespace, text) in NAMESPACES.into_iter().zip(["shared", "one", "two", "system"]) {
        store.within(namespace);
        assert_eq!(store.version("k"), 0);
        assert_eq!(store.put_text("k", text), Ok(1));
    }
    store.within(Namespace::Account(1));
    assert!(store.delete("k"));
    for (namespace, text) in NAMESPACES.into_iter().zip(["shared", "", "two", "system"]) {
        store.within(namespace);
        if namespace == Namespace::Account(1) {
            assert_eq!((store.version("k"), store.count()), (0, 0));
        } else {
            assert_eq!((store.text("k").as_str(), store.count()), (text, 1));
        }
    }
    store.audit();
}

/// C61: what a page, a count and a flush visit are the entries of their namespace, and none beside them.
#[test]
fn a_small_account_beside_many_keys_visits_its_own_entries_only() {
    let mut store = Fixture::new();
    for number in 0..20_000 {
        store.put(&format!("key{number}"));
    }
    store.within(Namespace::Account(1));
    let own: Vec<String> = (0..10).map(|number| format!("key{number}")).collect();
    for key in &own {
        store.put(key);
    }
    let mut listed = store.walk("", 3);
    listed.sort();
    assert_eq!((listed, store.count()), (own, 10));
    let (mut partitions, ..) = store.store.into_parts();
    let now = store.now;
    let visited = |partitions: &mut [Partition], namespace| {
        partitions.iter_mut().map(|partition| partition.entries(namespace, now).count()).sum::<usize>()
    };
    assert_eq!(visited(&mut partitions, Namespace::Account(1)), 10);
    assert_eq!(visited(&mut partitions, Namespace::Account(2)), 0);
    assert_eq!(visited(&mut partitions, Namespace::Shared), 20_000);
}

fn namespace_of(step: &Step) -> Option<Namespace> {
    match step {
        Step::Execute(Command::Key(command)) => Some(command.address.namespace),
        Step::Execute(Command::All(command)) => Some(match command {
            AllCommand::List(list) => list.namespace,
            AllCommand::Sorted(sorted) => sorted.namespace,
            AllCommand::Count(namespace) | AllCommand::Flush(namespace) => *namespace,
        }),
        Step::Sweep { .. } => None,
    }
}

proptest! {
    /// C59, C66: where memory is not short, each namespace is answered as if it were alone in the world.
    #[test]
    fn whatever_others_do_each_namespace_is_answered_as_if_it_were_alone(
        steps in prop::collection::vec((any_step(), any_moment()), 1..80),
    ) {
        let config = config(1 << 30);
        let mut together = Core::new(&config);
        let mut alone = NAMESPACES.map(|namespace| (namespace, Core::new(&config)));
        for (step, now) in steps {
            let answer = together.take(&step, now);
            for (namespace, world) in &mut alone {
                if namespace_of(&step).is_none_or(|asked| asked == *namespace) {
                    prop_assert_eq!(&world.take(&step, now), &answer, "{:?} in {:?}", step, namespace);
                }
                tell_time(world, now);
            }
            tell_time(&mut together, now);
        }
    }
}

/// A partition has one clock for all its namespaces, and all worlds are to have the same.
fn tell_time(world: &mut Core, now: UnixMillis) {
    world.gather(AllCommand::Count(Namespace::Shared), now);
}
