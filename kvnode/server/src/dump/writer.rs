//! Writes a dump line by line.

use kvnode_core::store::entry::EntryRef;
use kvnode_core::store::key::Namespace;
use serde::Serialize;
use serde::de::IgnoredAny;

use super::chain::Chain;
use super::{Header, Trailer, entry_line};

#[derive(Debug, Default)]
pub(crate) struct Writer {
    chain: Chain,
    entries: u64,
}

impl Writer {
    /// The first line; each puts its line behind what is there.
    pub(crate) fn header(&mut self, header: &Header, text: &mut Vec<u8>) {
        let from = text.len();
        append_open(text, header);
        self.chain.close(text, from);
    }

    pub(crate) fn entry(&mut self, namespace: Namespace, entry: EntryRef<'_>, text: &mut Vec<u8>) {
        let from = text.len();
        entry_line::write(namespace, entry, text);
        self.chain.close(text, from);
        self.entries += 1;
    }

    /// The last line.
    pub(crate) fn end(&mut self, text: &mut Vec<u8>) {
        let from = text.len();
        append_open(text, &Trailer { end: true, entries: self.entries, _crc: IgnoredAny });
        self.chain.close(text, from);
    }

    pub(crate) fn entries(&self) -> u64 {
        self.entries
    }
}

/// An object without its last brace.
pub(super) fn append_open(text: &mut Vec<u8>, members: &impl Serialize) {
    serde_json::to_writer(&mut *text, members).expect("texts and numbers are always JSON, and memory takes them all");
    let brace = text.pop();
    debug_assert_eq!(brace, Some(b'}'));
}
