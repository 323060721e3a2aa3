//! Figures that are read at the moment of a scrape, not counted along the way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::process::Usage;
use super::registered;

/// What a scrape has to be told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Readings {
    pub(crate) keys: u64,
    pub(crate) memory_bytes: u64,
    pub(crate) expired_keys: u64,
    pub(crate) evicted_keys: u64,
    pub(crate) uptime: Duration,
    pub(crate) process: Usage,
}

#[derive(Debug)]
pub(super) struct Snapshot {
    keys: Gauge,
    memory_bytes: Gauge,
    memory_limit_bytes: Gauge,
    cpu_limit_cores: Gauge<f64, AtomicU64>,
    uptime_seconds: Gauge<f64, AtomicU64>,
    resident_memory_bytes: Gauge,
    expired_keys: Counter,
    evicted_keys: Counter,
    cpu_seconds: Counter<f64, AtomicU64>,
}

impl Snapshot {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let mut whole = |name: &str, help: &str| registered(registry, name, help, Gauge::default());
        let keys = whole("kv_keys", "Live keys of users");
        let memory_bytes = whole("kv_memory_bytes", "Memory taken by entries and tombstones");
        let memory_limit_bytes = whole("kv_memory_limit_bytes", "Memory that entries and tombstones may take");
        let resident_memory_bytes = whole("process_resident_memory_bytes", "Resident memory of the process");
        let mut fraction = |name: &str, help: &str| registered(registry, name, help, Gauge::default());
        Self {
            keys,
            memory_bytes,
            memory_limit_bytes,
            resident_memory_bytes,
            cpu_limit_cores: fraction("kv_cpu_limit_cores", "Cores the process may keep busy"),
            uptime_seconds: fraction("kv_uptime_seconds", "Time since the node started"),
            expired_keys: registered(
                registry,
                "kv_expired_keys",
                "Keys gone because their time was over",
                Counter::default(),
            ),
            evicted_keys: registered(
                registry,
                "kv_evicted_keys",
                "Keys gone to make room for others",
                Counter::default(),
            ),
            cpu_seconds: registered(registry, "process_cpu_seconds", "CPU time of the process", Counter::default()),
        }
    }

    pub(super) fn set_limits(&self, memory_bytes: u64, cpu_cores: f64) {
        self.memory_limit_bytes.set(whole(memory_bytes));
        self.cpu_limit_cores.set(cpu_cores);
    }

    /// The counters are stored, not added to, so that two scrapes at once cannot count anything twice.
    pub(super) fn take(&self, readings: &Readings) {
        self.keys.set(whole(readings.keys));
        self.memory_bytes.set(whole(readings.memory_bytes));
        self.uptime_seconds.set(readings.uptime.as_secs_f64());
        self.resident_memory_bytes.set(whole(readings.process.resident_bytes));
        self.expired_keys.inner().store(readings.expired_keys, Ordering::Relaxed);
        self.evicted_keys.inner().store(readings.evicted_keys, Ordering::Relaxed);
        self.cpu_seconds.inner().store(readings.process.cpu().as_secs_f64().to_bits(), Ordering::Relaxed);
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
