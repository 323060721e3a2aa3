//! Every answer is the one the model gives.

use super::{Invariant, View};

#[derive(Debug)]
pub(super) struct OutcomesMatchTheModel;

impl Invariant for OutcomesMatchTheModel {
    fn name(&self) -> &'static str {
        "outcomes match the model"
    }

    fn check(&mut self, view: &View<'_>) -> Result<(), String> {
        view.judgement.clone()
    }
}
