//! The audit trail: who did what, newest first, for 30 days. It is kept in the memory of the node that did it, within a
//! bound (docs/decisions/014). A request leaves its event in a queue and goes on; a queue that is full loses events,
//! and says so in a metric, rather than make anyone wait.

use std::collections::{HashMap, VecDeque};
use std::mem::size_of;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use kvnode_core::store::attributes::Version;
use kvnode_core::store::key::Namespace;
use kvnode_core::time::UnixMillis;
use serde::Serialize;

use super::accounts;
use super::directory::Account;

/// C88: what the queue Redis of the seed was for.
pub(crate) const QUEUE_EVENTS_MAX: usize = 10_000;

/// 30 days.
const KEPT_MILLIS: u64 = 30 * 24 * 60 * 60 * 1000;

/// All trails together may take this part of the memory limit. It stands beside the data, not within it, as the limit
/// leaves a fifth of the memory to the rest of the process.
const PART_OF_MEMORY: u64 = 64;

/// A node with little memory keeps some thousand events all the same.
const BYTES_MIN: u64 = 1 << 20;

/// When room is made, it is made for this part: to find the longest trails looks at all of them.
const PART_DROPPED: u64 = 8;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    namespace: Namespace,
    /// One of the words of operations, or of what accounts and keys go through.
    pub(crate) kind: &'static str,
    pub(crate) at: UnixMillis,
    pub(crate) details: Details,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
}

impl Event {
    pub(crate) fn new(namespace: Namespace, kind: &'static str, at: UnixMillis) -> Self {
        Self { namespace, kind, at, details: Details::default() }
    }

    pub(super) fn of(account: &Account, kind: &'static str, at: UnixMillis) -> Self {
        Self::new(accounts::namespace(account), kind, at)
    }

    pub(crate) fn about(mut self, key: &str, version: Option<Version>) -> Self {
        self.details = Details { key: Some(key.into()), version: version.map(Version::get) };
        self
    }

    fn bytes(&self) -> u64 {
        (size_of::<Self>() + self.details.key.as_ref().map_or(0, |key| key.len())) as u64
    }
}

#[derive(Debug)]
pub(crate) struct Audit {
    queue: SyncSender<Event>,
    trails: Mutex<Trails>,
    lost: AtomicU64,
    /// In development an event is there before its answer.
    at_once: bool,
}

#[derive(Debug)]
struct Trails {
    arrived: Receiver<Event>,
    of: HashMap<Namespace, Trail>,
    bytes: u64,
    bytes_max: u64,
}

#[derive(Debug, Default)]
struct Trail {
    /// Oldest first.
    events: VecDeque<Event>,
    bytes: u64,
}

/// What a turn of the writer did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) events: usize,
    pub(crate) lost: u64,
}

impl Audit {
    pub(crate) fn new(memory_limit: u64, at_once: bool) -> Self {
        Self::with_bounds(QUEUE_EVENTS_MAX, (memory_limit / PART_OF_MEMORY).max(BYTES_MIN), at_once)
    }

    fn with_bounds(queued_max: usize, bytes_max: u64, at_once: bool) -> Self {
        let (queue, arrived) = sync_channel(queued_max);
        let trails = Trails { arrived, of: HashMap::new(), bytes: 0, bytes_max };
        Self { queue, trails: Mutex::new(trails), lost: AtomicU64::new(0), at_once }
    }

    pub(crate) fn note(&self, event: Event) {
        if self.at_once {
            self.trails().keep(event);
        } else if self.queue.try_send(event).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes what has arrived.
    pub(crate) fn write(&self) -> Written {
        let events = self.trails().take_arrived();
        Written { events, lost: self.lost.swap(0, Ordering::Relaxed) }
    }

    /// What is too old is not told any more; this frees its memory.
    pub(crate) fn forget_old(&self, now: UnixMillis) {
        self.trails().forget_old(now);
    }

    /// The newest events of a namespace, not older than `since`, newest first. What has arrived is among them.
    pub(crate) fn newest(&self, namespace: Namespace, since: UnixMillis, limit: usize, now: UnixMillis) -> Vec<Event> {
        let mut trails = self.trails();
        trails.take_arrived();
        let Some(trail) = trails.of.get(&namespace) else { return Vec::new() };
        let mut found: Vec<Event> =
            trail.events.iter().rev().filter(|event| event.at >= since && !is_old(event, now)).cloned().collect();
        drop(trails);
        // Threads hand in their events a little out of order.
        found.sort_by_key(|event| std::cmp::Reverse(event.at));
        found.truncate(limit);
        found
    }

    /// For a namespace that is no more.
    pub(super) fn forget(&self, namespace: Namespace) {
        let mut trails = self.trails();
        trails.take_arrived();
        if let Some(trail) = trails.of.remove(&namespace) {
            trails.bytes -= trail.bytes;
        }
    }

    fn trails(&self) -> std::sync::MutexGuard<'_, Trails> {
        self.trails.lock().expect("nothing that could panic runs under this lock")
    }
}

fn is_old(event: &Event, now: UnixMillis) -> bool {
    event.at.plus_millis(KEPT_MILLIS) <= now
}

impl Trails {
    fn take_arrived(&mut self) -> usize {
        let mut events = 0;
        // Others go on sending, so not more than a queue is taken in one turn.
        while events < QUEUE_EVENTS_MAX
            && let Ok(event) = self.arrived.try_recv()
        {
            self.keep(event);
            events += 1;
        }
        events
    }

    fn keep(&mut self, event: Event) {
        let bytes = event.bytes();
        let trail = self.of.entry(event.namespace).or_default();
        trail.events.push_back(event);
        trail.bytes += bytes;
        self.bytes += bytes;
        if self.bytes > self.bytes_max {
            self.make_room();
        }
    }

