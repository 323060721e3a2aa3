//! What somebody else did to a tenant's objects is put right, the API key excepted: that belongs to its users.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::objects::{children, left_behind, plain};
use crate::world::World;

#[tokio::test]
async fn a_deleted_object_comes_back() -> Result<()> {
    let world = World::new().await?;
    world.tenant("shop").await?;
    for (kind, name) in children("shop") {
        let former = world.get(kind, &name).await?;
        world.delete(kind, &name).await?;
        let again = world
            .wait(&format!("{kind} {name} to come back"), || async {
                let now = world.get(kind, &name).await?;
                Ok((now["metadata"]["uid"] != former["metadata"]["uid"]).then_some(now))
            })
            .await?;
        for part in ["labels", "ownerReferences"] {
            assert_eq!(again["metadata"][part], former["metadata"][part], "{kind} {name}");
        }
    }
    Ok(())
}

/// What a change can do to each kind of object, and what has to be there again afterwards.
fn changes() -> Vec<(&'static str, &'static str, Value)> {
    let labelled = |labels: Value| json!({"metadata": {"labels": labels}});
    vec![
        ("ServiceAccount", "shop", json!({"automountServiceAccountToken": true})),
        ("ConfigMap", "shop", json!({"data": {"config.yaml": "tenant: other\n"}})),
        ("Service", "shop", json!({"spec": {"selector": {"app.kubernetes.io/instance": "other"}}})),
        ("Service", "shop-headless", json!({"spec": {"publishNotReadyAddresses": false}})),
        ("StatefulSet", "shop", json!({"spec": {"replicas": 3}})),
        ("StatefulSet", "shop", json!({"metadata": {"annotations": {"kvtenant.io/pinned-image": "a/b:1"}}})),
        ("Secret", "shop-api-key", labelled(json!({"kvtenant.io/tenant": "other"}))),
        // The operator's watches ask for the first of these labels, and find the tenant by the second.
        ("ConfigMap", "shop", labelled(json!({"app.kubernetes.io/managed-by": null}))),
        ("ConfigMap", "shop", labelled(json!({"app.kubernetes.io/instance": "other"}))),
        ("Service", "shop", labelled(json!({"app.kubernetes.io/instance": null}))),
    ]
}

#[tokio::test]
async fn a_changed_object_is_put_right() -> Result<()> {
    let world = World::new().await?;
    world.tenant("shop").await?;
    world.another_pass("shop").await?;
    for (kind, name, change) in changes() {
        let before = content(world.get(kind, name).await?);
        let changed = world.patch(kind, name, change.clone()).await?;
        assert_ne!(content(changed), before, "the change changes something: {change}");
        world
            .wait(&format!("{kind} {name} to be as before {change}"), || async {
                let now = content(world.get(kind, name).await?);
                ensure!(now == before, "{now}");
                Ok(Some(()))
            })
            .await?;
    }
    Ok(())
}

/// An object without what changes with every write.
fn content(mut object: Value) -> Value {
    for part in ["resourceVersion", "generation", "managedFields"] {
        object["metadata"][part] = Value::Null;
    }
    object["status"] = Value::Null;
    object
}

/// F41: the key is made once. Whoever changes it, or adds to the Secret, is not overruled.
#[tokio::test]
async fn the_api_key_is_never_overwritten() -> Result<()> {
    let world = World::new().await?;
    world.tenant("shop").await?;
    let own = json!({"key": "bXkgb3duIGtleQ==", "other": "bW9yZQ=="});
    world.patch("Secret", "shop-api-key", json!({"data": own})).await?;
    // A change of the labels has the operator write the Secret for certain; the label tells when it did.
    let label = json!({"metadata": {"labels": {"kvtenant.io/tenant": "other"}}});
    world.patch("Secret", "shop-api-key", label).await?;
    let secret = world
        .wait("the label to be put right", || async {
            let secret = world.get("Secret", "shop-api-key").await?;
            Ok((secret["metadata"]["labels"]["kvtenant.io/tenant"] == "shop").then_some(secret))
        })
        .await?;
    assert_eq!(secret["data"], own);
    world.another_pass("shop").await?;
    world.another_pass("shop").await?;
    assert_eq!(world.get("Secret", "shop-api-key").await?["data"], own);
    Ok(())
}

/// G8: an object of ours that is not wanted (an older operator made it) is removed; one of somebody else stays.
#[tokio::test]
async fn what_is_ours_and_not_wanted_is_removed() -> Result<()> {
    let world = World::new().await?;
    let tenant = world.tenant("shop").await?;
    let foreign = world.make(plain("ConfigMap", "shop-notes")).await?;
    for (kind, _) in children("shop") {
        world.make(left_behind(kind, &tenant)).await?;
        world
            .wait(&format!("{kind} shop-left-behind to be removed"), || async {
                Ok(world.find(kind, "shop-left-behind").await?.is_none().then_some(()))
            })
            .await?;
    }
    assert_eq!(world.get("ConfigMap", "shop-notes").await?, foreign);
    Ok(())
}
