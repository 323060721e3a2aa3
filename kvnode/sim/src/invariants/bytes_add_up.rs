//! The bytes counted along the way are the bytes that are there. A drift would one day refuse writes to an empty
//! store, or let a full one be killed.

use super::{Invariant, View};

#[derive(Debug)]
pub(super) struct BytesAddUp;

impl Invariant for BytesAddUp {
    fn name(&self) -> &'static str {
        "bytes add up"
    }

    fn check(&mut self, view: &View<'_>) -> Result<(), String> {
        let accounts = view.accounts;
        let counted = [accounts.used, accounts.tombstones, accounts.tombstones_of_partitions, accounts.answers];
        let recounted = [
            accounts.recounted,
            accounts.tombstones_recounted,
            accounts.tombstones_recounted,
            accounts.answers_recounted,
        ];
        if counted == recounted {
            return Ok(());
        }
        Err(format!("{counted:?} bytes (all, tombstones twice, answers) are counted, {recounted:?} are there"))
    }
}
