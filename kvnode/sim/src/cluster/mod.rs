//! Many nodes in one thread: the real replicas, leases, leader and store of each, on a network that loses, repeats,
//! delays and reorders, with processes that end, sleep and begin again with nothing, and clocks that differ. Clients
//! write and read meanwhile, and what they were told has to be what one register for each key could have said.
//!
//! | module | |
//! |---|---|
//! | `life` | one run of a seed, with its faults, and what is checked at the end |
//! | `world` | time, the network, and who talks to whom |
//! | `machine` | one node: what the shell does around the core |
//! | `group` | the configuration group: what consensus gives, and nothing more |
//! | `clients` | what is asked, and what came of it |
//! | `linear` | whether a history is linearizable |

pub mod clients;
mod group;
pub mod life;
pub mod linear;
mod machine;
mod world;
