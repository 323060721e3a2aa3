//! The store of a KVTenant node as plain state: a command and a moment go in, an outcome comes out; and what the nodes
//! of a cluster agree on, in the same way.
//! Nothing in here opens a socket, starts a thread or reads a clock, so that a test or the simulator can run the
//! very code that production runs, with a time and a seed of its choosing.

pub mod cluster;
pub mod patch;
pub mod store;
pub mod time;
