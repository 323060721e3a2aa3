//! The simulator: seeded random lives of the real core, with a clock that jumps, checked after every step. The same
//! seed always gives the same life, so a failure found anywhere can be repeated anywhere.
//! It must never help the core: it only sees what a client or an operator of a node could see.

pub mod census;
pub mod clock;
pub mod cluster;
pub mod invariants;
pub mod life;
pub mod model;
pub mod mutant;
pub mod probe;
pub(crate) mod replica;
pub mod subject;
pub mod trace;
pub mod workload;
