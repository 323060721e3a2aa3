//! What a dump holds on its way back: when it stays away, and what it makes.

use kvnode_core::store::dumped::Dumped;
use kvnode_core::store::entry::LAST_MOMENT;
use kvnode_core::store::key::Address;
use kvnode_core::store::outcome::{Outcome, Refusal, Reply};
use kvnode_core::time::UnixMillis;

use super::known::{Content, whole_seconds};
use super::{Known, Model, same};

impl Model {
    pub(super) fn judge_put_back(
        &mut self,
        address: &Address<'static>,
        dumped: &Dumped<'_>,
        (clock, now): (UnixMillis, UnixMillis),
        outcome: &Outcome,
    ) -> Result<(), String> {
        let known = Known {
            content: Content::of(&dumped.value),
            version: dumped.version(),
            tags: dumped.tags.clone(),
            ttl_seconds: dumped.expiry.map(|expiry| expiry.ttl_seconds.get().into()),
            created_at: whole_seconds(dumped.created_at),
            updated_at: whole_seconds(dumped.updated_at),
            expires_at: dumped.expiry.map(|expiry| expiry.at.min(LAST_MOMENT)),
            used_at: whole_seconds(clock),
        };
        let over = known.expires_at.is_some_and(|at| at <= clock);
        let before = self.live.get(address);
        let left = before.filter(|before| over || is_newer(before, &known));
        match (left, outcome) {
            (Some(left), Ok(Reply::Found(entry))) => return left.same_as(entry),
            (None, Ok(Reply::Absent)) if over => return Ok(()),
            (Some(_), _) => return Err(format!("expected {left:?} to be left as it is, but got {outcome:?}")),
            (None, _) if over => return Err(format!("expected nothing to be put back, but got {outcome:?}")),
            _ => {}
        }
        match outcome {
            Err(Refusal::MemoryFull { .. }) => self.judge_full(address, outcome),
            Err(Refusal::QuotaExceeded(_)) => self.judge_quota(address, &known, now, outcome),
            Ok(Reply::Stored { entry, created, previous: None }) => {
                same(created, &before.is_none())?;
                match before {
                    None => self.graves.judge_put_back(address, clock, (known.version, entry.version))?,
                    Some(before) => same(&entry.version, &known.version.max(before.version.next()))?,
                }
                same(&entry.address, address)?;
                let known = Known { version: entry.version, ..known };
                known.same_as(entry)?;
                self.take_over(address, known);
                Ok(())
            }
            _ => Err(format!("expected {known:?} to be put back, but got {outcome:?}")),
        }
    }
}

/// Or as new.
fn is_newer(present: &Known, dumped: &Known) -> bool {
    present.updated_at > dumped.updated_at || present.version.get() >= dumped.version.get()
}
