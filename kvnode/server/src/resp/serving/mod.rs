//! The Redis protocol for real clients: threads of their own, each with an event loop, their connections and what those
//! ask for. Everything that could be said without a socket is in the modules beside this one.
//!
//! ```text
//! EventLoop ── read all ──▶ Turn: collect, touch, perform ──▶ write all
//!                            └─▶ commands/ ──▶ Executor ──▶ partition (lock) ──▶ Outcome ──▶ reply
//! ```

mod buffer;
mod call;
mod clients;
mod commands;
mod connection;
mod event_loop;
mod executor;
mod failure;
mod handshakes;
mod inbox;
mod login;
mod session;
mod stream;
mod tally;
mod transaction;
mod turn;
mod walk;

use std::sync::{Arc, Mutex};

use clients::Clients;
pub(crate) use event_loop::EventLoop;
use inbox::Inbox;
pub(crate) use session::Port;
use tally::Totals;

/// What the event loops of a node share.
#[derive(Debug, Default)]
pub(crate) struct Redis {
    clients: Clients,
    totals: Totals,
    /// One for each thread.
    inboxes: Mutex<Vec<Arc<Inbox>>>,
}

impl Redis {
    /// Lets every loop look at what has changed.
    pub(crate) fn wake_all(&self) {
        for inbox in self.inboxes.lock().expect("nothing panics while it holds the list").iter() {
            inbox.wake();
        }
    }

    fn add(&self, inbox: &Arc<Inbox>) {
        self.inboxes.lock().expect("nothing panics while it holds the list").push(Arc::clone(inbox));
    }
}
