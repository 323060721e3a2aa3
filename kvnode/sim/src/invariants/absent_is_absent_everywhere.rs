//! I5, I6: what has expired or was deleted is absent from gets, lists and counts at once, and stays so.

use kvnode_core::store::outcome::Reply;

use super::{Invariant, View};
use crate::trace::{namespace_words, place};

#[derive(Debug)]
pub(super) struct AbsentIsAbsentEverywhere;

impl Invariant for AbsentIsAbsentEverywhere {
    fn name(&self) -> &'static str {
        "absent is absent everywhere"
    }

    fn check(&mut self, view: &View<'_>) -> Result<(), String> {
        for (address, reply) in view.probes {
            if view.model.get(address).is_none() && *reply != Reply::Absent {
                return Err(format!("{} is gone, but a get answers {reply:?}", place(address)));
            }
        }
        for shown in view.shown {
            let namespace = namespace_words(shown.namespace);
            let live = || view.model.keys(shown.namespace);
            if shown.counted != live().count() as u64 {
                return Err(format!("{} keys of {namespace} are counted, {} are live", shown.counted, live().count()));
            }
            if let Some(key) = shown.listed.iter().find(|key| !live().any(|live| *live == ***key)) {
                return Err(format!("{key:?} of {namespace} is gone, but listed"));
            }
        }
        Ok(())
    }
}
