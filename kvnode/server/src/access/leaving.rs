//! The end of an account and of all its data, in steps that can be repeated: whatever cuts it short, the account is
//! closed from the first step on, and whoever wants its name next brings the rest to its end.

use kvnode_core::store::command::AllCommand;
use kvnode_core::store::condition::Condition;

use super::directory::{self, Account, Place};
use super::{AccountError, accounts, emails};
use crate::shared::Shared;

/// As in changing an account: who is overtaken so often is not its only user.
const TRIES_MAX: usize = 4;

/// Closes the account, deletes its keys, and then itself.
pub(crate) async fn leave(shared: &Shared, account: &Account) -> Result<(), AccountError> {
    let username = account.folded_username();
    let place = Place::Account(&username);
    for _ in 0..TRIES_MAX {
        let found = directory::read::<Account>(&shared.store, place, shared.clock.now());
        let Some(found) = found.filter(|found| found.record.tenant_id == account.tenant_id) else { return Ok(()) };
        let closed = Account { is_active: false, ..found.record };
        if directory::write(shared, place, &closed, Condition::IfVersion(found.version)).await?.is_some() {
            shared.access.revoke(account.tenant_id);
            return finish(shared, &closed).await;
        }
    }
    Err(AccountError::Contended)
}

/// Everything behind the first step, for an account that is closed.
pub(super) async fn finish(shared: &Shared, closed: &Account) -> Result<(), AccountError> {
    let namespace = accounts::namespace(closed);
    shared.gather(AllCommand::Flush(namespace)).await?;
    shared.access.audit.forget(namespace);
    emails::release(shared, closed).await?;
    let username = closed.folded_username();
    let place = Place::Account(&username);
    let found = directory::read::<Account>(&shared.store, place, shared.clock.now());
    if let Some(found) = found.filter(|found| found.record.tenant_id == closed.tenant_id) {
        directory::delete(shared, place, Condition::IfVersion(found.version)).await?;
    }
    Ok(())
}
