//! A real Kubernetes on one plain Linux machine, and what is proven on it.
//!
//! Tests call the same functions that the `testbed` command does. From the ground up:
//!
//! | module | what it is |
//! |---|---|
//! | [`clock`], [`home`], [`kept`], [`progress`], [`shell`], [`process`] | waiting, folders, telling people, running programs |
//! | [`programs`], [`packages`] | where the Kubernetes programs and the system's packages come from |
//! | [`pki`], [`control_plane`] | certificates; etcd, API server, controller manager, scheduler |
//! | [`api`] | a control plane alone, one per test program, a namespace per test (L2) |
//! | [`cluster`] | a whole cluster with nodes, network, DNS, metrics and volumes (L3) |
//! | [`schemas`] | by which manifests are judged without a cluster |
//! | [`images`], [`products`] | images without a Docker engine, our own two among them |
//! | [`http`] | talking to a tenant |
//! | [`stores`] | servers that speak Redis' protocol: redis-server and the node |
//! | [`bed`] | this bed, kind, or the cluster of the current kubeconfig context |

pub mod api;
pub mod bed;
pub mod clock;
pub mod cluster;
pub mod control_plane;
mod digest;
pub mod home;
pub mod http;
pub mod images;
pub mod kept;
pub mod packages;
pub mod pki;
pub mod process;
pub mod products;
pub mod programs;
pub mod progress;
pub mod schemas;
pub mod shell;
pub mod stores;
