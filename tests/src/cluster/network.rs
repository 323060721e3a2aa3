//! The wires of a cluster: a namespace for the control plane with a switch in it, one per node with a switch of its
//! own for the pods, and a cable between them. No namespace has an uplink, so nothing ever leaves the machine, and a
//! request to a Service address that no rule catches dies inside.
//!
//! ```text
//!  kvt-NAME-cp                       kvt-NAME-node1                 a pod
//!  ┌───────────────────────┐         ┌─────────────────────────┐    ┌──────┐
//!  │ br0 10.x.0.1   v-node1├─────────┤eth0   cni0 10.x.0.11   veth───┤ eth0 │
//!  └───────────────────────┘         └─────────────────────────┘    └──────┘
//! ```

use anyhow::Result;

use super::address::Range;
use super::netns::Netns;
use super::state::{State, node_name};
use crate::shell;

/// The switch that a node's pods are plugged into.
pub(super) const POD_BRIDGE: &str = "cni0";

pub(super) fn control_plane(name: &str) -> Netns {
    Netns(format!("{}cp", prefix(name)))
}

pub(super) fn node(name: &str, number: usize) -> Netns {
    Netns(format!("{}{}", prefix(name), node_name(number)))
}

/// With what the names of all namespaces of a cluster begin. The dot ends it, for no cluster's name holds one:
/// `kvt.a.` is not the beginning of anything that belongs to `a-b`.
pub(super) fn prefix(name: &str) -> String {
    format!("kvt.{name}.")
}

pub(super) fn create(state: &State) -> Result<()> {
    let inside = control_plane(&state.name);
    let Range { .. } = state.range;
    add(&inside)?;
    switch(&inside, "br0", &state.range.control_plane().to_string())?;
    let (services, bits) = state.range.services();
    route(&inside, &format!("{services}/{bits}"), "br0")?;
    for number in 1..=state.nodes {
        let node = node(&state.name, number);
        add(&node)?;
        switch(&node, POD_BRIDGE, &state.range.node(number).to_string())?;
        let cable = cable(number);
        ip(&inside, &["link", "add", &cable, "type", "veth", "peer", "name", "eth0", "netns", &node.0])?;
        ip(&inside, &["link", "set", &cable, "master", "br0", "up"])?;
        ip(&node, &["link", "set", "eth0", "master", POD_BRIDGE, "up"])?;
        route(&node, &format!("{services}/{bits}"), POD_BRIDGE)?;
    }
    Ok(())
}

/// Pulls the cable of a node.
pub(super) fn cut(name: &str, number: usize) -> Result<()> {
    ip(&control_plane(name), &["link", "set", &cable(number), "down"])
}

/// Plugs it in again.
pub(super) fn heal(name: &str, number: usize) -> Result<()> {
    ip(&control_plane(name), &["link", "set", &cable(number), "up"])
}

/// All namespaces of a cluster that exist, whatever its state file says.
pub(super) fn existing(name: &str) -> Vec<Netns> {
    let Ok(folder) = std::fs::read_dir("/run/netns") else { return Vec::new() };
    let names = folder.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|found| found.starts_with(&prefix(name))).map(Netns).collect()
}

pub(super) fn remove(namespace: &Netns) -> Result<()> {
    shell::run("ip", &["netns", "delete", &namespace.0]).map(drop)
}

fn cable(number: usize) -> String {
    format!("v-{}", node_name(number))
}

fn add(namespace: &Netns) -> Result<()> {
    shell::run("ip", &["netns", "add", &namespace.0])?;
    ip(namespace, &["link", "set", "lo", "up"])?;
    let mut sysctl = namespace.command("sysctl");
    sysctl.args(["-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.disable_ipv6=1"]);
    shell::output(&mut sysctl).map(drop)
}

/// A switch with an address of its own. It floods multicast instead of learning who listens: there is no querier
/// here, and a snooping switch without one forgets its listeners after some minutes.
fn switch(namespace: &Netns, switch: &str, address: &str) -> Result<()> {
    ip(namespace, &["link", "add", switch, "type", "bridge", "mcast_snooping", "0"])?;
    ip(namespace, &["address", "add", &format!("{address}/16"), "dev", switch])?;
    ip(namespace, &["link", "set", switch, "up"])?;
    let mut sysctl = namespace.command("sysctl");
    // On a flat network the answer of a Service's pod comes back past the router; only when bridged packets are
    // shown to the packet filter is its sender turned back into the Service's address.
    sysctl.args(["-q", "-w", "net.bridge.bridge-nf-call-iptables=1"]);
    shell::output(&mut sysctl).map(drop)
}

/// An address that is on no wire is asked for by ARP, in vain, and so the packet dies inside.
fn route(namespace: &Netns, to: &str, device: &str) -> Result<()> {
    ip(namespace, &["route", "add", to, "dev", device])
}

fn ip(namespace: &Netns, arguments: &[&str]) -> Result<()> {
    let mut all = vec!["-n", namespace.0.as_str()];
    all.extend(arguments);
    shell::run("ip", &all).map(drop)
}
