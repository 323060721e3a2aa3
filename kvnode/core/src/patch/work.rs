//! A bound on what one patch may cost. Operations that are small to write can be large to do (removing from the front
//! of a long array, comparing with a whole value), and while they are done the partition is locked.

use super::PatchError;

/// A step is a byte read, an element moved or a name compared, and took one to three nanoseconds when it was measured:
/// the lock is held for less than half a second at the very worst. To look into a value of 2 MiB takes 2 million.
pub const STEPS_MAX: usize = 1 << 27;

#[derive(Debug)]
pub(super) struct Work {
    steps_left: usize,
}

impl Default for Work {
    fn default() -> Self {
        Self::of(STEPS_MAX)
    }
}

impl Work {
    pub(super) fn of(steps: usize) -> Self {
        Self { steps_left: steps }
    }

    /// To be asked before the steps are taken.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), PatchError> {
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(PatchError::TooMuchWork)?;
        Ok(())
    }
}
