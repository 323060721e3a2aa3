//! How operators begin: before there is anything to watch, and after another version of themselves. The definition is
//! one for the whole cluster and so is the operator, so these tests have control planes of their own.

use anyhow::{Result, ensure};
use http::StatusCode;
use kvtenant_tests::api::ApiServer;
use serde_json::{Value, json};

use crate::TESTBED;
use crate::running::{Operator, apply};
use crate::world::World;

/// Installed in the wrong order, it neither crashes nor looks ready: it says what is missing, and goes on by itself.
#[tokio::test]
async fn an_operator_that_comes_before_the_definition_waits_for_it() -> Result<()> {
    let server = ApiServer::start(TESTBED)?;
    // The namespace comes with the Deployment, which no kubelet runs here.
    apply(&server, "config/manager")?;
    apply(&server, "config/rbac")?;
    let operator = Operator::start(&server, &[])?;
    let world = World::on(&server, &operator).await?;
    let missing = "the definition of KVTenant is not installed";
    world
        .wait("/readyz to say what is missing", || async {
            let (status, said) = operator.readiness().await?;
            ensure!(status == StatusCode::SERVICE_UNAVAILABLE && said.contains(missing), "{status} {said}");
            Ok(Some(()))
        })
        .await?;
    let advice = operator.lines()?.into_iter().filter_map(|line| line["message"].as_str().map(str::to_owned));
    let advice: Vec<_> = advice.filter(|line| line.contains(missing)).collect();
    assert_eq!(advice.len(), 1, "it is said once: {advice:?}");
    assert!(advice[0].contains("apply crds/kvtenants.kvtenant.io.yaml"), "{advice:?}");

    apply(&server, "config/crd")?;
    operator.wait_ready().await?;
    world.tenant("shop").await.map(drop)
}

fn image_of(set: &Value) -> &Value {
    &set["spec"]["template"]["spec"]["containers"][0]["image"]
}

/// G12: a new operator brings a new image, and the pods of tenants that run are not replaced by it, until their owner
/// says so.
#[tokio::test]
async fn a_newer_operator_replaces_no_pod_by_itself() -> Result<()> {
    let server = ApiServer::start(TESTBED)?;
    apply(&server, "config/default")?;
    let first = Operator::start(&server, &["--kvnode-image", "localhost/kvnode:1"])?;
    first.wait_ready().await?;
    let world = World::on(&server, &first).await?;
    world.ready_tenant("shop").await?;
    let pod = world.get("Pod", "shop-0").await?;
    let set = world.get("StatefulSet", "shop").await?;
    assert_eq!(image_of(&set), "localhost/kvnode:1");
    first.end()?;
    let second = Operator::start(&server, &["--kvnode-image", "localhost/kvnode:2"])?;
    second.wait_ready().await?;
    let world = world.with(&second);
    world.another_pass("shop").await?;
    world.another_pass("shop").await?;
    let same = world.get("StatefulSet", "shop").await?;
    assert_eq!(same["metadata"]["generation"], set["metadata"]["generation"], "{same}");
    assert_eq!(world.get("Pod", "shop-0").await?["metadata"]["uid"], pod["metadata"]["uid"]);
    world.tenant("newer").await?;
    assert_eq!(image_of(&world.get("StatefulSet", "newer").await?), "localhost/kvnode:2");

    world.patch("KVTenant", "shop", json!({"metadata": {"annotations": {"kvtenant.io/upgrade": "true"}}})).await?;
    world
        .wait("the tenant to follow its operator", || async {
            let set = world.get("StatefulSet", "shop").await?;
            Ok((image_of(&set) == "localhost/kvnode:2").then_some(()))
        })
        .await
}
