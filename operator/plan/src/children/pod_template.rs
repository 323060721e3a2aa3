//! The pod of one node, and everything operator and kvnode agree on: paths, ports, probes, the user it runs as. Any
//! change here replaces the pods of all tenants that get it, and with them the data in memory; a golden test stands
//! guard at the end.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMapProjection, Container, ContainerPort, EmptyDirVolumeSource, EnvVar, EnvVarSource,
    HTTPGetAction, KeyToPath, ObjectFieldSelector, PodSecurityContext, PodSpec, PodTemplateSpec, Probe,
    ProjectedVolumeSource, ResourceRequirements, SeccompProfile, SecretProjection, SecurityContext, Volume,
    VolumeMount, VolumeProjection,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::config_map;
use super::labels::labels;
use super::secret::{API_KEY_FILE, KEY, api_key_name};
use crate::image::ImageRef;
use crate::validate::ValidTenant;

pub(super) const HTTP: &str = "http";
pub(super) const HTTP_PORT: i32 = 3000;
pub(super) const METRICS: &str = "metrics";
pub(super) const METRICS_PORT: i32 = 9090;

pub(super) const CONFIG_DIR: &str = "/etc/kvnode";
pub(super) const SECRETS_SUBDIR: &str = "secrets";
const DATA_DIR: &str = "/var/lib/kvnode";

/// The user of the image; it owns nothing on the host.
const UID: i64 = 1001;
/// Owner and group may read, nobody writes: the files include the API key.
const FILE_MODE: i32 = 0o440;
/// kvnode ends by itself 25 s after SIGTERM at the latest; before that no request in flight is cut off.
const GRACE_SECONDS: i64 = 30;

pub(super) fn build(tenant: &ValidTenant, image: &ImageRef) -> PodTemplateSpec {
    PodTemplateSpec {
        metadata: Some(ObjectMeta { labels: Some(labels(tenant)), ..ObjectMeta::default() }),
        spec: Some(PodSpec {
            service_account_name: Some(tenant.name.to_string()),
            automount_service_account_token: Some(false),
            // Environment variables of every Service in the namespace could be taken for kvnode's own (PORT, TENANT).
            enable_service_links: Some(false),
            image_pull_secrets: Some(tenant.pull_secrets.clone()).filter(|secrets| !secrets.is_empty()),
            security_context: Some(pod_security()),
            termination_grace_period_seconds: Some(GRACE_SECONDS),
            containers: vec![container(tenant, image)],
            volumes: Some(volumes(tenant)),
            ..PodSpec::default()
        }),
    }
}

fn container(tenant: &ValidTenant, image: &ImageRef) -> Container {
    let pod_name = EnvVarSource {
        field_ref: Some(ObjectFieldSelector {
            field_path: "metadata.name".to_owned(),
            ..ObjectFieldSelector::default()
        }),
        ..EnvVarSource::default()
    };
    let config_file = format!("{CONFIG_DIR}/{}", config_map::FILE);
    Container {
        name: "kvnode".to_owned(),
        image: Some(image.to_string()),
        image_pull_policy: Some(tenant.pull_policy.to_string()),
        args: Some(["--config", &config_file, "--name", "$(POD_NAME)"].map(str::to_owned).to_vec()),
        env: Some(vec![EnvVar { name: "POD_NAME".to_owned(), value_from: Some(pod_name), ..EnvVar::default() }]),
        ports: Some(vec![container_port(HTTP, HTTP_PORT), container_port(METRICS, METRICS_PORT)]),
        resources: Some(resources(tenant)),
        startup_probe: Some(probe("/livez", &ProbeTimes { delay: 0, period: 2, timeout: 1, failures: 150 })),
        liveness_probe: Some(probe("/livez", &ProbeTimes { delay: 10, period: 10, timeout: 5, failures: 3 })),
        readiness_probe: Some(probe("/readyz", &ProbeTimes { delay: 5, period: 5, timeout: 3, failures: 3 })),
        security_context: Some(container_security()),
        volume_mounts: Some(vec![mount("config", CONFIG_DIR, true), mount("data", DATA_DIR, false)]),
        ..Container::default()
    }
}

