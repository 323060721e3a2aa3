//! I9, for one node: the pages of a list, put together, are the live keys of its namespace, each once, in the order of
//! their places.

use kvnode_core::store::cursor::Cursor;

use super::{Invariant, View};
use crate::trace::namespace_words;

#[derive(Debug)]
pub(super) struct ListIsTheLiveKeysOnce;

impl Invariant for ListIsTheLiveKeysOnce {
    fn name(&self) -> &'static str {
        "a list is the live keys, each once"
    }

    fn check(&mut self, view: &View<'_>) -> Result<(), String> {
        for shown in view.shown {
            let mut expected: Vec<&str> = view.model.keys(shown.namespace).collect();
            expected.sort_unstable_by_key(|key| (Cursor::of(key), *key));
            let listed: Vec<&str> = shown.listed.iter().map(AsRef::as_ref).collect();
            if listed != expected {
                let namespace = namespace_words(shown.namespace);
                return Err(format!("{listed:?} of {namespace} are listed, {expected:?} are live"));
            }
        }
        Ok(())
    }
}
