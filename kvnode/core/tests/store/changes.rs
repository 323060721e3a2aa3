//! Values made of present ones, and what a write keeps, shows and leaves alone.

use std::borrow::Cow;

use crate::fixture::{Fixture, HOUR_MS, bytes, if_version, json, tags};
use kvnode_core::patch::{Patch, PatchError, PatchKind};
use kvnode_core::store::attributes::Ttl;
use kvnode_core::store::change::{ChangeError, NewValue};
use kvnode_core::store::command::{KeyAction, NewExpiry, NewTags, Write};
use kvnode_core::store::condition::Condition;
use kvnode_core::store::fraction::Fraction;
use kvnode_core::store::limits::{InputError, Limits};
use kvnode_core::store::outcome::{Refusal, Reply};
use kvnode_core::store::value::Kind;

fn append(text: &str) -> NewValue<'_> {
    NewValue::Append(Cow::Borrowed(text.as_bytes()))
}

fn add(text: &str) -> NewValue<'static> {
    NewValue::AddFraction(Fraction::parse(text.as_bytes()).expect("a number"))
}

fn overwrite(offset: usize, text: &str) -> NewValue<'_> {
    NewValue::Overwrite { offset, bytes: Cow::Borrowed(text.as_bytes()) }
}

#[test]
fn every_change_makes_its_value_of_the_present_one() {
    let cases = [
        (NewValue::Set(bytes(b"new")), "old", "new"),
        (NewValue::Keep, "old", "old"),
        (append("er"), "old", "older"),
        (append(""), "old", "old"),
        (overwrite(0, "b"), "old", "bld"),
        (overwrite(2, "xyz"), "old", "olxyz"),
        (overwrite(5, "!"), "old", "old\0\0!"),
        (NewValue::AddInteger(-8), "5", "-3"),
        (NewValue::AddInteger(0), "9223372036854775807", "9223372036854775807"),
        (add("0.25"), "10.5", "10.75"),
        (add("-1.0"), "1", "0"),
        (add("0.1"), "1000", "1000.09999999999999998"),
    ];
    let mut store = Fixture::new();
    for (number, (change, before, after)) in cases.into_iter().enumerate() {
        let key = format!("key{number}");
        store.put_text(&key, before).expect("room");
        assert_eq!(store.change(&key, change.clone()), Ok(2), "{change:?}");
        assert_eq!(store.text(&key), after, "{change:?} of {before}");
    }
    store.audit();
}

