//! The bytes of a connection on their way in or out. Buffers are lent by their thread, because most connections have
//! nothing under way most of the time, and an idle one should cost nothing but itself.

/// What a read takes at most when nothing larger is known to come.
pub(super) const BUFFER_BYTES: usize = 16 * 1024;

/// Idle buffers a thread keeps: as many as connections that usually speak in the same turn.
const LENT_BUFFERS_KEPT_MAX: usize = 256;

/// A buffer that grew beyond this for a large value is given back to the system afterwards.
const KEPT_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(super) struct Buffers(Vec<Vec<u8>>);

impl Buffers {
    /// Empty, with room for a usual turn.
    pub(super) fn lend(&mut self) -> Vec<u8> {
        self.0.pop().unwrap_or_else(|| Vec::with_capacity(BUFFER_BYTES))
    }

    pub(super) fn give_back(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() >= BUFFER_BYTES
            && buffer.capacity() <= KEPT_BYTES_MAX
            && self.0.len() < LENT_BUFFERS_KEPT_MAX
        {
            buffer.clear();
            self.0.push(buffer);
        }
    }
}

/// Bytes that arrived, of which the first may be used up already.
#[derive(Debug, Default)]
pub(super) struct Input {
    /// All of it is initialised, so that a read needs no zeroing; `end` says how much has arrived.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    pub(super) fn arrived(&self) -> &[u8] {
        &self.bytes[..self.end]
    }

    pub(super) fn start(&self) -> usize {
        self.start
    }

    pub(super) fn use_up(&mut self, to: usize) {
        self.start = to;
    }

    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Room to read into: at least a quarter of a buffer, and as much as has arrived already, so that a large command
    /// is not copied more often than its size doubles.
    pub(super) fn room(&mut self, buffers: &mut Buffers) -> &mut [u8] {
        if self.bytes.is_empty() {
            self.bytes = buffers.lend();
            let capacity = self.bytes.capacity();
            self.bytes.resize(capacity, 0);
        }
        if self.bytes.len() - self.end < BUFFER_BYTES / 4 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.bytes.len() - self.end < BUFFER_BYTES / 4 {
                self.bytes.resize(self.bytes.len() * 2, 0);
            }
        }
        &mut self.bytes[self.end..]
    }

    pub(super) fn add(&mut self, read: usize) {
        self.end += read;
    }

    /// Once all is used up, the buffer goes back.
    pub(super) fn settle(&mut self, buffers: &mut Buffers) {
        if self.start == self.end && !self.bytes.is_empty() {
            buffers.give_back(std::mem::take(&mut self.bytes));
            (self.start, self.end) = (0, 0);
        }
    }
}