fn container_port(name: &str, number: i32) -> ContainerPort {
    ContainerPort {
        name: Some(name.to_owned()),
        container_port: number,
        protocol: Some("TCP".to_owned()), // part of the key by which server-side apply merges ports
        ..ContainerPort::default()
    }
}

fn resources(tenant: &ValidTenant) -> ResourceRequirements {
    let with_cpu = |cpu: Quantity| {
        BTreeMap::from([("cpu".to_owned(), cpu), ("memory".to_owned(), tenant.sizes.memory_quantity())])
    };
    ResourceRequirements {
        requests: Some(with_cpu(tenant.sizes.cpu_request())),
        limits: Some(with_cpu(tenant.sizes.cpu_limit())),
        ..ResourceRequirements::default()
    }
}

/// Times of a probe in seconds, and how many failures in a row count.
struct ProbeTimes {
    delay: i32,
    period: i32,
    timeout: i32,
    failures: i32,
}

/// On the metrics port, which stays plain when clients speak TLS and is not behind a client limit.
fn probe(path: &str, times: &ProbeTimes) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String(METRICS.to_owned()),
            ..HTTPGetAction::default()
        }),
        initial_delay_seconds: Some(times.delay).filter(|delay| *delay > 0),
        period_seconds: Some(times.period),
        timeout_seconds: Some(times.timeout),
        failure_threshold: Some(times.failures),
        ..Probe::default()
    }
}

fn pod_security() -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(UID),
        run_as_group: Some(UID),
        fs_group: Some(UID),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), ..SeccompProfile::default() }),
        ..PodSecurityContext::default()
    }
}

fn container_security() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), ..Capabilities::default() }),
        ..SecurityContext::default()
    }
}

fn mount(volume: &str, path: &str, read_only: bool) -> VolumeMount {
    VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        read_only: Some(read_only).filter(|read_only| *read_only),
        ..VolumeMount::default()
    }
}

fn volumes(tenant: &ValidTenant) -> Vec<Volume> {
    vec![
        Volume { name: "config".to_owned(), projected: Some(configuration(tenant)), ..Volume::default() },
        Volume {
            name: "data".to_owned(),
            empty_dir: Some(EmptyDirVolumeSource {
                // Without a bound one tenant could fill the disk of the machine it shares with others.
                size_limit: Some(tenant.sizes.storage_quantity()),
                ..EmptyDirVolumeSource::default()
            }),
            ..Volume::default()
        },
    ]
}

