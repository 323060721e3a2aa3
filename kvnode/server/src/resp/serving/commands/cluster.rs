//! CLUSTER, and what only clients of a cluster send. This node is all of its cluster: it has every slot.

use kvnode_core::store::entry::EntryRef;
use kvnode_core::store::slot::{SLOTS, Slot};
use sha2::{Digest, Sha256};

use super::super::call::{Call, Done};
use super::super::failure::Failure;
use super::super::session::Port;
use crate::resp::commands::Name;
use crate::resp::options::number;
use crate::shared::Shared;

/// A node's name in a cluster has so many hexadecimal digits.
const NODE_ID_DIGITS: usize = 40;

/// Keys GETKEYSINSLOT gives at most, whatever it is asked for.
const KEYS_OF_SLOT_MAX: usize = 10_000;

/// Redis' own offset from a node's port to that of its bus. There is no bus; the form wants a number.
const BUS_PORT_OFFSET: u32 = 10_000;

const DISABLED: Failure<'static> = Failure::Said("ERR This instance has cluster support disabled");
const INVALID_SLOT: Failure<'static> = Failure::Said("ERR Invalid slot");
const INVALID_SLOT_OR_NUMBER: Failure<'static> = Failure::Said("ERR Invalid slot or number of keys");

pub(super) fn run<'c>(name: Name, call: &mut Call<'c, '_>) -> Done<'c> {
    if call.session.port == Port::Plain {
        return Err(DISABLED);
    }
    match name {
        // It reads what it reads here already, and no slot ever moves.
        Name::Readonly | Name::Readwrite | Name::Asking => call.writer.ok(),
        Name::ClusterMyid => call.writer.bulk(node_id(call.shared).as_bytes()),
        Name::ClusterInfo => call.writer.verbatim(info().as_bytes()),
        Name::ClusterNodes => nodes(call),
        Name::ClusterSlots => slots(call),
        Name::ClusterShards => shards(call),
        Name::ClusterKeyslot => call.writer.integer(i64::from(Slot::of(call.argument(2)).get())),
        Name::ClusterCountkeysinslot => return count_keys(call),
        Name::ClusterGetkeysinslot => return get_keys(call),
        // The table has no other; a container never stands alone.
        _ => return Err(DISABLED),
    }
    Ok(())
}

/// The same after every restart.
pub(super) fn node_id(shared: &Shared) -> String {
    let settings = &shared.settings;
    let digest = Sha256::digest(format!("{}/{}", settings.tenant, settings.name));
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digit = |digit: u8| char::from_digit(u32::from(digit), 16).unwrap_or('0');
    digits.take(NODE_ID_DIGITS).map(digit).collect()
}

/// Where clients are told to find this node: by the name it was given, or else where this client found it.
fn host(call: &Call<'_, '_>) -> String {
    match &call.shared.settings.advertise {
        Some(host) => host.to_string(),
        None => call.session.client.local_address.ip().to_canonical().to_string(),
    }
}

fn port(call: &Call<'_, '_>) -> i64 {
    i64::from(call.session.client.local_address.port())
}

fn info() -> String {
    let known = [
        ("cluster_state", "ok"),
        ("cluster_slots_assigned", "16384"),
        ("cluster_slots_ok", "16384"),
        ("cluster_slots_pfail", "0"),
        ("cluster_slots_fail", "0"),
        ("cluster_known_nodes", "1"),
        ("cluster_size", "1"),
        ("cluster_current_epoch", "0"),
        ("cluster_my_epoch", "0"),
        ("cluster_stats_messages_sent", "0"),
        ("cluster_stats_messages_received", "0"),
        ("total_cluster_links_buffer_limit_exceeded", "0"),
    ];
    known.map(|(name, value)| format!("{name}:{value}\r\n")).concat()
}

fn nodes(call: &mut Call<'_, '_>) {
    let (id, host, port) = (node_id(call.shared), host(call), port(call));
    let bus = u32::try_from(port).unwrap_or_default() + BUS_PORT_OFFSET;
    let last = SLOTS - 1;
    let line = format!("{id} {host}:{port}@{bus} myself,master - 0 0 0 connected 0-{last}\n");
    call.writer.verbatim(line.as_bytes());
}

fn slots(call: &mut Call<'_, '_>) {
    let (id, host, port) = (node_id(call.shared), host(call), port(call));
    let writer = &mut call.writer;
    writer.array(1);
    writer.array(3);
    writer.integer(0);
    writer.integer(i64::from(SLOTS - 1));
    writer.array(4);
    writer.bulk(host.as_bytes());
    writer.integer(port);
    writer.bulk(id.as_bytes());
    writer.map(0);
}

fn shards(call: &mut Call<'_, '_>) {
    let (id, host, port) = (node_id(call.shared), host(call), port(call));
    let writer = &mut call.writer;
    writer.array(1);
    writer.map(2);
    writer.bulk(b"slots");
    writer.array(2);
    writer.integer(0);
    writer.integer(i64::from(SLOTS - 1));
    writer.bulk(b"nodes");
    writer.array(1);
    writer.map(7);
    writer.bulk(b"id");
    writer.bulk(id.as_bytes());
    writer.bulk(b"port");
    writer.integer(port);
    for (name, value) in [("ip", host.as_str()), ("endpoint", &host), ("role", "master")] {
        writer.bulk(name.as_bytes());
        writer.bulk(value.as_bytes());
    }
    writer.bulk(b"replication-offset");
    writer.integer(0);
    writer.bulk(b"health");
    writer.bulk(b"online");
}

fn count_keys<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let slot = slot(number::integer(call.argument(2))?).ok_or(INVALID_SLOT)?;
    let count = in_slot(call, slot, |entries| entries.count());
    call.writer.integer(i64::try_from(count).unwrap_or(i64::MAX));
    Ok(())
}

fn get_keys<'c>(call: &mut Call<'c, '_>) -> Done<'c> {
    let (slot_number, count) = (number::integer(call.argument(2))?, number::integer(call.argument(3))?);
    let slot = slot(slot_number).ok_or(INVALID_SLOT_OR_NUMBER)?;
    let count = usize::try_from(count).map_err(|_| INVALID_SLOT_OR_NUMBER)?.min(KEYS_OF_SLOT_MAX);
    let keys: Vec<Box<str>> =
        in_slot(call, slot, |entries| entries.take(count).map(|entry| entry.key().into()).collect());
    call.writer.array(keys.len());
    for key in keys {
        call.writer.bulk(key.as_bytes());
    }
    Ok(())
}

fn slot(number: i64) -> Option<Slot> {
    u16::try_from(number).ok().and_then(Slot::new)
}

/// The caller's entries of a slot, which are all in one partition.
fn in_slot<R>(
    call: &mut Call<'_, '_>,
    slot: Slot,
    work: impl FnOnce(&mut dyn Iterator<Item = EntryRef<'_>>) -> R,
) -> R {
    let mut partition = call.executor.store.lock(slot.partition().index());
    let entries = partition.entries(call.executor.namespace, call.executor.now);
    work(&mut entries.filter(|entry| Slot::of(entry.key().as_bytes()) == slot))
}
