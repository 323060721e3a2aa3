//! Operations as they happen, for whoever looks on. Nobody who works waits for somebody who looks: a watcher that falls
//! behind is told how many operations it missed. While nobody looks on, an operation costs one look at a counter.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kvnode_core::store::key::Namespace;
use kvnode_core::time::UnixMillis;
use serde::Serialize;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use uuid::Uuid;

use crate::clock::rfc3339;

/// Lines a watcher may be behind: a hundredth of a second of a busy node, in less than half a mebibyte for all watchers
/// together.
const LINES_BEHIND_MAX: usize = 1024;

/// Every watcher is woken by every operation; people who look on are few.
const WATCHERS_MAX: usize = 16;

#[derive(Debug)]
pub(crate) struct Monitor {
    watchers: AtomicUsize,
    lines: broadcast::Sender<Arc<str>>,
}

/// One operation on one key, or on all keys of a namespace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'o> {
    pub(crate) protocol: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) status: &'static str,
    pub(crate) namespace: Namespace,
    pub(crate) key: Option<&'o str>,
    /// Zero where there is none.
    pub(crate) version: u64,
}

#[derive(Serialize)]
struct Line<'o> {
    time: String,
    protocol: &'static str,
    operation: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'o str>,
    #[serde(skip_serializing_if = "is_zero")]
    version: u64,
}

#[derive(Serialize)]
struct Lost {
    lost: u64,
}

/// Somebody who looks on, until it is dropped.
#[derive(Debug)]
pub(crate) struct Watcher {
    monitor: Arc<Monitor>,
    lines: broadcast::Receiver<Arc<str>>,
}

impl Monitor {
    pub(crate) fn new() -> Self {
        Self { watchers: AtomicUsize::new(0), lines: broadcast::Sender::new(LINES_BEHIND_MAX) }
    }

    /// Makes the line only when somebody looks on. Values are never shown.
    pub(crate) fn show(&self, now: impl FnOnce() -> UnixMillis, seen: &Seen<'_>) {
        if self.watchers.load(Ordering::Relaxed) == 0 || seen.namespace == Namespace::System {
            return;
        }
        let line = Line {
            time: rfc3339(now()),
            protocol: seen.protocol,
            operation: seen.operation,
            status: seen.status,
            tenant_id: match seen.namespace {
                Namespace::Account(id) => Some(Uuid::from_u128(id)),
                Namespace::Shared | Namespace::System => None,
            },
            key: seen.key,
            version: seen.version,
        };
        // The last watcher may have gone this moment.
        let _ = self.lines.send(text(&line));
    }

    /// None when there are as many as may be.
    pub(crate) fn watch(self: &Arc<Self>) -> Option<Watcher> {
        let room = |watchers| (watchers < WATCHERS_MAX).then_some(watchers + 1);
        self.watchers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).ok()?;
        Some(Watcher { lines: self.lines.subscribe(), monitor: Arc::clone(self) })
    }
}

impl Watcher {
    /// The next line, with its line end.
    pub(crate) async fn next(&mut self) -> Arc<str> {
        match self.lines.recv().await {
            Ok(line) => line,
            Err(RecvError::Lagged(lost)) => text(&Lost { lost }),
            Err(RecvError::Closed) => unreachable!("the monitor is held here and keeps its sender"),
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.monitor.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

fn text(line: &impl Serialize) -> Arc<str> {
    let mut text = serde_json::to_string(line).expect("texts and numbers are always JSON");
    text.push('\n');
    text.into()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(version: &u64) -> bool {
    *version == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Seen<'_> = Seen {
        protocol: "http",
        operation: "read",
        status: "success",
        namespace: Namespace::Shared,
        key: Some("k"),
        version: 3,
    };

    fn now() -> UnixMillis {
        UnixMillis::new(0)
    }

    #[test]
    fn nobody_looks_on_and_no_line_is_made() {
        let monitor = Monitor::new();
        monitor.show(|| panic!("the time is asked for a line"), &READ);
    }

    #[tokio::test]
    async fn a_watcher_sees_what_happens_while_it_looks_on() {
        let monitor = Arc::new(Monitor::new());
        let mut watcher = monitor.watch().expect("room");
        monitor.show(now, &READ);
        monitor.show(now, &Seen { namespace: Namespace::Account(5), key: None, version: 0, ..READ });
        let first = r#"{"time":"1970-01-01T00:00:00.000Z","protocol":"http","operation":"read","status":"success","key":"k","version":3}"#;
        assert_eq!(watcher.next().await.as_ref(), format!("{first}\n"));
        assert!(watcher.next().await.contains(r#""tenant_id":"00000000-0000-0000-0000-000000000005""#));
        drop(watcher);
        monitor.show(|| panic!("nobody looks on"), &READ);
    }

    /// Accounts and their passwords' hashes live there.
    #[tokio::test]
    async fn what_the_node_keeps_for_itself_is_not_shown() {
        let monitor = Arc::new(Monitor::new());
        let mut watcher = monitor.watch().expect("room");
        monitor.show(now, &Seen { namespace: Namespace::System, key: Some("account"), ..READ });
        monitor.show(now, &READ);
        assert!(watcher.next().await.contains(r#""key":"k""#));
    }

    #[tokio::test]
    async fn a_watcher_that_falls_behind_is_told_how_much_it_missed() {
        let monitor = Arc::new(Monitor::new());
        let mut watcher = monitor.watch().expect("room");
        for version in 1..=LINES_BEHIND_MAX as u64 + 7 {
            monitor.show(now, &Seen { version, ..READ });
        }
        assert_eq!(watcher.next().await.as_ref(), "{\"lost\":7}\n");
        assert!(watcher.next().await.contains(r#""version":8}"#));
    }

    #[test]
    fn watchers_are_bounded() {
        let monitor = Arc::new(Monitor::new());
        let watchers: Vec<_> = (0..WATCHERS_MAX).map(|_| monitor.watch().expect("room")).collect();
        assert!(monitor.watch().is_none());
        drop(watchers);
        assert!(monitor.watch().is_some());
    }
}
