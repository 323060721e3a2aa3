//! The bytes of a connection on their way in or out. Buffers are lent by their thread, because most connections have
//! nothing under way most of the time, and an idle one should cost nothing but itself.

/// What a read takes at most when nothing larger is known to come.
pub(super) const BUFFER_BYTES: usize = 16 * 1024;

/// Less room than this is not worth a read.
const ROOM_BYTES_MIN: usize = BUFFER_BYTES / 4;

/// Idle buffers a thread keeps: as many as connections that usually speak in the same turn.
const LENT_BUFFERS_KEPT_MAX: usize = 256;

/// A buffer that grew beyond this for a large value is given back to the system afterwards.
const KEPT_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// With room for a usual turn.
    empty: Vec<Vec<u8>>,
    /// As long as they are large, so that a read needs no zeroing.
    full: Vec<Vec<u8>>,
}

impl Buffers {
    /// To be filled from its beginning.
    pub(super) fn lend(&mut self) -> Vec<u8> {
        self.empty.pop().unwrap_or_else(|| Vec::with_capacity(BUFFER_BYTES))
    }

    pub(super) fn give_back(&mut self, mut buffer: Vec<u8>) {
        if is_worth_keeping(buffer.capacity()) && self.empty.len() < LENT_BUFFERS_KEPT_MAX {
            buffer.clear();
            self.empty.push(buffer);
        }
    }

    fn lend_full(&mut self) -> Vec<u8> {
        self.full.pop().unwrap_or_else(|| vec![0; BUFFER_BYTES])
    }

    fn give_back_full(&mut self, buffer: Vec<u8>) {
        if is_worth_keeping(buffer.len()) && self.full.len() < LENT_BUFFERS_KEPT_MAX {
            self.full.push(buffer);
        }
    }
}

fn is_worth_keeping(bytes: usize) -> bool {
    (BUFFER_BYTES..=KEPT_BYTES_MAX).contains(&bytes)
}

/// Bytes that arrived, of which the first may be used up already.
#[derive(Debug, Default)]
pub(super) struct Input {
    /// All of it is initialised; `end` says how much has arrived.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    /// Everything since the last move; places are counted from its beginning.
    pub(super) fn arrived(&self) -> &[u8] {
        &self.bytes[..self.end]
    }

    /// The first byte that is not used up.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    pub(super) fn use_up(&mut self, to: usize) {
        self.start = to;
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.start == self.end
    }

    /// Room to read into. It grows with what has arrived, never with what was announced, so that a large command is
    /// neither paid for before it is sent nor copied more often than its size doubles.
    pub(super) fn room(&mut self, buffers: &mut Buffers) -> &mut [u8] {
        if self.bytes.is_empty() {
            self.bytes = buffers.lend_full();
        }
        if self.bytes.len() - self.end < ROOM_BYTES_MIN {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.bytes.len() - self.end < ROOM_BYTES_MIN {
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
        if self.is_used_up() && !self.bytes.is_empty() {
            buffers.give_back_full(std::mem::take(&mut self.bytes));
            (self.start, self.end) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrive(input: &mut Input, buffers: &mut Buffers, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = input.room(buffers);
            let read = room.len().min(rest.len());
            room[..read].copy_from_slice(&rest[..read]);
            input.add(read);
            rest = &rest[read..];
        }
    }

    #[test]
    fn what_is_not_used_up_survives_growth_and_moves() {
        let (mut input, mut buffers) = (Input::default(), Buffers::default());
        let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let mut used = 0;
        for part in bytes.chunks(7_001) {
            arrive(&mut input, &mut buffers, part);
            let ready = input.arrived().len() - input.start();
            let take = ready / 3;
            assert_eq!(&input.arrived()[input.start()..], &bytes[used..used + ready]);
            input.use_up(input.start() + take);
            used += take;
        }
        input.use_up(input.arrived().len());
        input.settle(&mut buffers);
        assert!(input.bytes.is_empty(), "an idle connection holds no buffer");
    }

    #[test]
    fn a_buffer_that_served_a_giant_is_not_kept() {
        let (mut input, mut buffers) = (Input::default(), Buffers::default());
        arrive(&mut input, &mut buffers, &vec![1; 1 << 20]);
        input.use_up(1 << 20);
        input.settle(&mut buffers);
        assert!(buffers.full.is_empty());
        arrive(&mut input, &mut buffers, b"small");
        input.use_up(5);
        input.settle(&mut buffers);
        assert_eq!(buffers.full.len(), 1);
    }
}
