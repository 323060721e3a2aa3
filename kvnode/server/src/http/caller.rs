//! Whose data a request is about.

use std::borrow::Cow;

use http::request::Parts;
use kvnode_core::store::key::Namespace;
use uuid::Uuid;

use crate::shared::Shared;

/// Who asks, as far as the answer depends on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) namespace: Namespace,
}

impl Caller {
    /// All callers share the tenant's own keys, whoever they are.
    pub(super) fn of(_request: &Parts) -> Self {
        Self { namespace: Namespace::Shared }
    }

    /// Two callers with one identity may repeat each other's requests.
    pub(super) fn identity(&self) -> [u8; 16] {
        match self.namespace {
            Namespace::Account(id) => id.to_le_bytes(),
            Namespace::Shared | Namespace::System => [0; 16],
        }
    }

    /// What answers call the namespace: the tenant's name, or the account's id.
    pub(super) fn tenant_id<'s>(&self, shared: &'s Shared) -> Cow<'s, str> {
        match self.namespace {
            Namespace::Account(id) => Uuid::from_u128(id).to_string().into(),
            Namespace::Shared | Namespace::System => shared.settings.tenant.as_str().into(),
        }
    }
}
