//! Pages in the order of the keys' bytes, with tags.

use crate::fixture::{Fixture, json, tags};
use kvnode_core::store::command::Write;
use kvnode_core::store::outcome::SortedPage;

fn numbers(range: impl Iterator<Item = usize>) -> Vec<Box<str>> {
    range.map(|number| format!("key{number:03}").into()).collect()
}

fn filled() -> Fixture {
    let mut store = Fixture::new();
    for number in (0..300).rev() {
        let (parity, third) = ((number % 2).to_string(), (number % 3).to_string());
        let tagged = Write::put(json("1")).tagged(tags(&[("parity", &parity), ("third", &third)]));
        store.store(&format!("key{number:03}"), tagged).expect("room");
    }
    store.put("untagged");
    store
}

#[test]
fn sorted_pages_follow_each_other_in_the_order_of_bytes() {
    let mut store = filled();
    for skip in [0, 1, 128, 290] {
        let page = store.sorted("key", &[], skip, 10);
        assert_eq!(page, SortedPage { keys: numbers(skip..skip + 10), total: 300 });
    }
    assert_eq!(store.sorted("key", &[], 295, 10), SortedPage { keys: numbers(295..300), total: 300 });
    assert_eq!(store.sorted("", &[], 299, 10).keys, ["key299".into(), "untagged".into()]);
}

#[test]
fn all_tags_asked_for_must_be_there_with_their_values() {
    let mut store = filled();
    let even = store.sorted("", &[("parity", "0")], 2, 3);
    assert_eq!(even, SortedPage { keys: numbers([4, 6, 8].into_iter()), total: 150 });
    let sixths = store.sorted("key1", &[("third", "0"), ("parity", "0")], 0, 2);
    assert_eq!(sixths, SortedPage { keys: numbers([102, 108].into_iter()), total: 17 });
    for nothing in [&[("parity", "2")][..], &[("parity", "")], &[("0", "parity")], &[("parity", "0"), ("parity", "1")]]
    {
        assert_eq!(store.sorted("", nothing, 0, 10), SortedPage::default(), "{nothing:?}");
    }
}

#[test]
fn skipping_beyond_the_last_key_gives_an_empty_page_and_the_total() {
    let mut store = filled();
    for skip in [301, 100_000, usize::MAX] {
        assert_eq!(store.sorted("", &[], skip, 1000), SortedPage { keys: vec![], total: 301 });
    }
}
