//! Pages of keys over all partitions, in the order of their places.

use std::collections::BTreeSet;

use crate::fixture::Fixture;
use kvnode_core::store::cursor::Cursor;
use kvnode_sim::workload::COLLIDING_KEYS;
use proptest::prelude::*;

/// K32, R37
#[test]
fn pages_of_any_size_make_up_the_keys_in_order_each_once() {
    let mut store = Fixture::new();
    let mut expected: Vec<String> = (0..250).map(|number| format!("key{number}")).collect();
    for key in &expected {
        store.put(key);
    }
    expected.sort_by_key(|key| Cursor::of(key));
    for limit in [1, 7, 249, 250, 251, 1000] {
        assert_eq!(store.walk("", limit), expected, "pages of {limit}");
        assert!(store.page("", None, limit).keys.len() <= limit);
    }
    assert_eq!(store.walk("key24", 3).len(), 11);
    assert!(store.walk("nothing", 3).is_empty());
    assert_eq!(store.count(), 250);
}

/// More than a page needs to hold at once, in one partition.
#[test]
fn a_page_of_a_large_partition_is_its_first_keys() {
    let mut store = Fixture::new();
    let mut expected: Vec<String> = (0..6000).map(|number| format!("{{p}}{number}")).collect();
    for key in &expected {
        store.put(key);
    }
    expected.sort_by_key(|key| Cursor::of(key));
    let page = store.page("", None, 3);
    assert_eq!(page.keys.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), expected[..3]);
    assert_eq!(store.walk("", 1000), expected);
}

#[test]
fn a_page_that_ends_at_the_last_key_names_no_next_page() {
    let mut store = Fixture::new();
    store.put("a");
    store.put("b");
    let [first, last] = if Cursor::of("a") < Cursor::of("b") { ["a", "b"] } else { ["b", "a"] };
    assert_eq!(store.page("", None, 2).next, None);
    let page = store.page("", None, 1);
    assert_eq!((page.keys, page.next), (vec![first.into()], Some(Cursor::of(first))));
    assert_eq!(store.page("", Some(Cursor::of(first)), 2).keys, [last.into()]);
    assert_eq!(store.page("", Some(Cursor::of(last)), 2).keys, []);
}

#[test]
fn a_cursor_is_still_good_when_its_key_is_gone() {
    let mut store = Fixture::new();
    for key in ["a", "b", "c"] {
        store.put(key);
    }
    let page = store.page("", None, 2);
    store.delete(&page.keys[1]);
    let rest = store.page("", page.next, 2).keys;
    assert_eq!(rest.len(), 1);
    assert!(!page.keys.contains(&rest[0]));
}

/// The second of them would lie behind the cut and before the cursor, and so never be listed.
#[test]
fn keys_of_one_place_are_on_one_page_and_end_no_list_early() {
    let [one, other] = COLLIDING_KEYS;
    assert_eq!(Cursor::of(one), Cursor::of(other));
    let mut store = Fixture::new();
    let mut expected: Vec<String> = (0..300).map(|number| format!("key{number}")).collect();
    expected.extend([one.to_owned(), other.to_owned()]);
    for key in &expected {
        store.put(key);
    }
    expected.sort_by_key(|key| (Cursor::of(key), key.clone()));
    let place = expected.iter().position(|key| key == one || key == other).expect("both are there");
    assert!(place + 2 < expected.len(), "keys follow, in other partitions");
    for limit in 1..=expected.len() {
        assert_eq!(store.walk("", limit), expected, "pages of {limit}");
    }
    assert_eq!(store.page("{p}", None, 1).keys.len(), 2, "a page may have more keys than were asked for");
}

#[test]
fn a_key_behind_keys_of_one_place_is_listed_even_if_it_is_the_last_of_all() {
    let mut others = (0..100).map(|number| format!("{{p}}{number}"));
    let behind = others.find(|key| Cursor::of(key) > Cursor::of(COLLIDING_KEYS[0])).expect("one of a hundred is");
    let mut store = Fixture::new();
    for key in [&behind, COLLIDING_KEYS[0], COLLIDING_KEYS[1]] {
        store.put(key);
    }
    let page = store.page("", None, 1);
    assert_eq!((page.keys.len(), page.next), (2, Some(Cursor::of(COLLIDING_KEYS[0]))));
    assert_eq!(store.page("", page.next, 1).keys, [behind.into()]);
}

#[derive(Clone, Debug)]
enum Between {
    Put(u8),
    Delete(u8),
}

fn any_between() -> impl Strategy<Value = Between> {
    prop_oneof![any::<u8>().prop_map(Between::Put), any::<u8>().prop_map(Between::Delete)]
}

fn key(number: u8) -> String {
    if number.is_multiple_of(3) { format!("{{p}}{number}") } else { format!("key{number}") }
}

proptest! {
    /// I9
    #[test]
    fn keys_present_throughout_are_listed_exactly_once_and_no_key_twice(
        first in prop::collection::btree_set(any::<u8>(), 1..100),
        between in prop::collection::vec(prop::collection::vec(any_between(), 0..20), 1..30),
        limit in 1..12_usize,
    ) {
        let mut store = Fixture::new();
        let mut throughout: BTreeSet<String> = first.into_iter().map(key).collect();
        for key in &throughout {
            store.put(key);
        }
        let (mut listed, mut after) = (Vec::new(), None);
        let mut between = between.into_iter();
        loop {
            let page = store.page("", after, limit);
            listed.extend(page.keys.into_iter().map(String::from));
            after = page.next;
            if after.is_none() {
                break;
            }
            for act in between.next().unwrap_or_default() {
                match act {
                    Between::Put(number) => drop(store.put(&key(number))),
                    Between::Delete(number) => {
                        throughout.remove(&key(number));
                        store.delete(&key(number));
                    }
                }
            }
        }
        let once: BTreeSet<String> = listed.iter().cloned().collect();
        prop_assert_eq!(once.len(), listed.len(), "some key was listed twice");
        prop_assert!(throughout.is_subset(&once), "{:?} are missing", throughout.difference(&once));
    }
}
