//! The Service that gives each pod a name of its own. It publishes pods that are not ready too: whoever looks a node
//! up by name (the operator, a peer) needs it most while it is not ready.

use k8s_openapi::api::core::v1::{Service, ServiceSpec};

use super::client_service::port;
use super::labels::{object_meta, selector};
use super::pod_template::{HTTP, HTTP_PORT, METRICS, METRICS_PORT};
use crate::validate::ValidTenant;

/// What stands behind the KVTenant's name in the Service's name.
pub(super) const SUFFIX: &str = "-headless";

/// Name of the Service, and the middle of each pod's host name.
pub(super) fn name(tenant: &ValidTenant) -> String {
    format!("{}{SUFFIX}", tenant.name)
}

pub(super) fn build(tenant: &ValidTenant) -> Service {
    Service {
        metadata: object_meta(tenant, name(tenant)),
        spec: Some(ServiceSpec {
            cluster_ip: Some("None".to_owned()),
            publish_not_ready_addresses: Some(true),
            selector: Some(selector(tenant.name.as_str())),
            ports: Some(vec![port(HTTP, HTTP_PORT), port(METRICS, METRICS_PORT)]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture;

    /// K14, R28. Without clusterIP None a pod has no name; without not-ready addresses a starting pod has none.
    #[test]
    fn every_pod_has_a_name_also_before_it_is_ready() {
        assert_eq!(
            serde_json::to_value(super::build(&fixture::tenant())).expect("JSON"),
            json!({
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": fixture::metadata("analytics-headless"),
                "spec": {
                    "clusterIP": "None",
                    "publishNotReadyAddresses": true,
                    "selector": fixture::selector(),
                    "ports": [
                        {"name": "http", "port": 3000, "protocol": "TCP", "targetPort": "http"},
                        {"name": "metrics", "port": 9090, "protocol": "TCP", "targetPort": "metrics"},
                    ],
                },
            })
        );
    }
}
