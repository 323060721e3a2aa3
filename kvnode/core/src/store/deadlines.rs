//! Which entry's time comes next: a heap of handles, ordered by the moment that stands in each entry. An entry knows its
//! place in the heap, so it can leave from the middle, and the heap never names an entry that is no longer there.

use super::arena::{Arena, Handle};
use super::entry::{due_of, place_of, set_place};
use super::footprint::allocated;

#[derive(Debug, Default)]
pub(super) struct Deadlines(Vec<Handle>);

impl Deadlines {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn first(&self) -> Option<Handle> {
        self.0.first().copied()
    }

    /// The first but for this one. Behind the first comes one of the two below it.
    pub(super) fn first_but(&self, spared: Option<Handle>, arena: &Arena) -> Option<Handle> {
        match self.first() {
            first if spared.is_none() || first != spared => first,
            _ => self.0.iter().skip(1).take(2).copied().min_by_key(|&handle| due_of(arena.get(handle))),
        }
    }

    /// The entry must have a moment already.
    pub(super) fn push(&mut self, handle: Handle, arena: &mut Arena) {
        self.0.push(handle);
        self.rise(self.0.len() - 1, arena);
    }

    pub(super) fn remove(&mut self, handle: Handle, arena: &mut Arena) {
        let place = place_of(arena.get(handle));
        debug_assert_eq!(self.0[place], handle, "an entry knows its place");
        self.0.swap_remove(place);
        if place < self.0.len() {
            let place = self.rise(place, arena);
            self.sink(place, arena);
        }
    }

    /// The entry at this place got another handle.
    pub(super) fn rename(&mut self, place: usize, handle: Handle) {
        self.0[place] = handle;
    }

    /// How many have a moment not after this one; only those are looked at, and their successors.
    pub(super) fn count_until(&self, moment: u64, arena: &Arena) -> usize {
        let mut count = 0;
        let mut open = vec![0];
        while let Some(place) = open.pop() {
            if self.0.get(place).is_some_and(|&handle| due_of(arena.get(handle)) <= moment) {
                count += 1;
                open.extend([2 * place + 1, 2 * place + 2]);
            }
        }
        count
    }

    pub(super) fn held(&self) -> u64 {
        allocated(self.0.capacity() * size_of::<Handle>())
    }

    /// By how much one more would make it grow.
    pub(super) fn growth(&self) -> u64 {
        if self.0.len() < self.0.capacity() {
            return 0;
        }
        // As a vector grows: to four at first, then to twice its size.
        let grown = (self.0.capacity() * 2).max(4);
        allocated(grown * size_of::<Handle>()) - self.held()
    }

    pub(super) fn give_back_room(&mut self) {
        if self.0.len() * 4 <= self.0.capacity() {
            self.0.shrink_to(self.0.len() * 2);
        }
    }

    fn rise(&mut self, mut place: usize, arena: &mut Arena) -> usize {
        let handle = self.0[place];
        let due = due_of(arena.get(handle));
        while place > 0 {
            let parent = (place - 1) / 2;
            let above = self.0[parent];
            if due_of(arena.get(above)) <= due {
                break;
            }
            self.put(place, above, arena);
            place = parent;
        }
        self.put(place, handle, arena);
        place
    }

    fn sink(&mut self, mut place: usize, arena: &mut Arena) {
        let handle = self.0[place];
        let due = due_of(arena.get(handle));
        loop {
            let children = [2 * place + 1, 2 * place + 2].into_iter().filter(|&child| child < self.0.len());
            let Some(child) = children.min_by_key(|&child| due_of(arena.get(self.0[child]))) else { break };
            let below = self.0[child];
            if due_of(arena.get(below)) >= due {
                break;
            }
            self.put(place, below, arena);
            place = child;
        }
        self.put(place, handle, arena);
    }

    fn put(&mut self, place: usize, handle: Handle, arena: &mut Arena) {
        self.0[place] = handle;
        set_place(arena.get_mut(handle), place);
    }
}
