//! What a dump holds on its way back: the entry as it was, above every version its key ever had, and never over what is
//! newer.

use std::num::NonZeroU32;

use crate::fixture::{Fixture, HOUR_MS, bytes, config, json, tags};
use kvnode_core::store::answers::Idempotency;
use kvnode_core::store::attributes::Ttl;
use kvnode_core::store::command::KeyAction;
use kvnode_core::store::dumped::{Dumped, DumpedExpiry};
use kvnode_core::store::entry::{Entry, LAST_MOMENT};
use kvnode_core::store::key::Namespace;
use kvnode_core::store::outcome::{Refusal, Reply};
use kvnode_core::store::record::Record;
use kvnode_core::store::usage::{Quota, QuotaExceeded};
use kvnode_core::store::{Eviction, Store, StoreConfig};
use kvnode_core::time::UnixMillis;

/// Written an hour before the test begins.
fn dumped(store: &Fixture, text: &'static str, version: u64) -> Dumped<'static> {
    let at = UnixMillis::new(store.now.get() - HOUR_MS);
    Dumped::new(bytes(text.as_bytes()), version, at).expect("a version within bounds")
}

impl Fixture {
    fn put_back(&mut self, key: &str, dumped: &Dumped<'_>) -> Result<Reply, Refusal> {
        self.run(key, KeyAction::PutBack(dumped.clone()))
    }

    /// The version of what came back, and whether nothing was there.
    fn came_back(&mut self, key: &str, dumped: &Dumped<'_>) -> (u64, bool) {
        match self.put_back(key, dumped) {
            Ok(Reply::Stored { entry, created, previous: None }) => (entry.version.get(), created),
            other => panic!("{key} was not put back: {other:?}"),
        }
    }
}

fn expiring(mut dumped: Dumped<'_>, at: UnixMillis, ttl: u32) -> Dumped<'_> {
    dumped.expiry = Some(DumpedExpiry { at, ttl_seconds: NonZeroU32::new(ttl).expect("one at least") });
    dumped
}

#[test]
fn an_entry_comes_back_with_everything_that_it_was() {
    let mut store = Fixture::new();
    let end = store.now.plus_seconds(90);
    let mut whole = expiring(dumped(&store, "", 41), end, 7200);
    whole.value = json(r#"{"a": 1.50}"#);
    whole.tags = tags(&[("team", "shop"), ("другой", "")]);
    whole.created_at = UnixMillis::new(1_600_000_000_000);
    assert_eq!(store.came_back("k", &whole), (41, true));
    let Entry { value, version, tags, ttl, created_at, updated_at, expires_at, .. } = store.entry("k");
    assert_eq!((value, version, tags), (whole.value.clone(), whole.version(), whole.tags.clone()));
    assert_eq!((created_at, updated_at), (whole.created_at, whole.updated_at));
    assert_eq!((ttl.map(Ttl::seconds), expires_at), (Some(7200), Some(end)));
    assert_eq!(store.after_ms(89_999).version("k"), 41);
    assert_eq!(store.after_ms(1).version("k"), 0, "its end is the moment that was in the dump");
    assert_eq!(store.put("k"), 43, "and its versions go on");
    store.audit();
}

#[test]
fn what_is_as_new_or_newer_stays() {
    let mut store = Fixture::new();
    for _ in 0..3 {
        store.put_text("k", "present").expect("room");
    }
    for version in [1, 2, 3] {
        let kept = store.put_back("k", &dumped(&store, "dumped", version));
        assert!(matches!(kept, Ok(Reply::Found(entry)) if entry.version.get() == 3), "version {version}");
    }
    assert_eq!(store.text("k"), "present");
}

/// After a loss a key begins anew with 1: a higher version in the dump then says nothing, and what a client was told
/// after the loss must not go.
#[test]
fn what_was_written_later_stays_whatever_its_version() {
    let mut store = Fixture::new();
    store.put_text("k", "written after the loss").expect("room");
    let older = dumped(&store, "dumped", 57);
    assert!(matches!(store.put_back("k", &older), Ok(Reply::Found(_))));
    assert_eq!((store.text("k").as_str(), store.version("k")), ("written after the loss", 1));
    let mut newer = older;
    newer.updated_at = store.now.plus_seconds(1);
    assert_eq!(store.came_back("k", &newer), (57, false));
    assert_eq!(store.text("k"), "dumped");
}

/// R3, C43: a client may hold any version that its key ever had.
#[test]
fn a_version_is_above_all_that_its_key_had() {
    let mut store = Fixture::new();
    for _ in 0..8 {
        store.put("{p}deleted");
        store.put("{p}flushed");
    }
    store.delete("{p}deleted");
    let older = dumped(&store, "dumped", 4);
    assert_eq!(store.came_back("{p}deleted", &older), (10, true), "above the tombstone");
    store.flush();
    assert!(store.came_back("{p}flushed", &older).0 > 10, "above the floor of all that was flushed");
    let higher = dumped(&store, "dumped", 400);
    assert_eq!(store.came_back("{p}deleted", &higher), (400, true), "and its own where that is higher");
    assert!(store.delete("{p}deleted"));
    assert_eq!(store.put("{p}deleted"), 402);
    store.audit();
}

#[test]
fn twice_is_the_same_as_once() {
    let mut store = Fixture::new();
    store.put("deleted");
    store.delete("deleted");
    let end = store.now.plus_seconds(60);
    let all = [
        ("deleted", dumped(&store, "a", 1)),
        ("new", dumped(&store, "b", 9)),
        ("short", expiring(dumped(&store, "c", 2), end, 60)),
    ];
    let first = all.clone().map(|(key, dumped)| store.came_back(key, &dumped).0);
    store.after_ms(10_000);
    for ((key, dumped), version) in all.into_iter().zip(first) {
        assert!(matches!(store.put_back(key, &dumped), Ok(Reply::Found(entry)) if entry.version.get() == version));
    }
    assert_eq!(first, [3, 9, 2]);
}

#[test]
fn what_is_over_stays_away_and_takes_nothing_along() {
    let mut store = Fixture::new();
    let over = expiring(dumped(&store, "dumped", 9), store.now, 60);
    assert_eq!(store.put_back("k", &over), Ok(Reply::Absent));
    assert_eq!(store.used(), 0, "not even a tombstone");
    store.put("k");
    assert!(matches!(store.put_back("k", &over), Ok(Reply::Found(_))));
    assert_eq!(store.version("k"), 1);
    let far = expiring(dumped(&store, "dumped", 1), UnixMillis::new(u64::MAX), u32::MAX);
    store.came_back("far", &far);
    assert_eq!(store.entry("far").expires_at, Some(LAST_MOMENT));
}

#[test]
fn an_idempotency_key_has_no_say() {
    let mut store = Fixture::new();
    let idempotency = Idempotency { key: 1, request: 1 };
    let first = KeyAction::PutBack(dumped(&store, "a", 1));
    assert!(matches!(store.run_once("k", first.clone(), idempotency), Ok(Reply::Stored { .. })));
    assert!(matches!(store.run_once("k", first, idempotency), Ok(Reply::Found(_))), "it is judged anew");
    assert_eq!(store.store.ledger().answers(), 0);
}

#[test]
fn memory_and_quotas_hold_for_what_comes_back() {
    let mut store = Fixture::with_memory(6000);
    let large: &'static str = "x".repeat(4000).leak();
    store.came_back("{p}a", &dumped(&store, large, 1));
    let used = store.used();
    assert!(matches!(store.put_back("{p}b", &dumped(&store, large, 1)), Err(Refusal::MemoryFull { .. })));
    assert_eq!((store.used(), store.version("{p}b")), (used, 0));
    store.audit();

    let mut store = Fixture::evicting(Eviction::AllKeysLru, 6000);
    store.came_back("{p}a", &dumped(&store, large, 1));
    store.came_back("{p}b", &dumped(&store, large, 1));
    assert_eq!(store.version("{p}a"), 0, "it made room");

    let mut store = Fixture::new();
    store.store.ledger().set_account_quota(Quota { keys_max: 1, bytes_max: 100 });
    store.within(Namespace::Account(1));
    let refused = store.put_back("a", &dumped(&store, large, 1));
    assert!(matches!(refused, Err(Refusal::QuotaExceeded(QuotaExceeded::Bytes { .. }))));
    store.came_back("a", &dumped(&store, "small", 1));
    let refused = store.put_back("b", &dumped(&store, "small", 1));
    assert!(matches!(refused, Err(Refusal::QuotaExceeded(QuotaExceeded::Keys { max: 1 }))));
    store.audit();
}

/// R8
#[test]
fn it_is_recorded_like_every_write() {
    let mut store = Fixture::new();
    store.store.record_changes();
    let end = store.now.plus_seconds(60);
    let mut whole = expiring(dumped(&store, "dumped", 1 << 40), end, 61);
    whole.tags = tags(&[("a", "b")]);
    store.came_back("k", &whole);
    store.put_back("k", &whole).expect("it stays");
    let mut copy = Store::new(&StoreConfig { hash_seed: 8, ..config(1 << 30) });
    let mut records = Vec::new();
    store.store.take_records(|number, record| records.push((number, record.to_vec())));
    assert_eq!(records.len(), 1, "what stays is no news");
    for (number, record) in &records {
        copy.restore(*number, &Record::decode(record).expect("a record")).expect("its own partition");
    }
    let entry = store.entry("k");
    store.store = copy;
    assert_eq!(store.entry("k"), entry);
}
