//! What a tenant says about itself: conditions that tools can wait for, columns, figures for autoscalers, and the story
//! of its Events.

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::autoscaling::v1::Scale;
use kube::api::Request;
use serde_json::{Value, json};

use crate::world::World;

/// C107: `kubectl wait` works, and every condition says of which generation of the spec it speaks.
#[tokio::test]
async fn conditions_can_be_waited_for_and_speak_of_the_newest_spec() -> Result<()> {
    let world = World::new().await?;
    world.ready_tenant("shop").await?;
    world.kubectl(&["wait", "--for=condition=Ready", "--timeout=30s", "kvt/shop"])?;
    let pod = world.get("Pod", "shop-0").await?;
    let changed = world.apply("shop", json!({"memory": "1Gi"})).await?;
    let generation = &changed["metadata"]["generation"];
    assert_eq!(*generation, 2);
    world.pod_serves("shop-0", Some(&pod["metadata"]["uid"])).await?;
    world
        .wait("a status of the changed spec", || async {
            let tenant = world.get("KVTenant", "shop").await?;
            ensure!(tenant["status"]["observedGeneration"] == *generation, "{}", tenant["status"]);
            for condition in tenant["status"]["conditions"].as_array().context("there are conditions")? {
                ensure!(condition["observedGeneration"] == *generation, "{condition}");
                ensure!(condition["lastTransitionTime"].is_string(), "{condition}");
            }
            Ok((tenant["status"]["summary"]["phase"] == "Ready").then_some(()))
        })
        .await
}

/// K64: one line tells what people look for, before the node serves and after.
#[tokio::test]
async fn the_columns_of_kubectl_get_show_where_a_tenant_stands() -> Result<()> {
    let world = World::new().await?;
    world.tenant("shop").await?;
    let line = || -> Result<Vec<String>> {
        let table = world.kubectl(&["get", "kvt"])?;
        let rows: Vec<Vec<_>> = table.lines().map(|row| row.split_whitespace().collect()).collect();
        ensure!(rows[0] == ["NAME", "READY", "STATUS", "MEMORY", "AGE"], "{table}");
        Ok(rows.get(1).context("a line")?[..4].iter().copied().map(str::to_owned).collect())
    };
    world
        .wait("the node to start", || async { Ok((line()? == ["shop", "0/1", "Forming", "512Mi"]).then_some(())) })
        .await?;
    world.pod_serves("shop-0", None).await?;
    world
        .wait("the node to serve", || async { Ok((line()? == ["shop", "1/1", "Ready", "512Mi"]).then_some(())) })
        .await?;
    let wide = world.kubectl(&["get", "kvt", "-o", "wide"])?;
    assert!(wide.contains(&format!("http://shop.{}.svc/shop", world.namespace)), "{wide}");
    Ok(())
}

/// K15's ground: an autoscaler reads size and selector from the scale subresource, and the selector picks the pods.
#[tokio::test]
async fn the_scale_subresource_tells_size_and_selector() -> Result<()> {
    let world = World::new().await?;
    world.ready_tenant("shop").await?;
    let path = format!("/apis/kvtenant.io/v1alpha1/namespaces/{}/kvtenants", world.namespace);
    let scale: Scale = world.client.request(Request::new(path).get_subresource("scale", "shop")?).await?;
    assert_eq!(scale.spec.and_then(|spec| spec.replicas), Some(1));
    let status = scale.status.context("it has a status")?;
    assert_eq!(status.replicas, 1);
    let selector = status.selector.context("it has a selector")?;
    assert_eq!(world.kubectl(&["get", "pods", "-l", &selector, "-o", "name"])?.trim(), "pod/shop-0");
    Ok(())
}

fn story(events: &[Value]) -> Vec<(&str, &str)> {
    events.iter().map(|event| (text(&event["type"]), text(&event["reason"]))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Every transition is told once: made, started, ready, failing.
#[tokio::test]
async fn events_tell_the_story_of_a_tenant() -> Result<()> {
    let world = World::new().await?;
    let tenant = world.ready_tenant("shop").await?;
    let refused = json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}});
    let container = json!({
        "name": "kvnode", "image": "localhost/none:1", "imageID": "", "ready": false, "restartCount": 0,
        "state": refused,
    });
    let not_ready = json!({"type": "Ready", "status": "False"});
    world.pod_is("shop-0", None, json!({"conditions": [not_ready], "containerStatuses": [container]})).await?;
    let degraded = world.wait_for_condition("shop", "Degraded", "True", "PodFailing").await?;
    let words = text(&degraded["message"]);
    assert!(words.contains("shop-0") && words.contains("ImagePullBackOff"), "{words}");

    let expected = [("Normal", "ObjectsMade"), ("Normal", "NodesReady"), ("Warning", "PodFailing")];
    let events = world
        .wait("the Events of each step", || async {
            let events = world.events(&tenant).await?;
            let told = expected.iter().all(|step| story(&events).contains(step));
            ensure!(told, "{:?}", story(&events));
            Ok(Some(events))
        })
        .await?;
    let made = events.iter().filter(|event| event["reason"] == "ObjectsMade").count();
    assert_eq!(made, 1, "{:?}", story(&events));
    assert!(events.iter().all(|event| !text(&event["note"]).is_empty() && !text(&event["action"]).is_empty()));
    Ok(())
}
