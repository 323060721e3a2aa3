//! What a path is about: this node's tenant, and a key. Another tenant's name in the path is as unknown as any other
//! word, because its data is nowhere near this process.

use std::sync::Arc;

use axum::RequestPartsExt;
use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use http::{StatusCode, Uri};

use super::problem::Problem;
use crate::shared::Shared;

/// Proof that the path names no tenant, or the node's own.
#[derive(Debug)]
pub(super) struct OwnTenant;

impl FromRequestParts<Arc<Shared>> for OwnTenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        check_tenant(&parameters(parts).await?, shared)?;
        Ok(Self)
    }
}

pub(super) async fn parameters(parts: &mut Parts) -> Result<RawPathParams, Problem> {
    parts
        .extract()
        .await
        .map_err(|_| Problem::malformed("BadPath", "The path is not UTF-8 once its %-escapes are read."))
}

pub(super) fn check_tenant(parameters: &RawPathParams, shared: &Shared) -> Result<(), Problem> {
    match parameter(parameters, "tenant") {
        Some(tenant) if tenant != shared.settings.tenant.as_str() => {
            let sentence = format!("This node serves no tenant '{tenant}'.");
            Err(Problem::new(StatusCode::NOT_FOUND, "UnknownTenant", sentence))
        }
        _ => Ok(()),
    }
}

/// The key that the path names. Where batches are posted, there is also the key of that name.
pub(super) fn key<'p>(parameters: &'p RawPathParams, uri: &Uri) -> Option<&'p str> {
    parameter(parameters, "key").or_else(|| uri.path().ends_with("/kv/batch").then_some("batch"))
}

fn parameter<'p>(parameters: &'p RawPathParams, name: &str) -> Option<&'p str> {
    parameters.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
}
