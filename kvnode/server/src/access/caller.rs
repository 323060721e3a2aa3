//! For whom a command is done: whose keys it sees, and what it may do with them.

use std::borrow::Cow;

use kvnode_core::store::key::Namespace;
use uuid::Uuid;

use super::Denied;
use crate::accounts::api_key::{ApiKeyId, Operation, Scope};
use crate::settings::names::TenantName;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) namespace: Namespace,
    pub(crate) scope: Scope,
    pub(crate) who: Who,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Anonymous,
    ApiKey(ApiKeyId),
    Account(Uuid),
    /// The holder of the master key.
    Master,
}

impl Caller {
    pub(super) const fn of(who: Who) -> Self {
        let namespace = match who {
            Who::Account(tenant_id) => Namespace::Account(tenant_id.as_u128()),
            Who::Anonymous | Who::ApiKey(_) | Who::Master => Namespace::Shared,
        };
        Self { namespace, scope: Scope::ReadWriteDelete, who }
    }

    pub(crate) const fn anonymous() -> Self {
        Self::of(Who::Anonymous)
    }

    /// An account may do everything with its own keys.
    pub(super) const fn account(tenant_id: Uuid) -> Self {
        Self::of(Who::Account(tenant_id))
    }

    pub(super) const fn api_key(id: ApiKeyId, scope: Scope) -> Self {
        Self { scope, ..Self::of(Who::ApiKey(id)) }
    }

    /// What answers call the namespace: the account's id, or the tenant's name.
    pub(crate) fn tenant_id(self, tenant: &TenantName) -> Cow<'_, str> {
        match self.namespace {
            Namespace::Account(id) => Uuid::from_u128(id).to_string().into(),
            Namespace::Shared | Namespace::System => tenant.as_str().into(),
        }
    }

    /// Two callers with one identity may repeat each other's requests.
    pub(crate) fn identity(&self) -> Cow<'_, str> {
        match &self.who {
            Who::Anonymous => "".into(),
            Who::ApiKey(id) => id.as_str().into(),
            Who::Account(tenant_id) => tenant_id.to_string().into(),
            Who::Master => "master".into(),
        }
    }

    pub(crate) fn may(self, operation: Operation) -> Result<(), Denied> {
        if self.scope.allows(operation) { Ok(()) } else { Err(Denied::Scope { scope: self.scope, operation }) }
    }
}
