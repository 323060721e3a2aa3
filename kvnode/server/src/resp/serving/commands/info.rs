//! INFO: what tools for Redis look at, under Redis' names. What has no meaning here is left out, not made up.

use std::sync::atomic::{AtomicU64, Ordering};

use super::super::call::{Call, Done};
use super::super::session::Port;
use super::cluster::node_id;
use super::config::eviction_policy;
use crate::metrics::process::Usage;

/// The version of Redis whose commands and answers these are. Clients choose by it what they dare to ask.
pub(super) const REDIS_VERSION: &str = "7.0.15";

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

type Lines = Vec<(&'static str, String)>;

/// Its name, and what finds out what it shows.
type Section = (&'static str, fn(&Call<'_, '_>) -> Lines);

/// In the order in which they are shown.
const SECTIONS: [Section; 9] = [
    ("Server", server),
    ("Clients", clients),
    ("Memory", memory),
    ("Persistence", persistence),
    ("Stats", stats),
    ("Replication", replication),
    ("CPU", cpu),
    ("Cluster", cluster),
    ("Keyspace", keyspace),
];

pub(super) fn info<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let asked = call.arguments.from(1);
    let is_asked_for = |name: &str| {
        let by = |word: &[u8]| {
            ["all", "default", "everything", name].iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
        };
        asked.is_empty() || asked.iter().any(by)
    };
    let shown: Vec<String> = SECTIONS
        .iter()
        .filter(|(name, _)| is_asked_for(name))
        .map(|(name, lines)| {
            let lines = lines(call).into_iter().map(|(name, value)| format!("{name}:{value}\r\n"));
            format!("# {name}\r\n{}", lines.collect::<String>())
        })
        .collect();
    call.writer.verbatim(shown.join("\r\n").as_bytes());
    Ok(())
}

fn server(call: &Call<'_, '_>) -> Lines {
    let mode = if call.session.port == Port::Cluster { "cluster" } else { "standalone" };
    let uptime = call.shared.uptime().as_secs();
    vec![
        ("redis_version", REDIS_VERSION.to_owned()),
        ("redis_mode", mode.to_owned()),
        ("kvnode_version", env!("CARGO_PKG_VERSION").to_owned()),
        ("os", std::env::consts::OS.to_owned()),
        ("arch_bits", usize::BITS.to_string()),
        ("multiplexing_api", "epoll".to_owned()),
        ("process_id", std::process::id().to_string()),
        ("run_id", node_id(call.shared)),
        ("tcp_port", call.session.client.local_address.port().to_string()),
        ("server_time_usec", (call.executor.now.get() * 1000).to_string()),
        ("uptime_in_seconds", uptime.to_string()),
        ("uptime_in_days", (uptime / SECONDS_PER_DAY).to_string()),
        ("config_file", String::new()),
    ]
}

fn clients(call: &Call<'_, '_>) -> Lines {
    vec![
        ("connected_clients", call.shared.redis.clients.count().to_string()),
        ("cluster_connections", "0".to_owned()),
        ("maxclients", call.shared.connections_max.to_string()),
        ("blocked_clients", "0".to_owned()),
        ("tracking_clients", "0".to_owned()),
    ]
}

fn memory(call: &Call<'_, '_>) -> Lines {
    let (ledger, usage) = (call.executor.store.ledger(), Usage::now());
    vec![
        ("used_memory", ledger.used().to_string()),
        ("used_memory_human", human(ledger.used())),
        ("used_memory_rss", usage.resident_bytes.to_string()),
        ("used_memory_rss_human", human(usage.resident_bytes)),
        ("used_memory_dataset", ledger.used().to_string()),
        ("maxmemory", ledger.limit().to_string()),
        ("maxmemory_human", human(ledger.limit())),
        ("maxmemory_policy", eviction_policy(call.shared.settings.eviction).to_owned()),
        ("mem_allocator", "mimalloc".to_owned()),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn human(bytes: u64) -> String {
    let unit = [("G", 30), ("M", 20), ("K", 10)].into_iter().find(|(_, shift)| bytes >> shift > 0);
    match unit {
        Some((unit, shift)) => format!("{:.2}{unit}", bytes as f64 / (1_u64 << shift) as f64),
        None => format!("{bytes}B"),
    }
}

fn persistence(call: &Call<'_, '_>) -> Lines {
    let truth = |is_true: bool| u8::from(is_true).to_string();
    let store = call.executor.store;
    vec![
        ("loading", truth(store.ready().is_err())),
        ("async_loading", "0".to_owned()),
        ("rdb_bgsave_in_progress", "0".to_owned()),
        ("rdb_last_bgsave_status", "ok".to_owned()),
        ("aof_enabled", truth(store.log().is_some())),
        ("aof_rewrite_in_progress", "0".to_owned()),
    ]
}

fn stats(call: &Call<'_, '_>) -> Lines {
    let (totals, ledger) = (&call.shared.redis.totals, call.executor.store.ledger());
    let total = |number: &AtomicU64| number.load(Ordering::Relaxed).to_string();
    vec![
        ("total_connections_received", total(&totals.connections)),
        ("total_commands_processed", total(&totals.commands)),
        ("total_net_input_bytes", total(&totals.bytes_read)),
        ("total_net_output_bytes", total(&totals.bytes_written)),
        ("rejected_connections", total(&totals.refused_connections)),
        ("expired_keys", ledger.expired().to_string()),
        ("evicted_keys", ledger.evicted().to_string()),
        ("keyspace_hits", total(&totals.hits)),
        ("keyspace_misses", total(&totals.misses)),
        ("pubsub_channels", "0".to_owned()),
        ("pubsub_patterns", "0".to_owned()),
    ]
}

fn replication(call: &Call<'_, '_>) -> Lines {
    vec![
        ("role", "master".to_owned()),
        ("connected_slaves", "0".to_owned()),
        ("master_failover_state", "no-failover".to_owned()),
        ("master_replid", node_id(call.shared)),
        ("master_repl_offset", "0".to_owned()),
    ]
}

fn cpu(_: &Call<'_, '_>) -> Lines {
    let usage = Usage::now();
    vec![
        ("used_cpu_sys", format!("{:.6}", usage.system.as_secs_f64())),
        ("used_cpu_user", format!("{:.6}", usage.user.as_secs_f64())),
    ]
}

fn cluster(call: &Call<'_, '_>) -> Lines {
    let enabled = if call.session.port == Port::Cluster { "1" } else { "0" };
    vec![("cluster_enabled", enabled.to_owned())]
}

/// Of the caller's namespace, as Redis shows the databases: left out when it is empty.
fn keyspace(call: &Call<'_, '_>) -> Lines {
    let (store, namespace, now) = (call.executor.store, call.executor.namespace, call.executor.now);
    let (mut keys, mut expiring) = (0, 0);
    for index in 0..store.partitions() {
        let mut partition = store.lock(index);
        keys += partition.count(namespace, now);
        expiring += partition.count_expiring(namespace, now);
    }
    if keys == 0 {
        return Vec::new();
    }
    vec![("db0", format!("keys={keys},expires={expiring},avg_ttl=0"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_with_the_unit_that_fits() {
        let cases = [(0, "0B"), (1023, "1023B"), (1024, "1.00K"), (1_518_712, "1.45M"), (25_276_063_744, "23.54G")];
        for (bytes, expected) in cases {
            assert_eq!(human(bytes), expected);
        }
    }
}