/// A patch is a change like any other: what it does not speak of stays, and it counts even if nothing comes of it.
#[test]
fn a_patch_keeps_expiry_and_tags_and_adds_one_to_the_version() {
    let limits = Limits::default();
    let patch = |kind, body: &'static str| {
        NewValue::Patch(Patch::parse(kind, body.as_bytes(), &limits.of_patches()).expect("a good patch"))
    };
    let mut store = Fixture::new();
    let write =
        Write::put(json(r#"{"a":1}"#)).living(Ttl::from_seconds(60).expect("a ttl")).tagged(tags(&[("t", "v")]));
    store.store("k", write).expect("room");
    let before = store.entry("k");
    store.after_ms(5000);
    assert_eq!(store.change("k", patch(PatchKind::Merge, r#"{"b":null}"#)), Ok(2), "nothing changes but the version");
    assert_eq!(store.change("k", patch(PatchKind::Shallow, r#"{"b":null}"#)), Ok(3));
    let after = store.entry("k");
    assert_eq!(after.value.content(), br#"{"a":1,"b":null}"#);
    assert_eq!((after.expires_at, after.ttl, after.tags), (before.expires_at, before.ttl, before.tags));
    let refused = store.change("k", patch(PatchKind::Operations, r#"[{"op":"test","path":"/a","value":2}]"#));
    assert!(matches!(refused, Err(Refusal::Change(ChangeError::Patch(PatchError::TestFailed { .. })))));
    assert_eq!(store.version("k"), 3);
    store.audit();
}

#[test]
fn every_change_makes_something_of_nothing() {
    let cases = [
        (NewValue::Set(bytes(b"new")), "new"),
        (NewValue::Keep, ""),
        (append("end"), "end"),
        (overwrite(2, "x"), "\0\0x"),
        (NewValue::AddInteger(7), "7"),
        (add("-0.5"), "-0.5"),
    ];
    let mut store = Fixture::new();
    for (number, (change, after)) in cases.into_iter().enumerate() {
        let key = format!("key{number}");
        assert_eq!(store.change(&key, change.clone()), Ok(1), "{change:?}");
        assert_eq!(store.text(&key), after, "{change:?}");
        assert_eq!(store.entry(&key).value.kind(), Kind::Bytes);
    }
}

#[test]
fn a_change_that_is_refused_leaves_the_entry_as_it_was() {
    let cases = [
        (NewValue::AddInteger(1), "one", ChangeError::NotAnInteger),
        (NewValue::AddInteger(1), "9223372036854775807", ChangeError::Overflow),
        (NewValue::AddInteger(-1), "-9223372036854775808", ChangeError::Overflow),
        (add("1.0"), "one", ChangeError::NotAFloat),
        (add("1e4932"), "1.1e4932", ChangeError::NotFinite),
        (
            overwrite(2 << 20, "x"),
            "old",
            ChangeError::Limit(InputError::ValueTooLarge { bytes: (2 << 20) + 1, max: 2 << 20 }),
        ),
    ];
    let mut store = Fixture::new();
    for (change, before, error) in cases {
        store.put_text("k", before).expect("room");
        let (entry, used) = (store.entry("k"), store.used());
        assert_eq!(store.after_ms(1).change("k", change.clone()), Err(Refusal::Change(error)), "{change:?}");
        assert_eq!((store.entry("k"), store.used()), (entry, used));
    }
}

/// What was written through HTTP as JSON must be readable there as JSON, whoever changes it.
#[test]
fn json_stays_json_under_every_change() {
    let mut store = Fixture::new();
    store.store("n", Write::put(json("10"))).expect("room");
    store.change("n", NewValue::AddInteger(5)).expect("an integer");
    store.change("n", add("0.5")).expect("a float");
    store.change("n", append("5")).expect("15.55 is JSON");
    store.change("n", overwrite(0, "2")).expect("25.55 is JSON");
    store.change("n", NewValue::Keep).expect("room");
    assert_eq!((store.text("n").as_str(), store.entry("n").value.kind()), ("25.55", Kind::Json));
    for change in [append(" apples"), overwrite(0, "x"), overwrite(9, "1")] {
        let refused = store.change("n", change);
        assert!(matches!(refused, Err(Refusal::Change(ChangeError::NoLongerJson { .. }))), "{refused:?}");
    }
    assert_eq!(store.text("n"), "25.55");
    store.change("n", NewValue::Set(bytes(b"apples"))).expect("what is set may be of any kind");
    assert_eq!(store.entry("n").value.kind(), Kind::Bytes);
}

#[test]
fn a_change_keeps_tags_and_expiry_and_a_put_replaces_both() {
    let mut store = Fixture::new();
    let ttl = Ttl::from_seconds(3600).expect("an hour");
    store.store("k", Write::put(json("1")).living(ttl).tagged(tags(&[("a", "b")]))).expect("room");
    let ends = store.entry("k").expires_at;
    store.after_ms(1000).change("k", NewValue::AddInteger(1)).expect("an integer");
    let entry = store.entry("k");
    assert_eq!((entry.ttl, entry.expires_at, entry.tags), (ttl, ends, tags(&[("a", "b")])));
    let tagged = Write { tags: NewTags::Set(tags(&[("c", "d")])), ..Write::change(NewValue::Keep) };
    store.store("k", tagged).expect("room");
    assert_eq!((store.entry("k").tags, store.entry("k").expires_at), (tags(&[("c", "d")]), ends));
    store.put("k");
    let entry = store.entry("k");
    assert_eq!((entry.ttl, entry.expires_at, entry.tags), (None, None, tags(&[])));
    store.after_ms(HOUR_MS);
    assert_eq!(store.version("k"), 4);
}

fn previous(reply: Reply) -> Option<String> {
    let (Reply::Stored { previous, .. } | Reply::Deleted { previous, .. }) = reply else { panic!("nothing was done") };
    previous.map(|previous| String::from_utf8(previous.into()).expect("text"))
}

#[test]
fn the_previous_content_is_shown_to_whoever_asks_and_to_nobody_else() {
    let mut store = Fixture::new();
    let asking = |text: &'static str| Write { with_previous: true, ..Write::put(bytes(text.as_bytes())) };
    assert_eq!(previous(store.write("k", asking("one")).expect("room")), None, "there was nothing");
    assert_eq!(previous(store.write("k", asking("two")).expect("room")).as_deref(), Some("one"));
    assert_eq!(previous(store.write("k", Write::put(bytes(b"three"))).expect("room")), None, "nobody asked");
    let delete = KeyAction::Delete { conditions: vec![], with_previous: true };
    assert_eq!(previous(store.run("k", delete.clone()).expect("no condition")).as_deref(), Some("three"));
    assert_eq!(store.run("k", delete), Ok(Reply::Absent));
    assert_eq!(previous(store.write("k", asking("four")).expect("room")), None, "a tombstone has no content");
}

#[test]
fn the_previous_content_is_shown_when_a_past_moment_deletes_and_when_a_condition_fails() {
    let mut store = Fixture::new();
    store.put_text("k", "one").expect("room");
    let refused = Write { with_previous: true, ..Write::put(bytes(b"two")).only(vec![if_version(9)]) };
    match store.write("k", refused.clone()) {
        Err(Refusal::VersionMismatch { previous, .. }) => assert_eq!(previous.as_deref(), Some(&b"one"[..])),
        other => panic!("answered {other:?}"),
    }
    let past = NewExpiry::At(store.now);
    let ending = Write { with_previous: true, expiry: past, ..Write::change(NewValue::Keep) };
    assert_eq!(previous(store.write("k", ending).expect("no condition")).as_deref(), Some("one"));
    match store.write("k", refused) {
        Err(Refusal::VersionMismatch { previous, .. }) => assert_eq!(previous, None, "there is nothing to show"),
        other => panic!("answered {other:?}"),
    }
}

#[test]
fn a_content_can_be_demanded() {
    let mut store = Fixture::new();
    let only = |text: &'static str| vec![Condition::IfContent(text.as_bytes().into())];
    assert!(store.store("k", Write::put(bytes(b"x")).only(only(""))).is_err(), "nothing is not an empty content");
    store.put_text("k", "old").expect("room");
    assert!(store.store("k", Write::put(bytes(b"new")).only(only("ol"))).is_err());
    assert_eq!(store.store("k", Write::put(bytes(b"new")).only(only("old"))), Ok(2));
}
