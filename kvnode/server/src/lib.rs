//! The shell around kvnode-core: settings, listeners, HTTP, metrics, threads. It decides nothing about keys and
//! versions; it brings commands to the store and outcomes back.

mod access;
pub mod accounts;
pub mod clock;
mod cluster;
mod connections;
pub mod ctl;
mod disk;
#[cfg(test)]
mod documented;
mod drain;
mod dump;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod handshakes;
mod http;
mod listeners;
pub mod logging;
mod metrics;
mod monitor;
pub mod node;
mod random;
mod reread;
pub mod resp;
mod rewound;
pub mod settings;
mod shared;
mod store;
mod tasks;
mod tls;
mod untold;
