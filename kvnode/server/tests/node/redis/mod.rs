//! The Redis protocol, byte for byte, over real sockets.

mod access;
mod answers;
mod cluster;
mod connections;
mod pipelines;
mod transactions;
pub(crate) mod wire;
