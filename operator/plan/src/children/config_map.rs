//! kvnode's configuration file. It holds what every node of the tenant shares; what differs from pod to pod comes as a
//! flag, and the memory limit comes from the pod's cgroup, so that neither has to be said twice.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;

use super::labels::object_meta;
use super::pod_template::{CONFIG_DIR, SECRETS_SUBDIR};
use super::secret::API_KEY_FILE;
use crate::validate::ValidTenant;

/// Name of the file, and of the key that holds it.
pub(super) const FILE: &str = "config.yaml";

pub(super) fn build(tenant: &ValidTenant) -> ConfigMap {
    // Names are labels of letters, digits and '-', but `null`, `true` or `1e5`-like words are YAML of another kind:
    // the quotes keep a name a text.
    let config = format!(
        "tenant: \"{tenant}\"\nadmin-key-file: {CONFIG_DIR}/{SECRETS_SUBDIR}/{API_KEY_FILE}\nlog-level: info\n",
        tenant = tenant.tenant
    );
    ConfigMap {
        metadata: object_meta(tenant, tenant.name.to_string()),
        data: Some(BTreeMap::from([(FILE.to_owned(), config)])),
        ..ConfigMap::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture;

    /// K47, K55. kvnode does not start without its tenant, nor with a key it does not know.
    #[test]
    fn the_configuration_names_tenant_key_file_and_log_level() {
        assert_eq!(
            serde_json::to_value(super::build(&fixture::tenant())).expect("JSON"),
            json!({
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": fixture::metadata("analytics"),
                "data": {
                    "config.yaml":
                        "tenant: \"analytics\"\nadmin-key-file: /etc/kvnode/secrets/api-key\nlog-level: info\n",
                },
            })
        );
    }

    /// The name in URLs is `spec.tenant`; objects keep the KVTenant's own name.
    #[test]
    fn an_explicit_tenant_goes_into_the_file_and_not_into_names() {
        let tenant = fixture::tenant_with(|tenant| tenant.spec.tenant = "null".to_owned());
        let map = super::build(&tenant);
        assert_eq!(map.metadata.name.as_deref(), Some("analytics"));
        assert!(map.data.expect("data")["config.yaml"].starts_with("tenant: \"null\"\n"));
    }
}
