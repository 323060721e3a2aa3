//! How a tenant goes: all of it, without anything made on the way, and without holding anybody up.

use anyhow::{Result, ensure};
use kube::api::{DeleteParams, PropagationPolicy};

use crate::objects::{children, plain};
use crate::world::World;

/// Waits until nothing of the tenant is left.
async fn wait_until_gone(world: &World<'_>, tenant: &str) -> Result<()> {
    world
        .wait(&format!("everything of {tenant} to be gone"), || async {
            ensure!(world.find("KVTenant", tenant).await?.is_none(), "the KVTenant is left");
            for kind in ["StatefulSet", "Pod", "Service", "ConfigMap", "Secret", "ServiceAccount"] {
                let left = world.labelled(kind, tenant).await?;
                ensure!(left.is_empty(), "{kind}s are left: {left:?}");
            }
            Ok(Some(()))
        })
        .await
}

/// Names of the objects the operator made for the tenant, in their order; Events are no objects of a tenant.
fn made(world: &World<'_>, tenant: &str) -> Result<Vec<String>> {
    let writes = world.writes()?.into_iter();
    let made = writes.filter(|asked| asked.made_an_object() && asked.resource != "events");
    Ok(made.map(|asked| asked.name).filter(|name| name.starts_with(tenant) || name.is_empty()).collect())
}

async fn deleting_removes_everything(policy: PropagationPolicy) -> Result<()> {
    let world = World::new().await?;
    world.ready_tenant("old").await?;
    let foreign = world.make(plain("ConfigMap", "old-notes")).await?;
    let before = made(&world, "old")?;
    assert_eq!(before.len(), children("old").len(), "{before:?}");
    let parameters = DeleteParams { propagation_policy: Some(policy), ..DeleteParams::default() };
    world.api("KVTenant").delete("old", &parameters).await?;
    wait_until_gone(&world, "old").await?;
    // Whatever the operator still had to do when the last object went is done before it turns to a later tenant.
    world.tenant("young").await?;
    world.another_pass("young").await?;
    wait_until_gone(&world, "old").await?;
    assert_eq!(made(&world, "old")?, before, "something was made for a tenant that goes");
    assert_eq!(world.get("ConfigMap", "old-notes").await?, foreign);
    Ok(())
}

/// C108, K66: what `kubectl delete` does.
#[tokio::test]
async fn deleting_a_tenant_removes_its_objects_and_nothing_else() -> Result<()> {
    deleting_removes_everything(PropagationPolicy::Background).await
}

/// C108, G11: in the foreground the tenant is there until its objects are gone, and sees each of them go.
#[tokio::test]
async fn a_tenant_that_goes_in_the_foreground_makes_nothing_again() -> Result<()> {
    deleting_removes_everything(PropagationPolicy::Foreground).await
}

/// C108: a namespace with tenants in it can be deleted, however far they have come.
#[tokio::test]
async fn a_namespace_with_tenants_in_it_ends() -> Result<()> {
    let world = World::new().await?;
    world.ready_tenant("served").await?;
    world.apply("just-made", serde_json::json!({})).await?;
    world.namespaces().delete(&world.namespace, &DeleteParams::default()).await?;
    world
        .wait("the namespace to be gone", || async {
            let left = world.namespaces().get_opt(&world.namespace).await?;
            ensure!(left.is_none(), "{:?}", left.and_then(|left| left.status));
            Ok(Some(()))
        })
        .await
}

/// A tenant deleted and made again at once is a new one: with objects and a key of its own.
#[tokio::test]
async fn a_tenant_made_again_at_once_is_built_anew() -> Result<()> {
    let world = World::new().await?;
    world.ready_tenant("shop").await?;
    let former = world.get("Secret", "shop-api-key").await?;
    world.delete("KVTenant", "shop").await?;
    let tenant = world.apply("shop", serde_json::json!({})).await?;
    world
        .wait("objects that belong to the new tenant", || async {
            for (kind, name) in children("shop") {
                let object = world.get(kind, &name).await?;
                let owner = &object["metadata"]["ownerReferences"][0]["uid"];
                ensure!(*owner == tenant["metadata"]["uid"], "{kind} {name} belongs to {owner}");
            }
            Ok(Some(()))
        })
        .await?;
    assert_ne!(world.get("Secret", "shop-api-key").await?["data"], former["data"]);
    Ok(())
}
