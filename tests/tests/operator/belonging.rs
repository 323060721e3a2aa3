//! Whose an object is: names that somebody else holds. The operator never takes an object over; it says what is in the
//! way.

use anyhow::{Context, Result};
use serde_json::json;

use crate::objects::{children, plain};
use crate::world::World;

/// A taken name stops the tenant as a whole, the object stays as it is, and once it is gone the tenant is built without
/// anybody's help. Nothing announces that to the operator, so it takes up to half a minute.
#[tokio::test]
async fn a_name_of_somebody_else_is_respected_and_told() -> Result<()> {
    let world = World::new().await?;
    let mut held = Vec::new();
    for (number, (kind, _)) in children("x").into_iter().enumerate() {
        let tenant = format!("shop-{number}");
        let name = children(&tenant)[number].1.clone();
        let before = world.make(plain(kind, &name)).await?;
        world.apply(&tenant, json!({})).await?;
        held.push((tenant, kind, name, before));
    }
    for (tenant, kind, name, before) in &held {
        let stalled = world.wait_for_condition(tenant, "Stalled", "True", "NameTaken").await?;
        let message = stalled["message"].as_str().context("it has a message")?;
        assert!(message.contains(&format!("{kind} {name}")) && message.contains("rename"), "{message}");
        for other in ["ServiceAccount", "Secret", "ConfigMap", "Service", "StatefulSet"] {
            assert!(world.labelled(other, tenant).await?.is_empty(), "{tenant} is built by halves: {other}");
        }
        // A StatefulSet's controller writes its status; nothing else may have been touched.
        let now = world.get(kind, name).await?;
        for part in
            ["metadata/uid", "metadata/labels", "metadata/ownerReferences", "metadata/generation", "spec", "data"]
        {
            let pointer = format!("/{part}");
            assert_eq!(now.pointer(&pointer), before.pointer(&pointer), "{kind} {name}: {part}");
        }
    }
    for (_, kind, name, _) in &held {
        world.delete(kind, name).await?;
    }
    for (tenant, ..) in &held {
        world.wait_for_children(tenant).await?;
        world.wait_for_condition(tenant, "Stalled", "False", "Proceeding").await?;
    }
    Ok(())
}
