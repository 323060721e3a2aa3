//! Where the entries of a keyspace lie: in slots of a few fixed sizes, many slots to one block of memory, each named by a
//! handle of four bytes. A slot that is given back is filled with the last one of its size, so the arena never has
//! holes: what it holds is what is in it, and at most one block for each size is not full.

use super::footprint::allocated;

/// Slot sizes, chosen so that each fills a block almost wholly.
const SIZES: [u16; 33] = [
    24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 136, 144, 152, 168, 184, 200, 224, 256, 288, 312, 336,
    368, 408, 448, 512, 584, 680, 816, 1024,
];

/// Entries above the largest slot have an allocation of their own, whose cost is then small beside theirs.
const SLOT_MAX: usize = 1024;

/// Large enough to make the allocator's share small, small enough that a block begun for one entry is no loss.
const BLOCK_BYTES: usize = 4096;

/// For each length in steps of eight bytes, the place in [`SIZES`] of the smallest slot that takes it.
const SIZE_OF: [u8; SLOT_MAX / 8 + 1] = {
    let mut places = [0; SLOT_MAX / 8 + 1];
    let mut place = 0;
    let mut step = 0;
    while step < places.len() {
        while (SIZES[place as usize] as usize) < step * 8 {
            place += 1;
        }
        places[step] = place;
        step += 1;
    }
    places
};

/// Names an entry as long as no other is removed: the pool (6 bits), the block in it (18) and the slot in that (8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handle(u32);

const LARGE: u32 = 63 << 26;

#[derive(Debug, Default)]
pub(super) struct Arena {
    pools: Vec<Pool>,
    large: Vec<Box<[u8]>>,
    held: u64,
}

/// The slots of one size.
#[derive(Debug)]
struct Pool {
    slot_bytes: usize,
    slots_per_block: u32,
    /// All are full but the last. The first grows by doubling until it has a block's size.
    blocks: Vec<Box<[u8]>>,
    len: u32,
}

/// How far a walk over all entries has come. It goes from the end to the beginning of each pool: what is removed makes
/// the last of its pool move towards the beginning, to where the walk has yet to come or to where nothing is missed.
/// What is written meanwhile is met or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    /// None while it is among the large ones, which come first: pools are added behind the last.
    pool: Option<usize>,
    /// Slots between the beginning of the pool and the walk.
    left: usize,
}

impl Walk {
    pub(super) const BEGINNING: Self = Self { pool: None, left: usize::MAX };
}

/// The bytes an entry of this length takes: those of its slot, or of its own allocation.
pub(super) fn room_for(len: usize) -> u64 {
    match size_of_slot(len) {
        Some(size) => u64::from(SIZES[usize::from(size)]),
        None => allocated(len) + size_of::<Box<[u8]>>() as u64,
    }
}

fn size_of_slot(len: usize) -> Option<u8> {
    SIZE_OF.get(len.div_ceil(8)).copied()
}

impl Handle {
    fn new(pool: usize, index: u32, slots_per_block: u32) -> Self {
        let (block, slot) = (index / slots_per_block, index % slots_per_block);
        // Beyond, a handle would name another pool's entry, perhaps another key's value.
        assert!(block < 1 << 18, "one partition has more than a gibibyte of entries of one size in one namespace");
        Self(u32::try_from(pool).expect("there are 33 sizes") << 26 | block << 8 | slot)
    }

    fn large(index: usize) -> Self {
        let index = u32::try_from(index).expect("fewer than 2^26 large entries fit into any memory");
        debug_assert!(index < 1 << 26);
        Self(LARGE | index)
    }

    fn is_large(self) -> bool {
        self.0 >= LARGE
    }

    fn index_of_large(self) -> usize {
        (self.0 & !LARGE) as usize
    }

    fn pool(self) -> usize {
        (self.0 >> 26) as usize
    }

    fn block(self) -> usize {
        (self.0 >> 8 & 0x3_ffff) as usize
    }

    fn slot(self) -> usize {
        (self.0 & 0xff) as usize
    }
}

impl Arena {
    /// The bytes of the slot, of which the entry may take the first only.
    pub(super) fn get(&self, handle: Handle) -> &[u8] {
        if handle.is_large() {
            return &self.large[handle.index_of_large()];
        }
        let pool = &self.pools[handle.pool()];
        let start = handle.slot() * pool.slot_bytes;
        &pool.blocks[handle.block()][start..start + pool.slot_bytes]
    }

    pub(super) fn get_mut(&mut self, handle: Handle) -> &mut [u8] {
        if handle.is_large() {
            return &mut self.large[handle.index_of_large()];
        }
        let pool = &mut self.pools[handle.pool()];
        let start = handle.slot() * pool.slot_bytes;
        &mut pool.blocks[handle.block()][start..start + pool.slot_bytes]
    }