/// Configuration and keys in one volume, so that no mount has to be nested in another one that is read-only.
fn configuration(tenant: &ValidTenant) -> ProjectedVolumeSource {
    let item = |key: &str, path: String| Some(vec![KeyToPath { key: key.to_owned(), path, mode: None }]);
    ProjectedVolumeSource {
        default_mode: Some(FILE_MODE),
        sources: Some(vec![
            VolumeProjection {
                config_map: Some(ConfigMapProjection {
                    name: tenant.name.to_string(),
                    items: item(config_map::FILE, config_map::FILE.to_owned()),
                    ..ConfigMapProjection::default()
                }),
                ..VolumeProjection::default()
            },
            VolumeProjection {
                secret: Some(SecretProjection {
                    name: api_key_name(tenant),
                    items: item(KEY, format!("{SECRETS_SUBDIR}/{API_KEY_FILE}")),
                    ..SecretProjection::default()
                }),
                ..VolumeProjection::default()
            },
        ]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{fingerprint, fixture};

    fn template(change: impl FnOnce(&mut kvtenant_api::KVTenant)) -> Value {
        let template = super::build(&fixture::tenant_with(change), &fixture::image());
        serde_json::to_value(template).expect("JSON")
    }

    fn expected_container() -> Value {
        let resources = json!({"cpu": "250m", "memory": "512Mi"});
        json!({
            "name": "kvnode",
            "image": "docker.io/kvtenant/kvnode:0.1.0",
            "imagePullPolicy": "IfNotPresent",
            "args": ["--config", "/etc/kvnode/config.yaml", "--name", "$(POD_NAME)"],
            "env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            "ports": [
                {"name": "http", "containerPort": 3000, "protocol": "TCP"},
                {"name": "metrics", "containerPort": 9090, "protocol": "TCP"},
            ],
            "resources": {"requests": resources, "limits": {"cpu": "1", "memory": "512Mi"}},
            "startupProbe": {
                "httpGet": {"path": "/livez", "port": "metrics"},
                "periodSeconds": 2, "timeoutSeconds": 1, "failureThreshold": 150,
            },
            "livenessProbe": {
                "httpGet": {"path": "/livez", "port": "metrics"},
                "initialDelaySeconds": 10, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3,
            },
            "readinessProbe": {
                "httpGet": {"path": "/readyz", "port": "metrics"},
                "initialDelaySeconds": 5, "periodSeconds": 5, "timeoutSeconds": 3, "failureThreshold": 3,
            },
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": true,
            },
            "volumeMounts": [
                {"name": "config", "mountPath": "/etc/kvnode", "readOnly": true},
                {"name": "data", "mountPath": "/var/lib/kvnode"},
            ],
        })
    }

    /// K4, K8, K40, K41, K42, K62, F15, F28 to F35. Lost here: a probe, and a stuck node stays in the Service; a limit,
    /// and one tenant starves the machine; the read-only root or the user, and the pod is refused by a restricted
    /// namespace; a label, and nobody finds the pod.
    #[test]
    fn the_pod_of_an_empty_spec_is_complete() {
        assert_eq!(
            template(|_| {}),
            json!({
                "metadata": {"labels": fixture::labels()},
                "spec": {
                    "automountServiceAccountToken": false,
                    "containers": [expected_container()],
                    "enableServiceLinks": false,
                    "securityContext": {
                        "fsGroup": 1001,
                        "runAsGroup": 1001,
                        "runAsNonRoot": true,
                        "runAsUser": 1001,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "serviceAccountName": "analytics",
                    "terminationGracePeriodSeconds": 30,
                    "volumes": [
                        {"name": "config", "projected": {"defaultMode": 0o440, "sources": [
                            {"configMap": {
                                "name": "analytics",
                                "items": [{"key": "config.yaml", "path": "config.yaml"}],
                            }},
                            {"secret": {
                                "name": "analytics-api-key",
                                "items": [{"key": "key", "path": "secrets/api-key"}],
                            }},
                        ]}},
                        {"name": "data", "emptyDir": {"sizeLimit": "1Gi"}},
                    ],
                },
            })
        );
    }

    /// F15, F58: the same number is request and limit, and nothing in the spec removes it.
    #[test]
    fn memory_is_request_and_limit() {
        let template = template(|tenant| tenant.spec.memory = "4096Mi".to_owned());
        let resources = &template["spec"]["containers"][0]["resources"];
        assert_eq!(resources["requests"], json!({"cpu": "2", "memory": "4Gi"}));
        assert_eq!(resources["limits"], json!({"cpu": "4", "memory": "4Gi"}));
    }

    /// F27: where the image comes from is the user's choice; a private registry needs its Secrets.
    #[test]
    fn pull_policy_and_secrets_reach_the_pod() {
        let template = template(|tenant| {
            tenant.spec.image.pull_policy = kvtenant_api::PullPolicy::Always;
            tenant.spec.image.pull_secrets = vec![kvtenant_api::PullSecret { name: "registry".to_owned() }];
        });
        assert_eq!(template["spec"]["containers"][0]["imagePullPolicy"], "Always");
        assert_eq!(template["spec"]["imagePullSecrets"], json!([{"name": "registry"}]));
    }

    /// G12. The API server names a revision after the template: when this changes, updating the operator replaces
    /// every pod of every tenant, and what they hold in memory is gone. Change it only with a release note.
    #[test]
    fn a_new_operator_does_not_roll_pods() {
        assert_eq!(fingerprint(&template(|_| {})), "347081fb69b10449745f7e07a7ac6ab285c3287631d874528ade670504d07832");
    }
}
