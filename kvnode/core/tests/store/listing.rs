//! Pages of keys over all partitions.

use crate::fixture::Fixture;

fn walk(store: &mut Fixture, prefix: &str, limit: usize) -> Vec<String> {
    let mut keys = Vec::new();
    let mut cursor: Option<Box<str>> = None;
    loop {
        let page = store.page(prefix, cursor.as_deref(), limit);
        assert!(page.keys.len() <= limit);
        keys.extend(page.keys.into_iter().map(String::from));
        match page.next {
            None => return keys,
            next => cursor = next,
        }
    }
}

/// K32, R37
#[test]
fn pages_of_any_size_make_up_the_sorted_keys_each_once() {
    let mut store = Fixture::new();
    let mut expected: Vec<String> = (0..250).map(|number| format!("key{number}")).collect();
    for key in &expected {
        store.put(key);
    }
    expected.sort();
    for limit in [1, 7, 249, 250, 251, 1000] {
        assert_eq!(walk(&mut store, "", limit), expected, "pages of {limit}");
    }
    assert_eq!(walk(&mut store, "key24", 3).len(), 11);
    assert!(walk(&mut store, "nothing", 3).is_empty());
    assert_eq!(store.count(), 250);
}

#[test]
fn a_page_that_ends_at_the_last_key_names_no_next_page() {
    let mut store = Fixture::new();
    store.put("a");
    store.put("b");
    assert_eq!(store.page("", None, 2).next, None);
    assert_eq!(store.page("", None, 1).next.as_deref(), Some("a"));
    assert_eq!(store.page("", Some("b"), 2).keys, []);
}

#[test]
fn a_cursor_is_still_good_when_its_key_is_gone() {
    let mut store = Fixture::new();
    for key in ["a", "b", "c"] {
        store.put(key);
    }
    let cursor = store.page("", None, 2).next;
    store.delete("b");
    assert_eq!(store.page("", cursor.as_deref(), 2).keys, ["c".into()]);
}
