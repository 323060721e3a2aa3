//! Writes with an idempotency key are done once, and answered the same each time (R19).

use crate::fixture::{Fixture, json};
use kvnode_core::store::answers::{ANSWER_KEPT_MS, Idempotency};
use kvnode_core::store::change::NewValue;
use kvnode_core::store::command::{KeyAction, NewExpiry, Write};
use kvnode_core::store::key::Namespace;
use kvnode_core::store::outcome::{Refusal, Reply};
use kvnode_core::time::UnixMillis;

const fn retry(key: u128, request: u128) -> Idempotency {
    Idempotency { key, request }
}

fn delete() -> KeyAction<'static> {
    KeyAction::Delete { conditions: vec![], with_previous: false }
}

fn add(number: i64) -> KeyAction<'static> {
    KeyAction::Write(Write::change(NewValue::AddInteger(number)))
}

#[test]
fn a_retry_is_answered_as_the_first_attempt_was_whatever_happened_since() {
    let mut store = Fixture::new();
    store.put_text("n", "10").expect("room");
    let first = store.run_once("n", add(5), retry(1, 1));
    assert!(matches!(&first, Ok(Reply::Stored { entry, created: false, .. }) if entry.value.content() == b"15"));
    store.put_text("n", "100").expect("room");
    store.after_ms(60_000).delete("n");
    assert_eq!(store.run_once("n", add(5), retry(1, 1)), first);
    assert_eq!(store.version("n"), 0, "nothing was done by it");
    store.audit();
}

#[test]
fn creations_deletions_and_what_was_absent_are_remembered_as_such() {
    let mut store = Fixture::new();
    let put = || KeyAction::Write(Write::put(json("1")));
    let past = || {
        let write = Write { expiry: NewExpiry::At(UnixMillis::new(1)), ..Write::change(NewValue::Keep) };
        KeyAction::Write(write)
    };
    let absent = store.run_once("k", delete(), retry(1, 0));
    assert_eq!(absent, Ok(Reply::Absent));
    let created = store.run_once("k", put(), retry(2, 0));
    assert!(matches!(created, Ok(Reply::Stored { created: true, .. })));
    let ended = store.run_once("k", past(), retry(3, 0));
    assert!(matches!(ended, Ok(Reply::Deleted { .. })));
    store.put("k");
    let deleted = store.run_once("k", delete(), retry(4, 0));
    assert!(matches!(deleted, Ok(Reply::Deleted { .. })));
    store.put("k");
    for (action, key, answer) in
        [(delete(), 1, absent), (put(), 2, created), (past(), 3, ended), (delete(), 4, deleted)]
    {
        assert_eq!(store.run_once("k", action, retry(key, 0)), answer);
    }
    assert_eq!(store.version("k"), 5);
    store.audit();
}

#[test]
fn a_key_that_comes_with_another_request_is_refused_and_nothing_is_done() {
    let mut store = Fixture::new();
    store.run_once("n", add(1), retry(1, 1)).expect("room");
    assert_eq!(store.run_once("n", add(2), retry(1, 2)), Err(Refusal::IdempotencyKeyReused));
    assert_eq!((store.text("n").as_str(), store.version("n")), ("1", 1));
}

/// What was refused may be asked for again, and is then done.
#[test]
fn a_refusal_is_not_remembered() {
    let mut store = Fixture::new();
    store.put_text("n", "text").expect("room");
    assert!(matches!(store.run_once("n", add(1), retry(1, 1)), Err(Refusal::Change(_))));
    store.put_text("n", "1").expect("room");
    assert!(matches!(store.run_once("n", add(1), retry(1, 1)), Ok(Reply::Stored { .. })));
    assert_eq!(store.text("n"), "2");
}

#[test]
fn an_answer_is_kept_for_ten_minutes_and_not_a_moment_longer() {
    let mut store = Fixture::new();
    store.run_once("n", add(1), retry(1, 1)).expect("room");
    store.after_ms(ANSWER_KEPT_MS - 1).run_once("n", add(1), retry(1, 1)).expect("room");
    assert_eq!(store.text("n"), "1");
    store.after_ms(1).run_once("n", add(1), retry(1, 1)).expect("room");
    assert_eq!(store.text("n"), "2");
    store.audit();
}

#[test]
fn what_is_over_is_forgotten_by_the_sweep_and_leaves_no_memory_behind() {
    let mut store = Fixture::new();
    for number in 0..1000 {
        store.run_once(&format!("k{number}"), add(1), retry(number, 1)).expect("room");
    }
    assert!(store.store.ledger().answers() > 100_000);
    for number in 0..1000 {
        store.delete(&format!("k{number}"));
    }
    store.after_ms(6 * ANSWER_KEPT_MS).sweep_all();
    assert_eq!((store.store.ledger().answers(), store.used()), (0, 0));
}

/// The same key in two accounts is two keys: neither learns that the other used it.
#[test]
fn the_same_key_of_two_namespaces_never_meets() {
    let mut store = Fixture::new();
    for namespace in [Namespace::Shared, Namespace::Account(1), Namespace::Account(2), Namespace::System] {
        store.within(namespace);
        let answer = store.run_once("n", add(1), retry(1 << 90, 7));
        assert!(
            matches!(&answer, Ok(Reply::Stored { entry, created: true, .. }) if entry.address.namespace == namespace)
        );
    }
}

#[test]
fn when_no_more_answers_can_be_kept_new_keys_are_refused_and_old_ones_still_known() {
    let mut store = Fixture::with_memory(2_000_000);
    let mut kept = 0;
    let refusal = loop {
        match store.run_once(&format!("{{p}}{kept}"), add(1), retry(kept, 1)) {
            Ok(_) => kept += 1,
            Err(refusal) => break refusal,
        }
    };
    let limit = store.store.ledger().answer_limit();
    assert!(matches!(refusal, Refusal::AnswersFull { used, limit: its } if its == limit && used <= limit));
    assert!(kept > 200, "{kept} answers fit into {limit} bytes");
    assert!(matches!(store.run_once("{p}0", delete(), retry(kept, 1)), Err(Refusal::AnswersFull { .. })));
    let again = store.run_once("{p}0", add(1), retry(0, 1));
    assert!(matches!(&again, Ok(Reply::Stored { entry, .. }) if entry.value.content() == b"1"));
    assert_eq!(store.put("{p}0"), 2, "without a key there is room");
    store.audit();
}
