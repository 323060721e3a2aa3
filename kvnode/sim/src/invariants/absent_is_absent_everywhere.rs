//! I5, I6: what has expired or was deleted is absent from gets, lists and counts at once, and stays so.

use kvnode_core::store::outcome::Reply;

use super::{Invariant, View};

#[derive(Debug)]
pub(super) struct AbsentIsAbsentEverywhere;

impl Invariant for AbsentIsAbsentEverywhere {
    fn name(&self) -> &'static str {
        "absent is absent everywhere"
    }

    fn check(&mut self, view: &View<'_>) -> Result<(), String> {
        let live = view.model.keys().count() as u64;
        if view.counted != live {
            return Err(format!("{} keys are counted, {live} are live", view.counted));
        }
        for (address, reply) in view.probes {
            if view.model.get(address).is_none() && *reply != Reply::Absent {
                return Err(format!("{:?} is gone, but a get answers {reply:?}", address.key));
            }
        }
        match view.listed.iter().find(|key| !view.model.keys().any(|live| live == key.as_ref())) {
            Some(key) => Err(format!("{key:?} is gone, but listed")),
            None => Ok(()),
        }
    }
}
