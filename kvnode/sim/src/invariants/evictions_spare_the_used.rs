//! What goes to make room is what was used longest ago, or what expires next, among the entries of its namespace and
//! partition; for the former only a few are drawn by lot, so it is judged only where chance cannot be to blame.

use kvnode_core::store::Eviction;
use kvnode_core::store::key::Address;

use super::{Invariant, View};
use crate::model::Known;
use crate::trace::place;

/// With so many older ones for each that is as young or went as well, ten lots miss all older ones once in 9¹⁰ times.
const OTHERS_FOR_EACH_MIN: usize = 8;

#[derive(Debug)]
pub(super) struct EvictionsSpareTheUsed {
    eviction: Eviction,
}

impl EvictionsSpareTheUsed {
    pub(super) fn new(eviction: Eviction) -> Self {
        Self { eviction }
    }

    fn check_victim(&self, view: &View<'_>, victim: &Address<'static>, known: &Known) -> Result<(), String> {
        let mut others = others(view, victim);
        match self.eviction {
            Eviction::None => Ok(()),
            Eviction::VolatileTtl => {
                let sooner = others.find(|(_, other)| other.expires_at.is_some_and(|at| Some(at) < known.expires_at));
                let Some((other, _)) = sooner else { return Ok(()) };
                Err(format!("{} was evicted, and {} expires sooner", place(victim), place(other)))
            }
            Eviction::AllKeysLru => {
                let (older, as_young): (Vec<_>, Vec<_>) = others.partition(|(_, other)| other.used_at < known.used_at);
                if older.len() >= (as_young.len() + gone_with(view, victim)) * OTHERS_FOR_EACH_MIN {
                    return Err(format!("{} was evicted, and {} were used before it", place(victim), older.len()));
                }
                Ok(())
            }
        }
    }
}

/// How many of the step's evictions had so many to choose from that chance is ruled out.
pub(crate) fn judged(view: &View<'_>) -> u64 {
    let enough = |victim| others(view, victim).count() >= gone_with(view, victim) * OTHERS_FOR_EACH_MIN;
    view.evicted.iter().filter(|(victim, _)| enough(victim)).count() as u64
}

/// How many went from there in this step.
fn gone_with(view: &View<'_>, victim: &Address<'_>) -> usize {
    view.evicted.iter().filter(|(other, _)| share_keyspace(other, victim)).count()
}

/// What was looked at after the step is left out: its last use is younger than the eviction. The step's own key is among
/// it.
fn others<'v>(
    view: &'v View<'_>,
    victim: &Address<'static>,
) -> impl Iterator<Item = (&'v Address<'static>, &'v Known)> {
    let probed = |address: &Address<'static>| view.probes.iter().any(|(probed, _)| probed == address);
    view.model.entries().filter(move |(other, _)| !probed(other) && share_keyspace(other, victim))
}

fn share_keyspace(one: &Address<'_>, other: &Address<'_>) -> bool {
    one.namespace == other.namespace && one.partition() == other.partition()
}

impl Invariant for EvictionsSpareTheUsed {
    fn name(&self) -> &'static str {
        "evictions spare the used"
    }

    fn check(&mut self, view: &View<'_>) -> Result<(), String> {
        view.evicted.iter().try_for_each(|(victim, known)| self.check_victim(view, victim, known))
    }
}
