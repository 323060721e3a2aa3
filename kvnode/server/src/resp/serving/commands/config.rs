//! CONFIG GET: the settings of Redis that tools ask for, and what they come to here.

use kvnode_core::store::Eviction;

use super::super::call::{Call, Done};
use super::super::session::Port;
use crate::resp::glob::Pattern;

/// No setting's name is longer.
const NAME_BYTES_MAX: usize = 40;

/// A setting whose name several patterns match is given once.
pub(super) fn get<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let patterns: Vec<_> =
        call.arguments.from(2).iter().map(|pattern| Pattern::of_names(pattern, NAME_BYTES_MAX)).collect();
    let mut known = known(call);
    known.retain(|(name, _)| patterns.iter().any(|pattern| pattern.matches(name.as_bytes())));
    call.writer.map(known.len());
    for (name, value) in known {
        call.writer.bulk(name.as_bytes());
        call.writer.bulk(value.as_bytes());
    }
    Ok(())
}

pub(super) fn eviction_policy(eviction: Eviction) -> &'static str {
    match eviction {
        Eviction::None => "noeviction",
        Eviction::AllKeysLru => "allkeys-lru",
        Eviction::VolatileTtl => "volatile-ttl",
    }
}

fn known(call: &Call<'_, '_>) -> Vec<(&'static str, String)> {
    let settings = &call.shared.settings;
    let cluster = if call.session.port == Port::Cluster { "yes" } else { "no" };
    let keeps = if call.executor.store.log().is_some() { "yes" } else { "no" };
    vec![
        ("appendonly", keeps.to_owned()),
        ("bind", settings.bind.to_string()),
        ("cluster-enabled", cluster.to_owned()),
        ("databases", "1".to_owned()),
        ("maxclients", call.shared.connections_max.to_string()),
        ("maxmemory", settings.memory_limit.to_string()),
        ("maxmemory-policy", eviction_policy(settings.eviction).to_owned()),
        ("port", call.session.client.local_address.port().to_string()),
        ("proto-max-bulk-len", call.live.limits.value_bytes_max.to_string()),
        ("save", String::new()),
        ("tcp-keepalive", "0".to_owned()),
        ("timeout", "0".to_owned()),
    ]
}
