//! The one place where the node takes something from chance: the seed of its tables, the ids of requests, lots.

use std::time::Duration;

/// Whoever chooses keys must not know this, or could choose keys that all fall into one place of a table.
#[expect(clippy::disallowed_methods, reason = "this is the crate's random module")]
pub(crate) fn hash_seed() -> u64 {
    rand::random()
}

/// A number drawn by lot.
pub(crate) fn below(limit: usize) -> usize {
    rand::random_range(0..limit)
}

/// So large that no two requests of a cluster's life share one.
#[expect(clippy::disallowed_methods, reason = "this is the crate's random module")]
pub(crate) fn request_id() -> u128 {
    rand::random()
}

/// Of a node that has not had one before. No two nodes anywhere may come to the same.
#[expect(clippy::disallowed_methods, reason = "this is the crate's random module")]
pub(crate) fn node_id() -> u128 {
    rand::random()
}

/// A time between these two.
pub(crate) fn between(least: Duration, most: Duration) -> Duration {
    rand::random_range(least..most)
}
