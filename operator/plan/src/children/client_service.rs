//! The Service clients connect to: `http://<name>.<namespace>.svc/<tenant>/kv/…`.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::labels::{object_meta, selector};
use super::pod_template::{HTTP, METRICS, METRICS_PORT};
use crate::validate::ValidTenant;

/// Port of the Service; a URL without a port means it.
const SERVICE_PORT: i32 = 80;

pub(super) fn build(tenant: &ValidTenant) -> Service {
    Service {
        metadata: object_meta(tenant, tenant.name.to_string()),
        spec: Some(ServiceSpec {
            type_: Some("ClusterIP".to_owned()),
            selector: Some(selector(tenant.name.as_str())),
            ports: Some(vec![port(HTTP, SERVICE_PORT), port(METRICS, METRICS_PORT)]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

/// A port that leads to the pods' port of the same name.
pub(super) fn port(name: &str, number: i32) -> ServicePort {
    ServicePort {
        name: Some(name.to_owned()),
        port: number,
        protocol: Some("TCP".to_owned()), // part of the key by which server-side apply merges ports
        target_port: Some(IntOrString::String(name.to_owned())),
        ..ServicePort::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture;

    /// K11, K14, F44. Clients use port 80 without naming it; a scraper finds the port called metrics.
    #[test]
    fn clients_reach_http_on_80_and_scrapers_metrics_on_9090() {
        assert_eq!(
            serde_json::to_value(super::build(&fixture::tenant())).expect("JSON"),
            json!({
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": fixture::metadata("analytics"),
                "spec": {
                    "type": "ClusterIP",
                    "selector": fixture::selector(),
                    "ports": [
                        {"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"},
                        {"name": "metrics", "port": 9090, "protocol": "TCP", "targetPort": "metrics"},
                    ],
                },
            })
        );
    }
}
