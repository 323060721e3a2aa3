//! Measures kvnode beside other servers: in one run, on one machine, with one client, in turns. What it prints are
//! ratios with their spread; it must never judge, and no test may depend on its figures.
//!
//! | module | what it is |
//! |---|---|
//! | [`http`], [`resp`], [`memory`], [`connections`], [`start`] | what is measured: a page under `docs/benchmarks` each |
//! | [`needs`], [`valkey`], [`versions`] | the programs: Debian's and our own, and what they say they are |
//! | [`machine`] | what the figures were taken on |
//! | [`cpu`] | how much processor time a program, and everybody else, has used |
//! | [`running`], [`servers`], [`stores`] | programs tied to a core, the servers, and those with Redis' protocol |
//! | [`wrk`], [`redis_benchmark`], [`resp_connection`] | clients, and what they say |
//! | [`sample`], [`turns`], [`spread`] | one run, the order of runs, and what becomes of them |
//! | [`page`] | what the pages have in common |

pub(crate) mod connections;
mod cpu;
pub(crate) mod http;
pub(crate) mod machine;
pub(crate) mod memory;
pub(crate) mod needs;
pub(crate) mod page;
mod redis_benchmark;
pub(crate) mod resp;
mod resp_connection;
mod running;
mod sample;
mod servers;
mod spread;
pub(crate) mod start;
pub(crate) mod stores;
mod turns;
mod valkey;
mod versions;
mod wrk;
