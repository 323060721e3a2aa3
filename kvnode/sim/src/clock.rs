//! Time as the simulated node is told it: mostly forward a little, sometimes far, sometimes back, as the clocks of real
//! machines do when they are corrected.

use kvnode_core::time::UnixMillis;
use rand::RngExt;
use rand::rngs::StdRng;

const START_MS: u64 = 1_800_000_000_000;
const JUMP_MS_MAX: u64 = 2 * 3_600_000;

#[derive(Debug)]
pub struct VirtualClock(u64);

impl Default for VirtualClock {
    fn default() -> Self {
        Self(START_MS)
    }
}

impl VirtualClock {
    pub fn now(&self) -> UnixMillis {
        UnixMillis::new(self.0)
    }

    /// Lets a random time pass before the next step.
    pub fn advance(&mut self, random: &mut StdRng) {
        self.0 = match random.random_range(0..100) {
            0..40 => self.0,
            40..85 => self.0 + random.random_range(0..3_000),
            85..95 => self.0 + random.random_range(0..60_000),
            95..98 => self.0 + random.random_range(0..JUMP_MS_MAX),
            _ => self.0 - random.random_range(0..JUMP_MS_MAX),
        };
    }
}
