//! Arbitrary steps: any command about any few keys of any namespace, and sweeps.

use std::borrow::Cow;
use std::num::NonZeroU32;

use crate::fixture::tags;
use kvnode_core::patch::{Patch, PatchKind};
use kvnode_core::store::attributes::{Tags, Ttl, Version};
use kvnode_core::store::change::NewValue;
use kvnode_core::store::command::{
    AllCommand, Command, KeyAction, KeyCommand, List, NewExpiry, NewTags, PageLimit, Sorted, Write,
};
use kvnode_core::store::condition::{Condition, ExpiryRule};
use kvnode_core::store::cursor::Cursor;
use kvnode_core::store::dumped::{Dumped, DumpedExpiry};
use kvnode_core::store::fraction::Fraction;
use kvnode_core::store::key::{Address, Key, KeyPart, Namespace};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::value::Value;
use kvnode_core::time::UnixMillis;
use kvnode_sim::workload::{COLLIDING_KEYS, NAMESPACES, Step};
use proptest::prelude::*;

/// Steps happen at any moments within this from the first one on, in no order.
pub(crate) const SPAN_MS: u64 = 40_000;
const FIRST_MS: u64 = 1_000_000;

pub(crate) fn any_moment() -> impl Strategy<Value = UnixMillis> {
    (0..SPAN_MS).prop_map(|milliseconds| UnixMillis::new(FIRST_MS + milliseconds))
}

pub(crate) fn any_step() -> impl Strategy<Value = Step> {
    let key_step = |address, action| Step::Execute(Command::Key(KeyCommand::new(address, action)));
    prop_oneof![
        8 => (any_address(), any_write())
            .prop_map(move |(address, write)| key_step(address, KeyAction::Write(write))),
        2 => (any_address(), any_dumped())
            .prop_map(move |(address, dumped)| key_step(address, KeyAction::PutBack(dumped))),
        2 => any_address().prop_map(move |address| key_step(address, KeyAction::Get)),
        3 => (any_address(), any_conditions(), any::<bool>()).prop_map(move |(address, conditions, with_previous)| {
            key_step(address, KeyAction::Delete { conditions, with_previous })
        }),
        3 => any_question().prop_map(|question| Step::Execute(Command::All(question))),
        1 => (1..5_usize).prop_map(|turn| Step::Sweep { turn }),
    ]
}

pub(crate) fn any_address() -> impl Strategy<Value = Address<'static>> {
    // Few distinct keys, so that commands meet; the second form is any text that is a key at all.
    let text = prop_oneof![
        6 => "[ab]{1,2}",
        1 => prop::sample::select(&COLLIDING_KEYS[..]).prop_map(str::to_owned),
        1 => "\\PC{1,20}",
    ];
    (any_namespace(), text).prop_filter_map("no key", |(namespace, text)| {
        let key = Key::new(&text, &Limits::default()).ok()?.into_owned();
        Some(Address { namespace, key })
    })
}

fn any_namespace() -> impl Strategy<Value = Namespace> {
    prop::sample::select(&NAMESPACES[..])
}

fn any_write() -> impl Strategy<Value = Write<'static>> {
    (any_new_value(), any_expiry(), any_tags(), any_conditions(), any::<bool>()).prop_map(
        |(value, expiry, tags, conditions, with_previous)| Write { value, expiry, tags, conditions, with_previous },
    )
}

fn any_new_value() -> impl Strategy<Value = NewValue<'static>> {
    let number = || prop_oneof![3 => -20..20_i64, 1 => any::<i64>()];
    let set = prop_oneof![
        number().prop_map(|number| json(&number.to_string())),
        "[ ]?(\"[a-c]{0,3}\"|\\[1, 2\\]|-?[1-9]\\.5)[ ]?".prop_map(|text| json(&text)),
        any_bytes().prop_map(|bytes| Value::bytes(&bytes, &Limits::default()).expect("few bytes").into_owned()),
    ];
    prop_oneof![
        4 => set.prop_map(NewValue::Set),
        1 => Just(NewValue::Keep),
        1 => any_bytes().prop_map(|bytes| NewValue::Append(Cow::Owned(bytes))),
        1 => (0..60_usize, any_bytes())
            .prop_map(|(offset, bytes)| NewValue::Overwrite { offset, bytes: Cow::Owned(bytes) }),
        1 => number().prop_map(NewValue::AddInteger),
        1 => (-8..8_i32).prop_map(|quarters| {
            let text = (f64::from(quarters) / 4.0).to_string();
            NewValue::AddFraction(Fraction::parse(text.as_bytes()).expect("a number"))
        }),
        2 => any_patch().prop_map(NewValue::Patch),
    ]
}

