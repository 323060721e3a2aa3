//! The node over its real interface: in this process where the test needs the clock in its hand, as the real program
//! where it is about flags, signals, logs and exit codes.

mod administering;
mod client;
mod dialects;
mod expiry;
mod in_process;
mod listing;
mod memory;
mod observing;
mod program;
mod refusals;
mod starting;
mod stopping;
mod values;
mod versions;
