//! Answers that a retry gets again, and what an account may have.

use std::collections::BTreeMap;

use kvnode_core::store::answers::{ANSWER_KEPT_MS, Idempotency};
use kvnode_core::store::command::{KeyAction, KeyCommand};
use kvnode_core::store::key::{Address, Namespace};
use kvnode_core::store::outcome::{Outcome, Refusal, Reply};
use kvnode_core::store::slot::PartitionNumber;
use kvnode_core::store::usage::{QuotaExceeded, Used};
use kvnode_core::time::UnixMillis;

use super::{Known, Model, same};

type Place = (PartitionNumber, Namespace, u128);

/// An answer, the hash of the request it was given to, and when it ends.
pub(super) type Answers = BTreeMap<Place, (u128, UnixMillis, Reply)>;

/// A get is never remembered, and what is put back needs it not.
fn idempotency_of(command: &KeyCommand<'_>) -> Option<Idempotency> {
    command.idempotency.filter(|_| !matches!(command.action, KeyAction::Get | KeyAction::PutBack(_)))
}

fn place_of(address: &Address<'_>, idempotency: Idempotency) -> Place {
    (address.partition(), address.namespace, idempotency.key)
}

impl Model {
    /// What the command must be answered with, if it is not to be done.
    pub(super) fn remembered(&self, command: &KeyCommand<'_>, clock: UnixMillis) -> Option<Outcome> {
        let idempotency = idempotency_of(command)?;
        let (request, ends, reply) = self.answers.get(&place_of(&command.address, idempotency))?;
        if *ends <= clock {
            return None;
        }
        Some(if *request == idempotency.request { Ok(reply.clone()) } else { Err(Refusal::IdempotencyKeyReused) })
    }

    /// Whether the command would only be answered once more.
    pub fn has_answered(&self, command: &KeyCommand<'_>, now: UnixMillis) -> bool {
        let clock = self.clock_of(&command.address).max(now);
        matches!(self.remembered(command, clock), Some(Ok(_)))
    }

    pub(super) fn remember(&mut self, command: &KeyCommand<'_>, clock: UnixMillis, outcome: &Outcome) {
        let (Some(idempotency), Ok(reply)) = (idempotency_of(command), outcome) else { return };
        let mut reply = reply.clone();
        if let Reply::Stored { previous, .. } | Reply::Deleted { previous, .. } = &mut reply {
            *previous = None;
        }
        let kept = (idempotency.request, clock.plus_millis(ANSWER_KEPT_MS), reply);
        self.answers.insert(place_of(&command.address, idempotency), kept);
    }

    /// A command that nothing speaks against may be refused only if it has a key, and memory for answers is bounded.
    pub(super) fn judge_answers_full(&self, command: &KeyCommand<'_>, outcome: &Outcome) -> Result<(), String> {
        let full = matches!(outcome, Err(Refusal::AnswersFull { used, limit }) if used <= limit);
        if full && !self.roomy && idempotency_of(command).is_some() {
            return Ok(());
        }
        Err(format!("there is room for its answer, but it was refused: {outcome:?}"))
    }

    /// What an account has.
    pub fn used(&self, namespace: Namespace) -> Used {
        let own = self.live.iter().filter(|(address, _)| address.namespace == namespace);
        own.fold(Used::default(), |used, (address, known)| Used {
            keys: used.keys + 1,
            bytes: used.bytes + given_bytes(address, known),
        })
    }

    /// The refusal a write must meet with that would make `known` of the key.
    pub(super) fn quota_refusal(&self, address: &Address<'static>, known: &Known) -> Option<Refusal> {
        let Namespace::Account(_) = address.namespace else { return None };
        let used = self.used(address.namespace);
        let before = self.live.get(address);
        if before.is_none() && used.keys >= self.quota.keys_max {
            return Some(QuotaExceeded::Keys { max: self.quota.keys_max }.into());
        }
        let (before, after) = (before.map_or(0, |before| given_bytes(address, before)), given_bytes(address, known));
        let (bytes, max) = (used.bytes - before + after, self.quota.bytes_max);
        (after > before && bytes > max).then(|| QuotaExceeded::Bytes { bytes, max }.into())
    }

    pub(super) fn judge_quota(
        &mut self,
        address: &Address<'static>,
        known: &Known,
        now: UnixMillis,
        outcome: &Outcome,
    ) -> Result<(), String> {
        // Before it refuses, the store asks all partitions for what has expired unseen.
        self.all_advance(now);
        match self.quota_refusal(address, known) {
            Some(refusal) => same(outcome, &Err(refusal)),
            None => Err(format!("a write within the quota was refused: {outcome:?}")),
        }
    }
}

fn given_bytes(address: &Address<'_>, known: &Known) -> u64 {
    /// Before each text of a tag stands its length.
    const LEN_BYTES: usize = 2;
    let tags = known.tags.iter().map(|(name, value)| name.len() + value.len() + 2 * LEN_BYTES);
    (address.key.as_str().len() + known.content.bytes.len() + tags.sum::<usize>()) as u64
}
