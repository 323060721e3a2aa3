//! Random commands on a real redis-server and on kvnode: their replies must be equal, byte for byte. What is compared
//! otherwise, or not asked at all, stands in one list with its reasons ([`exceptions`]).
//!
//! | module | what it is |
//! |---|---|
//! | [`wire`], [`side`] | replies as they came, and the connections to one of both servers |
//! | [`step`], [`generate`], [`grammar`] | what is done, drawn from a seed |
//! | [`exceptions`], [`compare`] | when two replies count as equal |
//! | [`play`], [`shrink`], [`report`] | steps on both servers, the fewest that still differ, and what a person sees |
//! | [`material`] | keys, values, numbers and times |
//! | [`asked`] | leaves out what is refused by design because of the steps before |
//! | [`proxy`] | a server between that lies, to show that lies are found |
//! | [`seeds`] | how many sequences, and where they begin |

mod against_kvnode;
mod asked;
mod compare;
mod exceptions;
mod generate;
mod grammar;
mod it_can_fail;
mod material;
mod play;
mod proxy;
mod report;
mod seeds;
mod shrink;
mod side;
mod step;
mod wire;
