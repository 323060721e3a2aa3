//! A tenant that is as it should be costs the API server nothing: passes over it read from caches and write nowhere.

use anyhow::{Context, Result};

use crate::world::World;

/// How often the settled tenant is looked at.
const PASSES: usize = 5;

/// The number of passes that ended well, as the operator's metrics have it.
async fn passes_done(world: &World<'_>) -> Result<usize> {
    let text = world.operator.metrics().await?;
    let line = text.lines().find_map(|line| line.strip_prefix("kvtenant_operator_reconciles_total{outcome=\"done\"} "));
    Ok(line.context("the metric is there")?.trim().parse()?)
}

/// G4: a pass over a settled tenant sends no write and no Event. The audit log is the witness, not the operator.
#[tokio::test]
async fn a_settled_tenant_is_not_written_to() -> Result<()> {
    let world = World::new().await?;
    world.ready_tenant("shop").await?;
    // Two passes: what the last change caused may still be on its way in the first.
    world.another_pass("shop").await?;
    world.another_pass("shop").await?;
    let (writes, done) = (world.writes()?.len(), passes_done(&world).await?);
    assert!(writes > 0, "the audit log shows what was written before");
    // The last one only tells that the one before it has ended.
    for _ in 0..=PASSES {
        world.another_pass("shop").await?;
    }
    assert!(passes_done(&world).await? >= done + PASSES);
    assert_eq!(world.writes()?[writes..].iter().map(|asked| format!("{asked:?}")).collect::<Vec<_>>(), [""; 0]);
    Ok(())
}
