//! Commands for tests, made the way a client makes them.

use super::{Arena, Arguments, Bounds, Parsed, Reader, Request};

pub(crate) const BOUNDS: Bounds = Bounds {
    arguments_max: 1024 * 1024,
    bulk_bytes_max: 512 * 1024 * 1024,
    command_bytes_max: u32::MAX,
    authenticated: true,
};

pub(crate) fn encode<W: AsRef<[u8]>>(words: &[W]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n", word.as_ref().len()).bytes());
        bytes.extend_from_slice(word.as_ref());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// One command with everything its arguments borrow from.
pub(crate) struct Sample {
    buffer: Vec<u8>,
    arena: Arena,
    request: Request,
}

impl Sample {
    pub(crate) fn new<W: AsRef<[u8]>>(words: &[W]) -> Self {
        let buffer = encode(words);
        let mut arena = Arena::new();
        match Reader::new().read(&buffer, 0, &BOUNDS, &mut arena) {
            Parsed::Complete(request) => Self { buffer, arena, request },
            other => panic!("a whole command was read as {other:?}"),
        }
    }

    /// The words between single blanks, none of them quoted.
    pub(crate) fn of(line: &str) -> Self {
        Self::new(&line.split(' ').collect::<Vec<_>>())
    }

    pub(crate) fn arguments(&self) -> Arguments<'_> {
        self.arena.arguments(&self.request, &self.buffer)
    }
}
