//! The node over its real interface: in this process where the test needs the clock in its hand, as the real program
//! where it is about flags, signals, logs and exit codes.

mod administering;
mod batches;
mod client;
mod controlling;
mod cors;
mod dialects;
mod documenting;
mod encrypting;
mod expiry;
mod hostile;
mod in_process;
mod listing;
mod lists;
mod memory;
mod observing;
mod patches;
mod program;
mod refusals;
mod rereading;
mod slowness;
mod starting;
mod stopping;
mod values;
mod versions;
