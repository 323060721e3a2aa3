//! The definition as the API server enforces it: what it fills in, and what it refuses with which sentence. The rules
//! themselves are tried out one by one without a cluster; here is what only an API server can say.

use std::fs;

use anyhow::{Context, Result};
use kvtenant_tests::home;
use serde_json::{Value, json};

use crate::world::World;

/// Why applying was refused.
async fn refusal(world: &World<'_>, name: &str, spec: Value) -> Result<String> {
    let refused = world.apply(name, spec.clone()).await.err();
    Ok(refused.with_context(|| format!("{name} {spec} was accepted"))?.to_string())
}

/// K12, K54: four lines are enough, and the sample of four lines is such a tenant.
#[tokio::test]
async fn a_four_line_tenant_gets_its_defaults() -> Result<()> {
    let world = World::new().await?;
    let sample = home::workspace().join("config/samples/analytics.yaml");
    world.kubectl(&["apply", "-f", &sample.to_string_lossy()])?;
    let tenant = world.get("KVTenant", "analytics").await?;
    let spec = json!({"replicas": 1, "memory": "512Mi", "suspend": false, "image": {"pullPolicy": "IfNotPresent"}});
    assert_eq!(tenant["spec"], spec);
    Ok(())
}

/// K54, K59: the sample with every field is accepted under strict validation.
#[tokio::test]
async fn the_template_of_all_fields_applies() -> Result<()> {
    let world = World::new().await?;
    let template = home::workspace().join("config/samples/template.yaml");
    world.kubectl(&["apply", "--validate=strict", "-f", &template.to_string_lossy()])?;
    assert_eq!(world.get("KVTenant", "my-tenant").await?["spec"]["tenant"], "my-tenant");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_sentence_that_says_why() -> Result<()> {
    let world = World::new().await?;
    let long = "a".repeat(41);
    for (name, spec, sentence) in [
        ("two", json!({"replicas": 2}), "replicas must be 1: one node per tenant until clustering is there"),
        ("none", json!({"replicas": 0}), "to stop the tenant set suspend: true"),
        ("small", json!({"memory": "1Mi"}), "memory must be at least 64Mi"),
        ("large", json!({"memory": "2Ti"}), "memory must be at most 1Ti"),
        ("words", json!({"memory": "plenty"}), "memory must be a whole number of bytes written as a quantity"),
        ("tagged", json!({"image": {"repository": "a/b:1"}}), "the tag goes into image.tag"),
        (&long, json!({}), "metadata.name must be at most 40 characters"),
        ("1st", json!({}), "metadata.name must be made of lower-case letters"),
    ] {
        let said = refusal(&world, name, spec).await?;
        assert!(said.contains(sentence), "{name}: {said}");
    }
    Ok(())
}

/// K36: a tenant named like a path that every node serves would hide it, whichever way the name is given.
#[tokio::test]
async fn a_reserved_tenant_name_is_refused() -> Result<()> {
    let world = World::new().await?;
    for (name, spec) in [("kv", json!({})), ("good", json!({"tenant": "metrics"}))] {
        let said = refusal(&world, name, spec).await?;
        assert!(said.contains("must not be a path every node serves by itself"), "{said}");
    }
    world.apply("kv", json!({"tenant": "something-else"})).await.map(drop)
}

/// K12: clients carry the tenant's name in their URLs, so it stays.
#[tokio::test]
async fn a_tenant_cannot_be_renamed() -> Result<()> {
    let world = World::new().await?;
    world.apply("shop", json!({})).await?;
    let said = refusal(&world, "shop", json!({"tenant": "other"})).await?;
    assert!(said.contains("tenant cannot change, because clients carry it in their URLs"), "{said}");
    world.apply("shop", json!({"tenant": "shop"})).await.map(drop)
}

/// `kubectl apply` validates strictly: a misspelt field must not become a default in silence.
#[tokio::test]
async fn an_unknown_field_is_refused() -> Result<()> {
    let world = World::new().await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("tenant.json");
    let misspelt = json!({
        "apiVersion": "kvtenant.io/v1alpha1", "kind": "KVTenant", "metadata": {"name": "shop"},
        "spec": {"memroy": "1Gi"},
    });
    fs::write(&file, misspelt.to_string())?;
    let said = world.kubectl(&["apply", "-f", &file.to_string_lossy()]).err().context("it was accepted")?.to_string();
    assert!(said.contains("unknown field \"spec.memroy\""), "{said}");
    assert_eq!(world.find("KVTenant", "shop").await?, None);
    Ok(())
}

/// The scale subresource is bound by the same rules, and refuses with the same sentence.
#[tokio::test]
async fn scaling_to_three_is_refused() -> Result<()> {
    let world = World::new().await?;
    world.apply("shop", json!({})).await?;
    let said = world.kubectl(&["scale", "kvt/shop", "--replicas=3"]).err().context("it was scaled")?.to_string();
    assert!(said.contains("replicas must be 1: one node per tenant until clustering is there"), "{said}");
    assert_eq!(world.get("KVTenant", "shop").await?["spec"]["replicas"], 1);
    Ok(())
}

#[tokio::test]
async fn kubectl_explains_a_field() -> Result<()> {
    let world = World::new().await?;
    let told = world.kubectl(&["explain", "kvtenant.spec.memory"])?;
    assert!(told.contains("Memory of each node, from 64Mi to 1Ti"), "{told}");
    Ok(())
}