    /// A place of at least `len` bytes, whose content is whatever was there.
    pub(super) fn push(&mut self, len: usize) -> Handle {
        let Some(size) = size_of_slot(len) else {
            self.held += room_for(len);
            self.large.push(vec![0; len].into_boxed_slice());
            return Handle::large(self.large.len() - 1);
        };
        let position = self.position(size).unwrap_or_else(|| {
            self.pools.push(Pool::new(usize::from(SIZES[usize::from(size)])));
            self.held += Pool::OWN_BYTES;
            self.pools.len() - 1
        });
        let pool = &mut self.pools[position];
        let before = pool.held();
        let index = pool.push();
        self.held += pool.held() - before;
        Handle::new(position, index, pool.slots_per_block)
    }

    /// By how much a push of this length would make the arena grow.
    pub(super) fn growth(&self, len: usize) -> u64 {
        let Some(size) = size_of_slot(len) else { return room_for(len) };
        match self.position(size) {
            Some(position) => self.pools[position].growth(),
            None => Pool::OWN_BYTES + allocated(usize::from(SIZES[usize::from(size)])),
        }
    }

    /// Whether an entry of this length can lie where this one does.
    pub(super) fn fits(&self, handle: Handle, len: usize) -> bool {
        match size_of_slot(len) {
            None => handle.is_large() && self.get(handle).len() == len,
            Some(size) => {
                !handle.is_large() && self.pools[handle.pool()].slot_bytes == usize::from(SIZES[usize::from(size)])
            }
        }
    }

    /// Gives the place back. The entry that had the returned handle, if one is returned, now has the given one.
    pub(super) fn remove(&mut self, handle: Handle) -> Option<Handle> {
        if handle.is_large() {
            let last = Handle::large(self.large.len() - 1);
            let removed = self.large.swap_remove(handle.index_of_large());
            self.held -= room_for(removed.len());
            self.forget_when_empty();
            return (last != handle).then_some(last);
        }
        let pool = &mut self.pools[handle.pool()];
        let last = Handle::new(handle.pool(), pool.len - 1, pool.slots_per_block);
        let before = pool.held();
        pool.remove(handle, last);
        self.held -= before - pool.held();
        self.forget_when_empty();
        (last != handle).then_some(last)
    }

    /// An arena without entries is as if there had never been any.
    fn forget_when_empty(&mut self) {
        if self.large.is_empty() && self.held == self.pools.len() as u64 * Pool::OWN_BYTES {
            *self = Self::default();
        }
    }

    /// Bytes of the machine's memory, the allocator's rounding included.
    pub(super) fn held(&self) -> u64 {
        self.held
    }

    /// For the test of [`Self::held`]: the same, added up from what is there.
    pub(super) fn recount_held(&self) -> u64 {
        let pools: u64 = self.pools.iter().map(|pool| Pool::OWN_BYTES + pool.held()).sum();
        pools + self.large.iter().map(|entry| room_for(entry.len())).sum::<u64>()
    }

    /// Any one entry, for a sample: `number` is taken modulo what is there.
    pub(super) fn any(&self, number: usize) -> Option<Handle> {
        let in_pools: usize = self.pools.iter().map(|pool| pool.len as usize).sum();
        let mut index = number.checked_rem(in_pools + self.large.len())?;
        for (position, pool) in self.pools.iter().enumerate() {
            match u32::try_from(index) {
                Ok(within) if within < pool.len => return Some(Handle::new(position, within, pool.slots_per_block)),
                _ => index -= pool.len as usize,
            }
        }
        Some(Handle::large(index))
    }

    /// Names the next entry of a walk.
    pub(super) fn step(&self, walk: &mut Walk) -> Option<Handle> {
        loop {
            let pool = match walk.pool {
                None => None,
                Some(position) => Some((position, self.pools.get(position)?)),
            };
            let len = pool.map_or(self.large.len(), |(_, pool)| pool.len as usize);
            if let Some(index) = walk.left.min(len).checked_sub(1) {
                walk.left = index;
                return Some(match pool {
                    None => Handle::large(index),
                    Some((position, pool)) => {
                        let index = u32::try_from(index).expect("a pool counts its slots in four bytes");
                        Handle::new(position, index, pool.slots_per_block)
                    }
                });
            }
            *walk = Walk { pool: Some(walk.pool.map_or(0, |position| position + 1)), left: usize::MAX };
        }
    }

    fn position(&self, size: u8) -> Option<usize> {
        let slot_bytes = usize::from(SIZES[usize::from(size)]);
        self.pools.iter().position(|pool| pool.slot_bytes == slot_bytes)
    }
}

impl Pool {
    const OWN_BYTES: u64 = size_of::<Self>() as u64;

    fn new(slot_bytes: usize) -> Self {
        let slots_per_block = u32::try_from(BLOCK_BYTES / slot_bytes).expect("a block has 170 slots at most");
        Self { slot_bytes, slots_per_block, blocks: Vec::new(), len: 0 }
    }

    /// Slots of the first block when it has to take so many.
    fn first_block_slots(&self, len: u32) -> u32 {
        len.next_power_of_two().min(self.slots_per_block)
    }

