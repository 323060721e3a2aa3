//! Whether the node was asked to step aside. A node that steps aside is not ready, so that nobody is sent to it any more,
//! and goes on answering whoever still comes; unlike a node that ends, it can be called back.

use std::sync::atomic::{AtomicU8, Ordering};

use serde::{Deserialize, Serialize};

/// What is to become of the node afterwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DrainMode {
    /// It comes back under its name.
    #[default]
    Restart,
    /// It goes for good.
    Leave,
}

/// Looked at by every probe, so it is no lock.
#[derive(Debug, Default)]
pub(crate) struct DrainOrder(AtomicU8);

impl DrainOrder {
    pub(crate) fn give(&self, mode: DrainMode) {
        self.0.store(number(Some(mode)), Ordering::Relaxed);
    }

    pub(crate) fn cancel(&self) {
        self.0.store(number(None), Ordering::Relaxed);
    }

    pub(crate) fn mode(&self) -> Option<DrainMode> {
        let kept = self.0.load(Ordering::Relaxed);
        [DrainMode::Restart, DrainMode::Leave].into_iter().find(|&mode| number(Some(mode)) == kept)
    }
}

fn number(mode: Option<DrainMode>) -> u8 {
    match mode {
        None => 0,
        Some(DrainMode::Restart) => 1,
        Some(DrainMode::Leave) => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_order_counts_and_can_be_taken_back() {
        let order = DrainOrder::default();
        assert_eq!(order.mode(), None);
        for mode in [DrainMode::Leave, DrainMode::Restart, DrainMode::Restart] {
            order.give(mode);
            assert_eq!(order.mode(), Some(mode));
        }
        order.cancel();
        assert_eq!(order.mode(), None);
    }
}
