//! Measures kvnode beside other servers: in one run, on one machine, with one client, in turns. What it prints are
//! ratios with their spread; it must never judge, and no test may depend on its figures.
//!
//! | module | what it is |
//! |---|---|
//! | [`needs`] | the programs: Debian's and our own |
//! | [`machine`] | what the figures were taken on |
//! | [`cpu`] | how much processor time a program, and everybody else, has used |
//! | [`running`], [`servers`] | programs tied to a core, and the three servers |
//! | [`clients`] | wrk and redis-benchmark, and what they say |
//! | [`subjects`], [`turns`], [`spread`] | what is measured, in which order, and what becomes of it |
//! | [`memory`] | what a key costs in memory |
//! | [`report`] | the figures as text |

pub(crate) mod clients;
pub(crate) mod cpu;
pub(crate) mod machine;
pub(crate) mod memory;
pub(crate) mod needs;
pub(crate) mod report;
pub(crate) mod running;
pub(crate) mod servers;
pub(crate) mod spread;
pub(crate) mod subjects;
pub(crate) mod turns;
