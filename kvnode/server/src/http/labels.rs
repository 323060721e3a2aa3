//! The `endpoint` label of a request: the pattern of its route. A path itself would let every client make up labels.

use std::collections::HashMap;

/// Of a request that fits no route.
const NO_ROUTE: &str = "none";

#[derive(Debug)]
pub(super) struct Labels(HashMap<String, &'static str>);

impl Labels {
    /// Of routes that are called what they are, and of those that are called otherwise.
    pub(super) fn new(
        plain: impl IntoIterator<Item = &'static str>,
        others: impl IntoIterator<Item = (String, &'static str)>,
    ) -> Self {
        let plain = plain.into_iter().map(|pattern| (pattern.to_owned(), pattern));
        Self(plain.chain(others).collect())
    }

    pub(super) fn of(&self, pattern: Option<&str>) -> &'static str {
        let label = pattern.and_then(|pattern| self.0.get(pattern).copied());
        // A route that is not in the list would be counted as nothing, and be missing in the interface's description.
        debug_assert!(label.is_some() || pattern.is_none(), "{pattern:?} is not among the patterns");
        label.unwrap_or(NO_ROUTE)
    }
}
