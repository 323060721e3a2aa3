//! How other threads reach an event loop: they leave a message and end its wait.

use std::io;
use std::sync::Mutex;

use mio::{Registry, Token, Waker};

use crate::access::Standing;

/// The name of a wake-up among the events of a loop.
pub(super) const WAKE: Token = Token(usize::MAX);

#[derive(Debug)]
pub(super) struct Inbox {
    waker: Waker,
    messages: Mutex<Vec<Message>>,
}

/// Each names a connection by its place and its client's number: the place may be another client's by then.
#[derive(Debug)]
pub(super) enum Message {
    /// The connection is to be closed.
    Close { place: usize, client: u64 },
    /// A password was checked; without a standing it was wrong.
    LoggedIn { place: usize, client: u64, standing: Option<Standing> },
}

impl Inbox {
    pub(super) fn new(registry: &Registry) -> io::Result<Self> {
        Ok(Self { waker: Waker::new(registry, WAKE)?, messages: Mutex::default() })
    }

    pub(super) fn send(&self, message: Message) {
        self.messages.lock().expect("nothing panics while it holds the messages").push(message);
        self.wake();
    }

    /// That it fails would mean that its loop is gone, and there is nobody to be told.
    pub(super) fn wake(&self) {
        let _ = self.waker.wake();
    }

    pub(super) fn take(&self) -> Vec<Message> {
        std::mem::take(&mut *self.messages.lock().expect("nothing panics while it holds the messages"))
    }
}
