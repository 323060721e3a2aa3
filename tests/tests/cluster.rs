//! A whole cluster (L3) does what a Kubernetes does: pods are served through Services and names, on CPU metrics the
//! autoscaler adds pods, claims become volumes, and multicast crosses nodes.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, LogParams};
use kube::{Api, Client};
use kvtenant_tests::clock::{wait_for, wait_until};
use kvtenant_tests::cluster::{self, BUSYBOX, Cluster, PROBE};
use serde_json::json;

/// Long beside what a quiet machine needs (seconds), short beside a person's patience.
const SOON: Duration = Duration::from_secs(120);

fn cluster() -> &'static Cluster {
    cluster::for_tests(env!("CARGO_BIN_EXE_testbed"))
}

/// Makes a fresh namespace with these objects in it and gives its name.
fn given(name: &str, objects: &[serde_json::Value]) -> Result<String> {
    let mut manifests = vec![json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})];
    for object in objects {
        let mut object = object.clone();
        object["metadata"]["namespace"] = json!(name);
        manifests.push(object);
    }
    let text: Vec<String> = manifests.iter().map(ToString::to_string).collect();
    cluster().apply(&text.join("\n---\n"))?;
    Ok(name.to_owned())
}

fn pod(name: &str, image: &str, arguments: &[&str], node: &str) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "nodeSelector": {"kubernetes.io/hostname": node},
            "containers": [{"name": "main", "image": image, "imagePullPolicy": "Never", "args": arguments}],
        },
    })
}

async fn wait_for_line(pods: &Api<Pod>, name: &str, wanted: &str) -> Result<String> {
    wait_until(&format!("the pod {name} to print `{wanted}`"), SOON, || async {
        let log = pods.logs(name, &LogParams::default()).await?;
        Ok(log.lines().find(|line| line.contains(wanted)).map(str::to_owned))
    })
    .await
}

#[test]
fn a_stateful_set_serves_through_its_service_and_its_names_across_two_nodes() -> Result<()> {
    let serve = "mkdir -p /www && hostname > /www/name && httpd -f -p 8080 -h /www";
    let namespace = given(
        "serving",
        &[
            json!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
                "spec": {"clusterIP": "None", "selector": {"app": "web"}, "ports": [{"port": 8080}]},
            }),
            json!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": "all"},
                "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
            }),
            json!({
                "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "web"},
                "spec": {
                    "serviceName": "web", "replicas": 2, "podManagementPolicy": "Parallel",
                    "selector": {"matchLabels": {"app": "web"}},
                    "template": {
                        "metadata": {"labels": {"app": "web"}},
                        "spec": {
                            "terminationGracePeriodSeconds": 0,
                            "topologySpreadConstraints": [{
                                "maxSkew": 1, "topologyKey": "kubernetes.io/hostname",
                                "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web"}},
                            }],
                            "containers": [{
                                "name": "main", "image": BUSYBOX, "imagePullPolicy": "Never",
                                "command": ["/bin/sh", "-c", serve],
                                "readinessProbe": {"httpGet": {"path": "/name", "port": 8080}, "periodSeconds": 1},
                            }],
                        },
                    },
                },
            }),
        ],
    )?;
    cluster().run(|client| async move {
        let sets: Api<StatefulSet> = Api::namespaced(client.clone(), "serving");
        wait_until("both pods to be ready", SOON, || async {
            let status = sets.get("web").await?.status.unwrap_or_default();
            Ok((status.ready_replicas == Some(2)).then_some(()))
        })
        .await?;
        let pods: Api<Pod> = Api::namespaced(client, "serving");
        let list = pods.list(&ListParams::default()).await?;
        let nodes: BTreeSet<_> = list.iter().filter_map(|pod| pod.spec.as_ref()?.node_name.clone()).collect();
        assert_eq!(nodes.len(), 2, "a pod on each node: {nodes:?}");
        Ok(())
    })?;
    // By each pod's own name from the other pod, and through the Service until each has answered: every node's
    // kube-proxy learns of a ready pod in its own time.
    for (from, to) in [("web-0", "web-1"), ("web-1", "web-0")] {
        let url = format!("http://{to}.web.{namespace}.svc.cluster.local:8080/name");
        assert_eq!(cluster().kubectl(&["-n", &namespace, "exec", from, "--", "wget", "-qO-", &url])?.trim(), to);
        // With its port: to look `http` up by name, a static wget would load libraries that the image does not have.
        let script = "for i in $(seq 20); do timeout 2 wget -qO- http://all:80/name; done";
        let mut answered = BTreeSet::new();
        wait_for("both pods to answer through the Service", SOON, || {
            let names = cluster().kubectl(&["-n", &namespace, "exec", from, "--", "sh", "-c", script])?;
            answered.extend(names.split_whitespace().map(str::to_owned));
            Ok((answered.len() == 2).then_some(()))
        })?;
        assert_eq!(answered, BTreeSet::from(["web-0".to_owned(), "web-1".to_owned()]), "from {from}");
    }
    Ok(())
}

