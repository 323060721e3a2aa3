//! Where the arguments of the commands of one turn are noted: one arena serves a whole pipeline and is used again for
//! the next, so that a command costs no allocation.

use std::ops::{Index, Range};

/// An arena that has served a giant gives its memory back; one that serves ordinary pipelines never allocates again.
pub(super) const SPANS_KEPT_MAX: usize = 4 * 1024;
const UNQUOTED_BYTES_KEPT_MAX: usize = 64 * 1024;

/// The place of one argument, counted from the beginning of its command's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    length: u32,
}

impl Span {
    /// Both are below `Bounds::command_bytes_max`, or below the length of a line.
    pub(super) fn new(start: usize, length: usize) -> Self {
        let narrow = |number: usize| u32::try_from(number).expect("a command's bounds are counted in 32 bits");
        Self { start: narrow(start), length: narrow(length) }
    }

    fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.length as usize
    }
}

#[derive(Debug, Default)]
pub struct Arena {
    pub(super) spans: Vec<Span>,
    /// Inline commands without their quotes; only they are not found in the buffer as they are.
    pub(super) unquoted: Vec<u8>,
}

impl Arena {
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all requests; those still held by the caller must not be looked up any more.
    pub fn clear(&mut self) {
        self.spans.clear();
        self.spans.shrink_to(SPANS_KEPT_MAX);
        self.unquoted.clear();
        self.unquoted.shrink_to(UNQUOTED_BYTES_KEPT_MAX);
    }

    /// The arguments of a request that was read from this buffer into this arena.
    #[inline]
    pub fn arguments<'a>(&'a self, request: &Request, buffer: &'a [u8]) -> Arguments<'a> {
        let text = match request.source {
            Source::Buffer { start } => &buffer[start..request.end],
            Source::Unquoted { start } => &self.unquoted[start..],
        };
        Arguments { text, spans: &self.spans[request.spans.clone()] }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Buffer { start: usize },
    Unquoted { start: usize },
}

/// One command that was read: what [`Arena::arguments`] needs to find its arguments again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    source: Source,
    spans: Range<usize>,
    end: usize,
}

impl Request {
    pub(super) fn new(source: Source, spans: Range<usize>, end: usize) -> Self {
        Self { source, spans, end }
    }

    /// What stands for bytes that are no command.
    pub fn nothing() -> Self {
        Self { source: Source::Unquoted { start: 0 }, spans: 0..0, end: 0 }
    }

    /// Where in the buffer the next command begins.
    pub fn end(&self) -> usize {
        self.end
    }

    /// Nothing was asked and nothing is answered.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }
}

/// The arguments of one command, its name first.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a> {
    text: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Arguments<'a> {
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    #[inline]
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        self.spans.get(index).map(|span| &self.text[span.range()])
    }

    /// The arguments from this one on; none when there are not so many.
    #[must_use]
    pub fn from(&self, index: usize) -> Self {
        Self { text: self.text, spans: self.spans.get(index..).unwrap_or_default() }
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let text = self.text;
        self.spans.iter().map(move |span| &text[span.range()])
    }
}

/// For positions that the command's arity promises.
impl Index<usize> for Arguments<'_> {
    type Output = [u8];

    #[inline]
    fn index(&self, index: usize) -> &[u8] {
        &self.text[self.spans[index].range()]
    }
}
