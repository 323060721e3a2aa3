//! What a path is about: this node's tenant, and a key. Another tenant's name in the path is as unknown as any other
//! word, because its data is nowhere near this process.

use std::sync::Arc;

use axum::RequestPartsExt;
use axum::extract::{FromRequestParts, RawPathParams};
use http::StatusCode;
use http::request::Parts;
use kvnode_core::store::key::{Address, Key, Namespace};

use super::problem::Problem;
use crate::shared::Shared;

/// Proof that the path names no tenant, or the node's own.
#[derive(Debug)]
pub(super) struct OwnTenant;

/// The key a path names, in the caller's namespace.
#[derive(Debug)]
pub(super) struct KeyTarget(pub(super) Address<'static>);

impl FromRequestParts<Arc<Shared>> for OwnTenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        check_tenant(&path_parameters(parts).await?, shared)?;
        Ok(Self)
    }
}

impl FromRequestParts<Arc<Shared>> for KeyTarget {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let parameters = path_parameters(parts).await?;
        check_tenant(&parameters, shared)?;
        let text = parameter(&parameters, "key").unwrap_or_default();
        let key = Key::new(text, &shared.settings.limits)?.into_owned();
        Ok(Self(Address { namespace: Namespace::Shared, key }))
    }
}

async fn path_parameters(parts: &mut Parts) -> Result<RawPathParams, Problem> {
    parts
        .extract()
        .await
        .map_err(|_| Problem::malformed("BadPath", "The path is not UTF-8 once its %-escapes are read."))
}

fn check_tenant(parameters: &RawPathParams, shared: &Shared) -> Result<(), Problem> {
    match parameter(parameters, "tenant") {
        Some(tenant) if tenant != shared.settings.tenant.as_str() => {
            let sentence = format!("This node serves no tenant '{tenant}'.");
            Err(Problem::new(StatusCode::NOT_FOUND, "UnknownTenant", sentence))
        }
        _ => Ok(()),
    }
}

fn parameter<'p>(parameters: &'p RawPathParams, name: &str) -> Option<&'p str> {
    parameters.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
}
