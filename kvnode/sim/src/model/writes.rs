//! Writes that no condition refuses: what they make, and when memory may stand in their way.

use kvnode_core::store::Eviction;
use kvnode_core::store::attributes::Version;
use kvnode_core::store::change::ChangeError;
use kvnode_core::store::command::{NewExpiry, NewTags, Write};
use kvnode_core::store::entry::LAST_MOMENT;
use kvnode_core::store::key::{Address, Namespace};
use kvnode_core::store::outcome::{Outcome, Refusal, Reply};
use kvnode_core::time::UnixMillis;

use super::known::whole_seconds;
use super::{Known, Model, arithmetic, same};

impl Model {
    pub(super) fn judge_write(
        &mut self,
        address: &Address<'static>,
        write: &Write<'_>,
        (clock, now): (UnixMillis, UnixMillis),
        outcome: &Outcome,
    ) -> Result<(), String> {
        let before = self.live.get(address);
        let content = match arithmetic::changed(&write.value, before.map(|known| &known.content), &self.limits) {
            Ok(content) => content,
            Err(expected) => return same_error(outcome, &expected),
        };
        let (expires_at, ttl_seconds) = match write.expiry {
            NewExpiry::Never => (None, None),
            NewExpiry::Keep => before.map_or((None, None), |known| (known.expires_at, known.ttl_seconds)),
            NewExpiry::KeepOrAfter(_) if before.is_some() => {
                before.map_or((None, None), |known| (known.expires_at, known.ttl_seconds))
            }
            NewExpiry::KeepOrAfter(ttl) | NewExpiry::After(ttl) => {
                (Some(clock.plus_millis(ttl.milliseconds())), Some(ttl.seconds()))
            }
            NewExpiry::At(moment) if moment <= clock => {
                return self.judge_delete(address, write.with_previous, outcome);
            }
            NewExpiry::At(moment) => {
                let moment = moment.min(LAST_MOMENT);
                let left = (moment.get() - clock.get()).div_ceil(1000);
                (Some(moment), Some(left.min(u64::from(u32::MAX))))
            }
        };
        let known = Known {
            content,
            version: Version::ABSENT,
            tags: match &write.tags {
                NewTags::Set(tags) => tags.clone(),
                NewTags::Keep => before.map(|known| known.tags.clone()).unwrap_or_default(),
            },
            ttl_seconds,
            created_at: before.map_or(whole_seconds(clock), |known| known.created_at),
            updated_at: whole_seconds(clock),
            expires_at,
            used_at: whole_seconds(clock),
        };
        match outcome {
            Err(Refusal::MemoryFull { .. }) => self.judge_full(address, outcome),
            Err(Refusal::QuotaExceeded(_)) => self.judge_quota(address, &known, now, outcome),
            Ok(Reply::Stored { entry, created, previous }) => {
                let before = self.live.get(address);
                match before {
                    None => self.graves.judge(address, clock, entry.version)?,
                    Some(before) => same(&entry.version, &before.version.next())?,
                }
                same(created, &before.is_none())?;
                same(previous, &before.filter(|_| write.with_previous).map(Known::previous))?;
                same(&entry.address, address)?;
                let known = Known { version: entry.version, ..known };
                known.same_as(entry)?;
                self.take_over(address, known);
                Ok(())
            }
            _ => Err(format!("expected {known:?} to be stored, but got {outcome:?}")),
        }
    }

    pub(super) fn judge_full(&self, address: &Address<'static>, outcome: &Outcome) -> Result<(), String> {
        let Err(Refusal::MemoryFull { used, needed, limit, creating }) = outcome else {
            unreachable!("only refusals for want of memory come here")
        };
        let creates = !self.live.contains_key(address);
        if self.roomy || used + needed <= *limit || *creating != creates {
            return Err(format!("a write that fits was refused: {outcome:?}"));
        }
        Ok(())
    }

    pub(super) fn take_over(&mut self, address: &Address<'static>, known: Known) {
        self.graves.reopen(address);
        self.seen.insert(address.clone());
        self.live.insert(address.clone(), known);
    }

    /// Whether the entry is one that an eviction may take.
    pub fn may_be_evicted(&self, address: &Address<'static>, known: &Known) -> bool {
        address.namespace != Namespace::System
            && match self.eviction {
                Eviction::None => false,
                Eviction::AllKeysLru => true,
                Eviction::VolatileTtl => known.expires_at.is_some(),
            }
    }
}

/// Errors are the same when they are of one kind: the words of a JSON parser are not the model's.
fn same_error(outcome: &Outcome, expected: &ChangeError) -> Result<(), String> {
    let kind = std::mem::discriminant::<ChangeError>;
    match (outcome, expected) {
        (Err(Refusal::Change(ChangeError::Limit(error))), ChangeError::Limit(other)) => same(error, other),
        (Err(Refusal::Change(error)), expected) if kind(error) == kind(expected) => Ok(()),
        _ => Err(format!("expected {expected:?}, but got {outcome:?}")),
    }
}
