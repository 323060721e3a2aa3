//! I9, for one node: the pages of a list, put together, are the live keys in order, each once.

use super::{Invariant, View};

#[derive(Debug)]
pub(super) struct ListIsTheSortedLiveKeys;

impl Invariant for ListIsTheSortedLiveKeys {
    fn name(&self) -> &'static str {
        "a list is the sorted live keys"
    }

    fn check(&mut self, view: &View<'_>) -> Result<(), String> {
        let mut expected: Vec<&str> = view.model.keys().collect();
        expected.sort_unstable();
        let listed: Vec<&str> = view.listed.iter().map(AsRef::as_ref).collect();
        if listed == expected { Ok(()) } else { Err(format!("{listed:?} are listed, {expected:?} are live")) }
    }
}
