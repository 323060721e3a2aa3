//! What only whoever runs the node may see and do; who that is, `caller::Admin` knows.

pub(super) mod diag;
pub(super) mod drain;
pub(super) mod dump;
pub(super) mod keys;
pub(super) mod log_levels;
pub(super) mod membership;
pub(super) mod monitor;
pub(super) mod restore;
mod restoring;
pub(super) mod room;
pub(super) mod status;

use super::caller::Admin;
