//! The account the pods run as. It has no rights and its token is not mounted: kvnode needs nothing of the
//! Kubernetes API, and the namespace's default account may have been given rights for others.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::labels::object_meta;
use crate::validate::ValidTenant;

pub(super) fn build(tenant: &ValidTenant) -> ServiceAccount {
    ServiceAccount {
        metadata: object_meta(tenant, tenant.name.to_string()),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture;

    /// K4, K55. With a token inside, whoever breaks into a node speaks to the API server.
    #[test]
    fn the_account_mounts_no_token() {
        assert_eq!(
            serde_json::to_value(super::build(&fixture::tenant())).expect("JSON"),
            json!({
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": fixture::metadata("analytics"),
                "automountServiceAccountToken": false,
            })
        );
    }
}