    /// Cuts the longest trails, all to one length, until there is room: who does much cannot push out the trails of those
    /// who do little.
    fn make_room(&mut self) {
        let allowed = self.bytes_max - self.bytes_max / PART_DROPPED;
        let mut lengths: Vec<u64> = self.of.values().map(|trail| trail.bytes).collect();
        lengths.sort_unstable();
        let mut left = allowed;
        let mut trails = lengths.len() as u64;
        let mut level = u64::MAX;
        for length in lengths {
            if length > left / trails {
                level = left / trails;
                break;
            }
            left -= length;
            trails -= 1;
        }
        for trail in self.of.values_mut() {
            while trail.bytes > level
                && let Some(oldest) = trail.events.pop_front()
            {
                trail.bytes -= oldest.bytes();
                self.bytes -= oldest.bytes();
            }
        }
        self.of.retain(|_, trail| !trail.events.is_empty());
    }

    fn forget_old(&mut self, now: UnixMillis) {
        for trail in self.of.values_mut() {
            while trail.events.front().is_some_and(|event| is_old(event, now))
                && let Some(oldest) = trail.events.pop_front()
            {
                trail.bytes -= oldest.bytes();
                self.bytes -= oldest.bytes();
            }
        }
        self.of.retain(|_, trail| !trail.events.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis::new(1_700_000_000_000);
    const ALICE: Namespace = Namespace::Account(1);
    const BOB: Namespace = Namespace::Account(2);

    fn event(namespace: Namespace, number: u64) -> Event {
        let at = NOW.plus_millis(number);
        Event::new(namespace, "create", at).about(&format!("k{number}"), Some(Version::new(number)))
    }

    fn keys(events: &[Event]) -> Vec<&str> {
        events.iter().filter_map(|event| event.details.key.as_deref()).collect()
    }

    fn all(audit: &Audit, namespace: Namespace) -> Vec<Event> {
        audit.newest(namespace, UnixMillis::default(), usize::MAX, NOW)
    }

    /// C64, C74
    #[test]
    fn events_are_told_newest_first_and_to_their_own_namespace_alone() {
        let audit = Audit::new(0, false);
        for number in 1..=5 {
            audit.note(event(if number == 3 { BOB } else { ALICE }, number));
        }
        assert_eq!(keys(&all(&audit, ALICE)), ["k5", "k4", "k2", "k1"]);
        assert_eq!(keys(&all(&audit, BOB)), ["k3"]);
        assert_eq!(keys(&audit.newest(ALICE, NOW.plus_millis(2), 2, NOW)), ["k5", "k4"]);
        assert_eq!(keys(&audit.newest(ALICE, NOW.plus_millis(4), 100, NOW)), ["k5", "k4"]);
        let details = serde_json::to_value(&all(&audit, BOB)[0].details).expect("JSON");
        assert_eq!(details, serde_json::json!({"key": "k3", "version": 3}));
    }

    /// C64
    #[test]
    fn after_thirty_days_an_event_is_gone() {
        let audit = Audit::new(0, true);
        audit.note(event(ALICE, 0));
        let day = 24 * 60 * 60 * 1000;
        let last = NOW.plus_millis(30 * day - 1);
        assert_eq!(audit.newest(ALICE, UnixMillis::default(), 100, last).len(), 1);
        let over = NOW.plus_millis(30 * day);
        assert!(audit.newest(ALICE, UnixMillis::default(), 100, over).is_empty());
        audit.forget_old(over);
        let trails = audit.trails();
        assert_eq!((trails.bytes, trails.of.len()), (0, 0));
    }

    /// C73, C88
    #[test]
    fn a_full_queue_loses_events_and_counts_them_and_nobody_waits() {
        let audit = Audit::with_bounds(10, 1 << 20, false);
        for number in 0..25 {
            audit.note(event(ALICE, number));
        }
        assert_eq!(audit.write(), Written { events: 10, lost: 15 });
        assert_eq!(audit.write(), Written::default());
        assert_eq!(all(&audit, ALICE).len(), 10);
    }

    /// C75
    #[test]
    fn at_once_means_that_no_writer_is_needed() {
        let audit = Audit::with_bounds(0, 1 << 20, true);
        audit.note(event(ALICE, 0));
        assert_eq!(audit.trails().of[&ALICE].events.len(), 1);
    }

    #[test]
    fn trails_are_bounded_and_who_does_much_pushes_out_nobody_who_does_little() {
        let bytes_max = 100 * event(ALICE, 1000).bytes();
        let audit = Audit::with_bounds(10, bytes_max, true);
        for number in 1000..1010 {
            audit.note(event(BOB, number));
        }
        for number in 1000..5000 {
            audit.note(event(ALICE, number));
            assert!(audit.trails().bytes <= bytes_max);
        }
        assert_eq!(all(&audit, BOB).len(), 10);
        let kept = all(&audit, ALICE);
        assert!(kept.len() > 70, "{}", kept.len());
        assert_eq!(keys(&kept)[0], "k4999");
        let trails = audit.trails();
        let recounted: u64 = trails.of.values().flat_map(|trail| &trail.events).map(Event::bytes).sum();
        assert_eq!(trails.bytes, recounted);
    }

    #[test]
    fn a_deleted_account_leaves_no_trail() {
        let audit = Audit::new(0, false);
        audit.note(event(ALICE, 1));
        audit.note(event(BOB, 2));
        audit.forget(ALICE);
        assert!(all(&audit, ALICE).is_empty());
        assert_eq!(all(&audit, BOB).len(), 1);
    }
}