#[test]
fn an_autoscaler_adds_pods_on_real_cpu_metrics() -> Result<()> {
    given(
        "scaling",
        &[
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "busy"},
                "spec": {
                    "selector": {"matchLabels": {"app": "busy"}},
                    "template": {
                        "metadata": {"labels": {"app": "busy"}},
                        "spec": {
                            "terminationGracePeriodSeconds": 0,
                            "containers": [{
                                "name": "main", "image": BUSYBOX, "imagePullPolicy": "Never",
                                "command": ["/bin/sh", "-c", "while :; do :; done"],
                                "resources": {"requests": {"cpu": "50m"}, "limits": {"cpu": "150m"}},
                            }],
                        },
                    },
                },
            }),
            json!({
                "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "busy"},
                "spec": {
                    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "busy"},
                    "minReplicas": 1, "maxReplicas": 2,
                    "metrics": [{"type": "Resource", "resource": {
                        "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}],
                    "behavior": {"scaleUp": {"stabilizationWindowSeconds": 0}},
                },
            }),
        ],
    )?;
    cluster().run(|client| async move {
        let deployments: Api<Deployment> = Api::namespaced(client.clone(), "scaling");
        wait_until("the autoscaler to add a pod", SOON, || async {
            let status = deployments.get("busy").await?.status.unwrap_or_default();
            Ok((status.available_replicas == Some(2)).then_some(()))
        })
        .await?;
        // The load is constant and must not slow the other tests.
        deployments.delete("busy", &DeleteParams::default()).await?;
        Ok(())
    })
}

#[test]
fn a_claim_is_bound_and_its_data_survive_the_pod() -> Result<()> {
    let with_claim = |script: &str| {
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "user"},
            "spec": {
                "terminationGracePeriodSeconds": 0, "restartPolicy": "Never",
                "containers": [{
                    "name": "main", "image": BUSYBOX, "imagePullPolicy": "Never",
                    "command": ["/bin/sh", "-c", script],
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                }],
                "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
            },
        })
    };
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    });
    given("volumes", &[claim, with_claim("echo kept > /data/file && echo written")])?;
    cluster().run(|client| async move {
        let pods: Api<Pod> = Api::namespaced(client, "volumes");
        wait_for_line(&pods, "user", "written").await?;
        pods.delete("user", &DeleteParams::default()).await?;
        wait_until("the first pod to be gone", SOON, || async {
            Ok(pods.get_opt("user").await?.is_none().then_some(()))
        })
        .await
    })?;
    given("volumes", &[with_claim("cat /data/file")])?;
    cluster().run(|client| async move {
        let pods: Api<Pod> = Api::namespaced(client, "volumes");
        wait_for_line(&pods, "user", "kept").await.map(drop)
    })
}

#[test]
fn a_multicast_datagram_reaches_a_pod_of_another_node() -> Result<()> {
    let group = "239.255.100.122:9999";
    given(
        "multicast",
        &[
            pod("hears", PROBE, &["hear", group], "node1"),
            pod("shouts", PROBE, &["shout", group, "is anybody there"], "node2"),
        ],
    )?;
    let heard = cluster().run(|client: Client| async move {
        let pods: Api<Pod> = Api::namespaced(client, "multicast");
        let line = wait_for_line(&pods, "hears", "is anybody there").await?;
        // It may be heard before its node has told the API server where it is.
        let sender = wait_until("the other pod's address", SOON, || async {
            Ok(pods.get("shouts").await?.status.and_then(|status| status.pod_ip))
        })
        .await?;
        Ok((line, sender))
    })?;
    assert_eq!(heard.0, format!("is anybody there from {}", heard.1));
    Ok(())
}
