//! What a tenant is made of, seen from outside: which objects there are, whose they are, and how people find them.

use std::collections::BTreeSet;

use anyhow::Result;
use kube::api::{Api, DynamicObject, ListParams};
use kube::discovery::{Discovery, Scope, verbs};
use serde_json::{Value, json};

use crate::objects::children;
use crate::world::World;

/// Kind and name of every object of any kind in the namespace that belongs to `owner`.
async fn owned_by(world: &World<'_>, owner: &Value) -> Result<BTreeSet<(String, String)>> {
    let uid = owner["metadata"]["uid"].as_str();
    let mut owned = BTreeSet::new();
    for group in Discovery::new(world.client.clone()).run().await?.groups() {
        for (resource, can) in group.recommended_resources() {
            if can.scope != Scope::Namespaced || !can.supports_operation(verbs::LIST) {
                continue;
            }
            let api: Api<DynamicObject> = Api::namespaced_with(world.client.clone(), &world.namespace, &resource);
            for object in api.list(&ListParams::default()).await?.items {
                let owners = object.metadata.owner_references.iter().flatten();
                if owners.map(|owner| Some(owner.uid.as_str())).any(|of| of == uid) {
                    owned.insert((resource.kind.clone(), object.metadata.name.unwrap_or_default()));
                }
            }
        }
    }
    Ok(owned)
}

/// K13, K14, K55: the whole list. One object more would be one that nobody asked for.
#[tokio::test]
async fn a_tenant_is_made_of_exactly_these_objects() -> Result<()> {
    let world = World::new().await?;
    let tenant = world.ready_tenant("shop").await?;
    let expected: BTreeSet<_> = children("shop").map(|(kind, name)| (kind.to_owned(), name)).into();
    assert_eq!(owned_by(&world, &tenant).await?, expected);
    Ok(())
}

/// K55, K62: every object is found by the tenant's label and goes with its tenant.
#[tokio::test]
async fn every_object_is_labelled_and_owned() -> Result<()> {
    let world = World::new().await?;
    world.apply("shop", json!({"tenant": "store"})).await?;
    world.wait_for_children("shop").await?;
    let tenant = world.get("KVTenant", "shop").await?;
    for (kind, name) in children("shop") {
        let object = world.get(kind, &name).await?;
        let labels = json!({
            "app.kubernetes.io/component": "node",
            "app.kubernetes.io/instance": "shop",
            "app.kubernetes.io/managed-by": "kvtenant-operator",
            "app.kubernetes.io/name": "kvnode",
            "app.kubernetes.io/part-of": "kvtenant",
            "kvtenant.io/tenant": "store",
        });
        let owners = json!([{
            "apiVersion": "kvtenant.io/v1alpha1", "kind": "KVTenant", "name": "shop",
            "uid": tenant["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
        }]);
        assert_eq!(object["metadata"]["labels"], labels, "{kind} {name}");
        assert_eq!(object["metadata"]["ownerReferences"], owners, "{kind} {name}");
    }
    let key = world.get("Secret", "shop-api-key").await?["data"]["key"].as_str().map(str::len);
    assert!(key.is_some_and(|chars| chars >= 44), "32 bytes or more in base64: {key:?}");
    Ok(())
}

/// C103: one kubectl line shows all parts of a tenant, another its conditions.
#[tokio::test]
async fn kubectl_shows_all_parts_of_a_tenant() -> Result<()> {
    let world = World::new().await?;
    world.ready_tenant("shop").await?;
    let told = world.kubectl(&["get", "all,pvc", "-l", "kvtenant.io/tenant=shop", "-o", "name"])?;
    let shown: BTreeSet<&str> = told.lines().collect();
    let parts = ["pod/shop-0", "service/shop", "service/shop-headless", "statefulset.apps/shop"];
    assert_eq!(shown, BTreeSet::from(parts));
    let told = world.kubectl(&["describe", "kvt", "shop"])?;
    for word in ["Ready", "Progressing", "Degraded", "Reconciling", "Stalled", "ObjectsMade"] {
        assert!(told.contains(word), "{word} is not in:\n{told}");
    }
    Ok(())
}

/// C101: a tenant lives in any namespace, and one of the same name in another is another tenant.
#[tokio::test]
async fn tenants_of_one_name_in_two_namespaces_have_objects_of_their_own() -> Result<()> {
    let (one, other) = (World::new().await?, World::new().await?);
    one.tenant("shop").await?;
    other.tenant("shop").await?;
    let (first, second) = (one.get("Secret", "shop-api-key").await?, other.get("Secret", "shop-api-key").await?);
    assert_ne!(first["data"]["key"], second["data"]["key"]);
    one.delete("KVTenant", "shop").await?;
    one.wait("the one to be gone", || async { Ok(one.find("Secret", "shop-api-key").await?.is_none().then_some(())) })
        .await?;
    other.another_pass("shop").await?;
    assert_eq!(other.get("Secret", "shop-api-key").await?, second);
    Ok(())
}
