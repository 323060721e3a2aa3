//! What a user changes in a spec, and what becomes of it.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::objects::children;
use crate::world::World;

/// A suspended tenant has no pods but keeps everything else, its key above all; resumed, it is as before.
#[tokio::test]
async fn a_suspended_tenant_loses_its_pods_only_and_comes_back() -> Result<()> {
    let world = World::new().await?;
    let tenant = world.ready_tenant("shop").await?;
    let mut kept = Vec::new();
    for (kind, name) in children("shop") {
        let before = world.get(kind, &name).await?;
        kept.push((kind, name, before["metadata"]["uid"].clone(), before["data"].clone()));
    }
    world.apply("shop", json!({"suspend": true})).await?;
    world
        .wait("the pods to go", || async {
            let set = world.get("StatefulSet", "shop").await?;
            ensure!(set["spec"]["replicas"] == 0, "{}", set["spec"]["replicas"]);
            let status = world.get("KVTenant", "shop").await?["status"].take();
            ensure!(status["summary"]["phase"] == "Suspended" && status["replicas"] == 0, "{status}");
            Ok(world.find("Pod", "shop-0").await?.is_none().then_some(()))
        })
        .await?;
    world.wait_for_condition("shop", "Reconciling", "False", "Suspended").await?;
    for (kind, name, uid, data) in &kept {
        let now = world.get(kind, name).await?;
        assert_eq!((&now["metadata"]["uid"], &now["data"]), (uid, data), "{kind} {name}");
    }
    world
        .wait("a warning that data is gone", || async {
            let events = world.events(&tenant).await?;
            let mut warnings = events.iter().filter(|event| event["type"] == "Warning");
            Ok(warnings.any(|event| event["reason"] == "Suspended").then_some(()))
        })
        .await?;
    world.apply("shop", json!({"suspend": false})).await?;
    world.pod_serves("shop-0", None).await?;
    world.wait_for_condition("shop", "Ready", "True", "NodesReady").await.map(drop)
}

/// Waits until the StatefulSet's only container is so.
async fn wait_for_container(world: &World<'_>, path: &str, expected: &Value) -> Result<()> {
    world
        .wait(&format!("the container's {path} to be {expected}"), || async {
            let set = world.get("StatefulSet", "shop").await?;
            let container = &set["spec"]["template"]["spec"]["containers"][0];
            ensure!(container[path] == *expected, "{}", container[path]);
            Ok(Some(()))
        })
        .await
}

/// K42: one number sets memory, CPU and the room for data.
#[tokio::test]
async fn a_change_of_memory_changes_the_nodes_resources() -> Result<()> {
    let world = World::new().await?;
    world.tenant("shop").await?;
    for (memory, request, limit, data) in
        [("512Mi", "250m", "1", 429_496_728_u64), ("2Gi", "1", "2", 1_717_986_916), ("512Mi", "250m", "1", 429_496_728)]
    {
        world.apply("shop", json!({"memory": memory})).await?;
        let resources =
            json!({"limits": {"cpu": limit, "memory": memory}, "requests": {"cpu": request, "memory": memory}});
        wait_for_container(&world, "resources", &resources).await?;
        world
            .wait("the status to tell it", || async {
                let derived = world.get("KVTenant", "shop").await?["status"]["derived"].take();
                ensure!(derived["memory"] == memory && derived["dataLimit"] == data, "{derived}");
                Ok(Some(()))
            })
            .await?;
    }
    Ok(())
}

/// F25, F26: tag and repository are set one by one; left out again, the operator's own come back.
#[tokio::test]
async fn a_chosen_image_replaces_the_operators_own() -> Result<()> {
    let world = World::new().await?;
    world.tenant("shop").await?;
    let own = world.get("StatefulSet", "shop").await?["spec"]["template"]["spec"]["containers"][0]["image"].clone();
    let own = own.as_str().unwrap_or_default();
    let (repository, _) = own.rsplit_once(':').unwrap_or_default();
    for (image, expected) in [
        (json!({"tag": "9.9.9"}), format!("{repository}:9.9.9")),
        (json!({"repository": "localhost/mine", "tag": "1"}), "localhost/mine:1".to_owned()),
        (json!({}), own.to_owned()),
    ] {
        world.apply("shop", json!({"image": image})).await?;
        wait_for_container(&world, "image", &json!(expected)).await?;
    }
    world.apply("shop", json!({"image": {"pullPolicy": "Always", "pullSecrets": [{"name": "registry"}]}})).await?;
    wait_for_container(&world, "imagePullPolicy", &json!("Always")).await?;
    let set = world.get("StatefulSet", "shop").await?;
    assert_eq!(set["spec"]["template"]["spec"]["imagePullSecrets"], json!([{"name": "registry"}]));
    Ok(())
}

/// G5: a spec that went away and came back leaves the objects as they were.
#[tokio::test]
async fn a_spec_that_returns_to_what_it_was_leaves_no_trace() -> Result<()> {
    let world = World::new().await?;
    world.tenant("shop").await?;
    let before = world.get("StatefulSet", "shop").await?["spec"].clone();
    world.apply("shop", json!({"memory": "1Gi", "suspend": true, "image": {"tag": "2"}})).await?;
    wait_for_container(&world, "image", &json!("docker.io/kvtenant/kvnode:2")).await?;
    world.apply("shop", json!({})).await?;
    world
        .wait("the set to be as before", || async {
            let now = world.get("StatefulSet", "shop").await?["spec"].take();
            ensure!(now == before, "{now}");
            Ok(Some(()))
        })
        .await
}
