//! What outlives the process: the data folder with the node's identity, and the log of everything that happened to the
//! store. Serving threads hand records over and never wait for the disk; one thread writes, one keeps the log short.
//!
//! ```text
//! partition ──record──▶ Log (queue) ──▶ Writer ──▶ segment ──sync──▶ tickets settled, outcomes told
//!                                                      └──▶ Snapshots: the whole store, older segments go
//! start: Survey (what is there) ──▶ walk (records, partition by partition) ──▶ store
//! ```
//!
//! Nothing that was damaged is ever served, and nothing is left out of a start without being named.

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod any_bytes;
mod check;
mod damage;
mod files;
mod folder;
mod frame;
mod identity;
mod log;
mod progress;
mod recovery;
mod scan;
mod segment;
mod snapshot;
mod start;
mod survey;
mod syncer;
mod writer;

pub(crate) use check::check;
pub(crate) use files::write_whole;
pub(crate) use folder::FolderError;
pub(crate) use recovery::RecoveryError;

pub(crate) use identity::Identity;
pub(crate) use log::{Admission, Log, Ticket};
pub(crate) use recovery::Progress;
pub(crate) use start::{Disk, Records, Running};