    fn is_full(&self) -> bool {
        match self.blocks.len() {
            0 => true,
            1 => self.len as usize * self.slot_bytes + self.slot_bytes > self.blocks[0].len(),
            blocks => self.len as usize == blocks * self.slots_per_block as usize,
        }
    }

    fn growth(&self) -> u64 {
        if !self.is_full() {
            return 0;
        }
        let mut blocks: [usize; 2] = [0, BLOCK_BYTES];
        if self.len < self.slots_per_block {
            blocks = [
                self.blocks.first().map_or(0, |block| block.len()),
                self.first_block_slots(self.len + 1) as usize * self.slot_bytes,
            ];
        }
        allocated(blocks[1]) - allocated(blocks[0])
    }

    fn push(&mut self) -> u32 {
        if self.is_full() {
            if self.len < self.slots_per_block {
                self.resize_first(self.first_block_slots(self.len + 1));
            } else {
                self.blocks.push(vec![0; BLOCK_BYTES].into_boxed_slice());
            }
        }
        self.len += 1;
        self.len - 1
    }

    fn remove(&mut self, handle: Handle, last: Handle) {
        let range = |handle: Handle| handle.slot() * self.slot_bytes..(handle.slot() + 1) * self.slot_bytes;
        let (to, from) = (range(handle), range(last));
        if handle.block() == last.block() {
            self.blocks[last.block()].copy_within(from, to.start);
        } else {
            let (before, after) = self.blocks.split_at_mut(last.block());
            before[handle.block()][to].copy_from_slice(&after[0][from]);
        }
        self.len -= 1;
        if last.slot() == 0 {
            self.blocks.pop();
        } else if self.len <= self.slots_per_block && self.blocks.len() == 1 {
            // Halved only when it is a quarter full, so that one entry coming and going does not move all of it.
            let slots = self.blocks[0].len() / self.slot_bytes;
            if self.len as usize * 4 <= slots {
                self.resize_first(self.first_block_slots(self.len * 2));
            }
        }
    }

    fn resize_first(&mut self, slots: u32) {
        let full = slots == self.slots_per_block;
        let bytes = if full { BLOCK_BYTES } else { slots as usize * self.slot_bytes };
        let mut block = vec![0; bytes].into_boxed_slice();
        if let Some(before) = self.blocks.pop() {
            let kept = self.len as usize * self.slot_bytes;
            block[..kept].copy_from_slice(&before[..kept]);
        }
        self.blocks.push(block);
    }

    fn held(&self) -> u64 {
        let first = self.blocks.first().map_or(0, |block| allocated(block.len()));
        first + self.blocks.len().saturating_sub(1) as u64 * allocated(BLOCK_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_has_the_smallest_slot_that_takes_it() {
        for len in 0..=SLOT_MAX {
            let size = usize::from(SIZES[usize::from(size_of_slot(len).expect("a slot"))]);
            assert!(size >= len, "{len} in {size}");
            assert!(SIZES.iter().all(|&other| usize::from(other) < len || usize::from(other) >= size));
        }
        assert_eq!(size_of_slot(SLOT_MAX + 1), None);
    }

    #[test]
    fn slots_fill_their_blocks_but_for_a_twenty_fifth() {
        for size in SIZES.map(usize::from) {
            let wasted = BLOCK_BYTES - BLOCK_BYTES / size * size;
            assert!(wasted * 25 <= BLOCK_BYTES, "{size}: {wasted} bytes of a block are wasted");
            assert!(BLOCK_BYTES / size <= 256);
        }
    }

    /// What was written stays, whatever comes and goes around it; the figures are those of what is there.
    #[test]
    fn entries_keep_their_bytes_while_others_move() {
        let mut arena = Arena::default();
        let mut entries: Vec<(Handle, u64)> = Vec::new();
        let mut random = 12345_u64;
        for step in 0..200_000_u64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let draw = usize::try_from(random >> 33).expect("31 bits");
            let growing = (step / 20_000).is_multiple_of(2);
            if entries.is_empty() || draw.is_multiple_of(8) != growing {
                let len = 8 + [16, 60, 300, 1500][draw / 8 % 4] * (draw / 32 % 3);
                let growth = arena.growth(len);
                let before = arena.held();
                let handle = arena.push(len);
                assert_eq!(arena.held() - before, growth);
                arena.get_mut(handle)[..8].copy_from_slice(&step.to_le_bytes());
                entries.push((handle, step));
            } else {
                let (handle, _) = entries.swap_remove(draw / 8 % entries.len());
                if let Some(moved) = arena.remove(handle) {
                    let entry = entries.iter_mut().find(|(other, _)| *other == moved).expect("the last of its size");
                    entry.0 = handle;
                }
            }
            if step % 1000 == 0 {
                assert_eq!(arena.held(), arena.recount_held());
                assert!(entries.iter().all(|(handle, step)| arena.get(*handle)[..8] == step.to_le_bytes()));
            }
        }
        for _ in entries {
            let any = arena.any(0).expect("as many as were pushed");
            arena.remove(any);
        }
        assert!(arena.any(0).is_none());
        assert_eq!(arena.held(), 0);
    }
}
