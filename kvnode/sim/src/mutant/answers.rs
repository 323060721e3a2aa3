//! Defects in what is remembered for retries.

use kvnode_core::store::command::{KeyAction, KeyCommand};
use kvnode_core::store::key::Namespace;
use kvnode_core::store::outcome::Outcome;
use kvnode_core::store::slot::PartitionNumber;

use super::{Mutant, Mutation};
use crate::subject::Subject;

/// Where an idempotency key is known, and for which request it was used.
pub(super) type Retry = (PartitionNumber, Namespace, u128, u128);

fn retry_of(command: &KeyCommand<'_>) -> Option<Retry> {
    let idempotency =
        command.idempotency.filter(|_| !matches!(command.action, KeyAction::Get | KeyAction::PutBack(_)))?;
    let address = &command.address;
    Some((address.partition(), address.namespace, idempotency.key, idempotency.request))
}

impl<S: Subject> Mutant<S> {
    pub(super) fn wrongly_kept(&self, command: &KeyCommand<'_>) -> Option<Outcome> {
        let first = self.first_answers.get(&retry_of(command)?)?;
        let kept = match self.mutation {
            Mutation::AnswerKeptForEver => first.is_ok(),
            Mutation::RefusalKept => first.is_err(),
            _ => false,
        };
        kept.then(|| first.clone())
    }

    pub(super) fn keep_first(&mut self, command: &KeyCommand<'_>, outcome: &Outcome) {
        if let Some(retry) = retry_of(command) {
            self.first_answers.entry(retry).or_insert_with(|| outcome.clone());
        }
    }
}
