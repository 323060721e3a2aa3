//! The short way of the requests that are nearly all of the traffic: GET, PUT and DELETE of one key, in the form in
//! which clients mostly send them. It ends in the same handlers as the general way and answers byte for byte the same,
//! which a test compares; it saves what lies between the socket and them. Whatever is not of this form is left to the
//! general way, with all that was read, and with it the rest of the connection.

mod answer;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod any_bytes;
mod connection;
mod head;
mod paths;
mod respond;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub(crate) use connection::{Left, serve};
use paths::Paths;

use crate::shared::Shared;

/// What all connections of a thread have in common.
#[derive(Debug)]
pub(crate) struct Hot {
    shared: Arc<Shared>,
    paths: Paths,
}

impl Hot {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), paths: Paths::new(&shared.settings) }
    }
}
