//! What was acknowledged can be read, whole: value, version, tags and times.

use kvnode_core::store::outcome::Reply;

use super::{Invariant, View};
use crate::trace::place;

#[derive(Debug)]
pub(super) struct WritesCanBeRead;

impl Invariant for WritesCanBeRead {
    fn name(&self) -> &'static str {
        "writes can be read"
    }

    fn check(&mut self, view: &View<'_>) -> Result<(), String> {
        for (address, reply) in view.probes {
            let Some(known) = view.model.get(address) else { continue };
            match reply {
                Reply::Found(entry) => known.same_as(entry)?,
                other => return Err(format!("{} was written, but a get answers {other:?}", place(address))),
            }
        }
        Ok(())
    }
}