fn any_patch() -> impl Strategy<Value = Patch<'static>> {
    let bodies = [
        (PatchKind::Merge, r#"{"a":{"b":null,"c":1}}"#),
        (PatchKind::Merge, "[1]"),
        (PatchKind::Shallow, r#"{"a":null}"#),
        (PatchKind::Shallow, "\"text\""),
        (PatchKind::Operations, r#"[{"op":"add","path":"/b","value":1}]"#),
        (PatchKind::Operations, r#"[{"op":"test","path":"","value":7}]"#),
    ];
    prop::sample::select(bodies.to_vec()).prop_map(|(kind, body)| {
        Patch::parse(kind, body.as_bytes(), &Limits::default().of_patches()).expect("a good patch")
    })
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[0-9]{1,2}".prop_map(String::into_bytes),
        " ".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..50),
        (200..2000_usize).prop_map(|len| vec![b'x'; len]),
    ]
}

fn any_ttl() -> impl Strategy<Value = Ttl> {
    (1..100_000_u64).prop_map(|milliseconds| Ttl::from_millis(milliseconds).expect("a short ttl").expect("not zero"))
}

fn any_expiry() -> impl Strategy<Value = NewExpiry> {
    prop_oneof![
        Just(NewExpiry::Never),
        Just(NewExpiry::Keep),
        any_ttl().prop_map(NewExpiry::KeepOrAfter),
        any_ttl().prop_map(NewExpiry::After),
        any_moment().prop_map(NewExpiry::At),
    ]
}

fn any_dumped() -> impl Strategy<Value = Dumped<'static>> {
    let expiry = (any_moment(), 1..u32::MAX).prop_map(|(at, ttl_seconds)| DumpedExpiry {
        at,
        ttl_seconds: NonZeroU32::new(ttl_seconds).expect("one at least"),
    });
    let version = prop_oneof![3 => 1..8_u64, 1 => 1..1_u64 << 61];
    let tags = any_tags().prop_map(|tags| if let NewTags::Set(tags) = tags { tags } else { Tags::default() });
    (any_bytes(), version, any_moment(), any_moment(), prop::option::of(expiry), tags).prop_map(
        |(bytes, version, created_at, updated_at, expiry, tags)| {
            let value = Value::bytes(&bytes, &Limits::default()).expect("few bytes").into_owned();
            let mut dumped = Dumped::new(value, version, updated_at).expect("a version within bounds");
            (dumped.tags, dumped.created_at, dumped.expiry) = (tags, created_at, expiry);
            dumped
        },
    )
}

fn any_tags() -> impl Strategy<Value = NewTags> {
    let pairs = prop::collection::btree_map("[a-c]", "[01]|\\PC{0,5}", 0..3);
    prop_oneof![
        Just(NewTags::Keep),
        pairs.prop_map(|pairs| {
            let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            NewTags::Set(Tags::new(pairs, &Limits::default()).expect("few short tags"))
        }),
        Just(NewTags::Set(tags(&[("a", "0"), ("b", "1")]))),
    ]
}

fn any_conditions() -> impl Strategy<Value = Vec<Condition>> {
    let version = || (0..6_u64).prop_map(Version::new);
    let versions = || prop::collection::vec(version(), 0..3);
    let rule = prop_oneof![
        Just(ExpiryRule::None),
        Just(ExpiryRule::Some),
        any_moment().prop_map(ExpiryRule::Before),
        any_moment().prop_map(ExpiryRule::After),
    ];
    let one = prop_oneof![
        version().prop_map(Condition::IfVersion),
        versions().prop_map(Condition::IfMatch),
        Just(Condition::IfMatchAny),
        versions().prop_map(Condition::IfNoneMatch),
        Just(Condition::IfNoneMatchAny),
        any_bytes().prop_map(|bytes| Condition::IfContent(bytes.into())),
        rule.prop_map(Condition::IfExpiry),
    ];
    prop_oneof![3 => Just(vec![]), 2 => prop::collection::vec(one, 1..3)]
}

fn any_question() -> impl Strategy<Value = AllCommand> {
    let cursor = prop_oneof!["[abc]{0,2}".prop_map(|key| Cursor::of(&key)), Just(Cursor::of(COLLIDING_KEYS[0]))];
    let list = (any_namespace(), any_prefix(), prop::option::of(cursor), any_page_limit())
        .prop_map(|(namespace, prefix, after, limit)| AllCommand::List(List { namespace, prefix, after, limit }));
    let tags = prop_oneof![
        Just(vec![]),
        Just(vec![("a".into(), "0".into())]),
        Just(vec![("b".into(), "1".into()), ("a".into(), "0".into())])
    ];
    let sorted = (any_namespace(), any_prefix(), tags, 0..4_usize, any_page_limit()).prop_map(
        |(namespace, prefix, tags, skip, limit)| AllCommand::Sorted(Sorted { namespace, prefix, tags, skip, limit }),
    );
    prop_oneof![
        3 => list,
        3 => sorted,
        2 => any_namespace().prop_map(AllCommand::Count),
        1 => any_namespace().prop_map(AllCommand::Flush),
    ]
}

fn any_prefix() -> impl Strategy<Value = KeyPart> {
    "[ab]{0,1}".prop_map(|text| KeyPart::new(&text, "prefix", &Limits::default()).expect("short"))
}

fn any_page_limit() -> impl Strategy<Value = PageLimit> {
    (1..5_usize).prop_map(|limit| PageLimit::new(limit).expect("within the range"))
}

fn json(text: &str) -> Value<'static> {
    Value::json(text, &Limits::default()).expect("JSON").into_owned()
}
