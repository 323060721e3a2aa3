//! What is on its way to one life of a node. Whoever has something to say never waits: it is put down here, and one task
//! sends what has come together.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use kvnode_core::cluster::member::Member;
use tokio::sync::Notify;

use crate::cluster::wire::{Payload, encode};

/// A node that lets so much pile up is too slow or gone. The connection is given up and what was said with it; it is said
/// again on the next one, or the node is put out of what it is too slow for (R11).
const QUEUE_BYTES_MAX: usize = 256 << 20;

#[derive(Debug)]
pub(crate) struct Link {
    member: Member,
    queue: Mutex<Vec<u8>>,
    filled: Notify,
    overflown: AtomicBool,
}

impl Link {
    pub(super) fn to(member: Member) -> Self {
        Self { member, queue: Mutex::default(), filled: Notify::new(), overflown: AtomicBool::new(false) }
    }

    pub(crate) fn member(&self) -> Member {
        self.member
    }

    pub(crate) fn say(&self, payload: &Payload) {
        let mut queue = self.queue();
        if queue.len() > QUEUE_BYTES_MAX {
            self.overflown.store(true, Ordering::Relaxed);
            return;
        }
        let is_first = queue.is_empty();
        encode(payload, &mut queue);
        drop(queue);
        if is_first {
            self.filled.notify_one();
        }
    }

    /// Waits for something to send, and gives it in place of this buffer; none if too much has piled up.
    pub(super) async fn next(&self, mut sent: Vec<u8>) -> Option<Vec<u8>> {
        sent.clear();
        loop {
            if self.overflown.load(Ordering::Relaxed) {
                return None;
            }
            {
                let mut queue = self.queue();
                if !queue.is_empty() {
                    return Some(std::mem::replace(&mut queue, sent));
                }
            }
            self.filled.notified().await;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Vec<u8>> {
        self.queue.lock().expect("a panic ends the process")
    }
}
