//! What is counted. A thread counts for itself through a turn, in plain numbers, and adds its sums to those of all at the
//! turn's end, so that a command costs no atomic operation.

use std::sync::atomic::{AtomicU64, Ordering};

use kvnode_core::store::attributes::Version;
use kvnode_core::store::command::KeyAction;
use kvnode_core::store::entry::EntryRef;
use kvnode_core::store::outcome::{Outcome, Refusal, Reply};
use prometheus_client::metrics::counter::Counter;

use crate::metrics::Metrics;

const OPERATIONS: [&str; 5] = ["read", "create", "update", "delete", "list"];
const READ: usize = 0;
const CREATE: usize = 1;
const UPDATE: usize = 2;
const DELETE: usize = 3;
const LIST: usize = 4;

const STATUSES: [&str; 3] = ["success", "error", "not_found"];
const SUCCESS: usize = 0;
const ERROR: usize = 1;
const NOT_FOUND: usize = 2;

/// What INFO tells of all threads together.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) commands: AtomicU64,
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) connections: AtomicU64,
    pub(super) refused_connections: AtomicU64,
    pub(super) bytes_read: AtomicU64,
    pub(super) bytes_written: AtomicU64,
}

/// One thread's sums of this turn.
#[derive(Debug)]
pub(super) struct Tally {
    counters: [[Counter; STATUSES.len()]; OPERATIONS.len()],
    counted: [[u64; STATUSES.len()]; OPERATIONS.len()],
    pub(super) commands: u64,
    pub(super) bytes_read: u64,
    pub(super) bytes_written: u64,
}

impl Tally {
    pub(super) fn new(metrics: &Metrics) -> Self {
        Self {
            counters: OPERATIONS.map(|operation| STATUSES.map(|status| metrics.operation_counter(operation, status))),
            counted: Default::default(),
            commands: 0,
            bytes_read: 0,
            bytes_written: 0,
        }
    }

    /// Counts it, and says what it was and how it ended.
    pub(super) fn outcome(
        &mut self,
        action: &KeyAction<'_>,
        outcome: &Outcome<EntryRef<'_>>,
    ) -> (&'static str, &'static str) {
        let operation = match action {
            KeyAction::Get => READ,
            KeyAction::Delete { .. } => DELETE,
            KeyAction::Write(_) | KeyAction::PutBack(_) if creates(outcome) => CREATE,
            KeyAction::Write(_) | KeyAction::PutBack(_) => UPDATE,
        };
        let status = match outcome {
            Ok(Reply::Absent) => NOT_FOUND,
            Ok(_) => SUCCESS,
            Err(_) => ERROR,
        };
        self.counted[operation][status] += 1;
        (OPERATIONS[operation], STATUSES[status])
    }

    pub(super) fn listed(&mut self) {
        self.counted[LIST][SUCCESS] += 1;
    }

    /// Adds the sums to those of all, and begins anew.
    pub(super) fn publish(&mut self, metrics: &Metrics, totals: &Totals) {
        let add = |total: &AtomicU64, number: u64| {
            if number > 0 {
                total.fetch_add(number, Ordering::Relaxed);
            }
        };
        add(&totals.commands, self.commands);
        add(&totals.hits, self.counted[READ][SUCCESS]);
        add(&totals.misses, self.counted[READ][NOT_FOUND]);
        add(&totals.bytes_read, self.bytes_read);
        add(&totals.bytes_written, self.bytes_written);
        metrics.requests_served(self.commands);
        for (counters, counted) in self.counters.iter().flatten().zip(self.counted.iter().flatten()) {
            if *counted > 0 {
                counters.inc_by(*counted);
            }
        }
        self.counted = Default::default();
        (self.commands, self.bytes_read, self.bytes_written) = (0, 0, 0);
    }
}

fn creates(outcome: &Outcome<EntryRef<'_>>) -> bool {
    match outcome {
        Ok(Reply::Stored { created, .. }) => *created,
        Err(Refusal::MemoryFull { creating, .. }) => *creating,
        Err(Refusal::VersionMismatch { actual, .. }) => *actual == Version::ABSENT,
        _ => false,
    }
}
