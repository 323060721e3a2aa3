//! The node over its real interface: in this process where the test needs the clock in its hand, as the real program
//! where it is about flags, signals, logs and exit codes.

mod access;
mod accounts;
mod administering;
mod api_keys;
mod audit;
mod batches;
mod client;
mod controlling;
mod cors;
mod dialects;
mod documenting;
mod durability;
mod encrypting;
mod expiry;
mod full_disk;
mod hostile;
mod in_process;
mod kept_connection;
mod listing;
mod lists;
mod memory;
mod observing;
mod patches;
mod program;
mod rates;
mod redis;
mod refusals;
mod rereading;
mod retries;
mod secrets;
mod slowness;
mod starting;
mod stopping;
mod values;
mod versions;
