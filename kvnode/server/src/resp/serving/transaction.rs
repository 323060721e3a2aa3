//! Commands between MULTI and EXEC, and the keys whose change makes EXEC do nothing.

use kvnode_core::store::attributes::Version;
use kvnode_core::store::key::Key;
use kvnode_core::store::partition::Place;

use crate::resp::request::{Arena, Arguments, Bounds, Parsed, Reader, Request};

/// What the commands of one transaction may have together. They are kept whole until EXEC.
const TRANSACTION_BYTES_MAX: usize = 32 * 1024 * 1024;

/// They are done while their partition is locked, and others wait.
const TRANSACTION_COMMANDS_MAX: usize = 65_536;

/// Keys one client may watch.
pub(super) const WATCHED_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Transaction {
    /// The commands as a client would send them, one after the other.
    text: Vec<u8>,
    count: usize,
    /// One of its commands was refused, so it will not be done.
    pub(super) is_broken: bool,
}

/// A key, and its version when it was first watched.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) key: Key<'static>,
    pub(super) place: Place,
    pub(super) version: Version,
}

impl Transaction {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Whether there was room for it.
    pub(super) fn queue(&mut self, arguments: Arguments<'_>) -> bool {
        const HEADER_BYTES_MAX: usize = 16;
        let bytes: usize = arguments.iter().map(|argument| argument.len() + HEADER_BYTES_MAX).sum();
        if self.text.len() + bytes > TRANSACTION_BYTES_MAX || self.count == TRANSACTION_COMMANDS_MAX {
            return false;
        }
        self.text.extend_from_slice(format!("*{}\r\n", arguments.len()).as_bytes());
        for argument in arguments.iter() {
            self.text.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
            self.text.extend_from_slice(argument);
            self.text.extend_from_slice(b"\r\n");
        }
        self.count += 1;
        true
    }

    pub(super) fn commands(&self) -> Queued<'_> {
        let bounds = Bounds {
            arguments_max: u32::MAX,
            bulk_bytes_max: u32::MAX,
            command_bytes_max: u32::MAX,
            authenticated: true,
        };
        let (mut reader, mut arena, mut requests) = (Reader::new(), Arena::new(), Vec::with_capacity(self.count));
        let mut start = 0;
        while let Parsed::Complete(request) = reader.read(&self.text, start, &bounds, &mut arena) {
            start = request.end();
            requests.push(request);
        }
        debug_assert_eq!(requests.len(), self.count, "what was queued can be read");
        Queued { text: &self.text, arena, requests }
    }
}

/// The commands of a transaction, to be done.
#[derive(Debug)]
pub(super) struct Queued<'t> {
    text: &'t [u8],
    arena: Arena,
    requests: Vec<Request>,
}

impl Queued<'_> {
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = Arguments<'_>> {
        self.requests.iter().map(|request| self.arena.arguments(request, self.text))
    }
}
