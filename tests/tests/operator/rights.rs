//! The operator's rights: all that it needs, and none that it does not use. What it asked for stands in the audit log.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use kvtenant_tests::home;
use serde_json::Value;

use crate::audit::{self, Asked};
use crate::objects::{children, left_behind};
use crate::running;
use crate::world::World;

/// API group, resource and verb.
type Right = (String, String, String);

/// What `config/rbac` grants.
fn granted() -> Result<BTreeSet<Right>> {
    let file = home::workspace().join("config/rbac/cluster_role.yaml");
    let role: Value = serde_yaml::from_str(&fs::read_to_string(file)?)?;
    let words = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut rights = BTreeSet::new();
    for rule in role["rules"].as_array().context("a role has rules")? {
        for group in words(&rule["apiGroups"]) {
            for resource in words(&rule["resources"]) {
                let verbs = words(&rule["verbs"]).into_iter();
                rights.extend(verbs.map(|verb| (group.clone(), resource.clone(), verb)));
            }
        }
    }
    Ok(rights)
}

/// The rights that a request needed. An apply that makes its object is checked for `patch` and for `create`.
fn needed(asked: &Asked) -> Vec<Right> {
    let right = |verb: &str| (asked.group.clone(), asked.resource.clone(), verb.to_owned());
    let made = (asked.verb == "patch" && asked.made_an_object()).then(|| right("create"));
    [right(&asked.verb)].into_iter().chain(made).collect()
}

/// Is asked for by an admission plugin in the operator's name, not by the operator in a request: see the role.
fn unseen() -> Right {
    ["kvtenant.io", "kvtenants/finalizers", "update"].map(str::to_owned).into()
}

/// A tenant's whole life with all that can happen to its objects: it alone uses every right.
async fn a_whole_life(world: &World<'_>) -> Result<()> {
    let tenant = world.ready_tenant("shop").await?;
    for (kind, name) in children("shop") {
        let label = serde_json::json!({"metadata": {"labels": {"kvtenant.io/tenant": "other"}}});
        world.patch(kind, &name, label).await?;
        world
            .wait(&format!("{kind} {name} to be put right"), || async {
                let now = world.get(kind, &name).await?;
                Ok((now["metadata"]["labels"]["kvtenant.io/tenant"] == "shop").then_some(()))
            })
            .await?;
    }
    for kind in ["ServiceAccount", "Secret", "ConfigMap", "Service", "StatefulSet"] {
        world.make(left_behind(kind, &tenant)).await?;
        let gone = || async { Ok(world.find(kind, "shop-left-behind").await?.is_none().then_some(())) };
        world.wait(&format!("{kind} shop-left-behind to be removed"), gone).await?;
    }
    world.delete("KVTenant", "shop").await
}

/// Least privilege, both ways: nothing was forbidden in this whole test program, and no right is without use.
#[tokio::test]
async fn the_operator_uses_exactly_the_rights_it_has() -> Result<()> {
    let world = World::new().await?;
    a_whole_life(&world).await?;
    let expected: BTreeSet<Right> = granted()?.into_iter().filter(|right| *right != unseen()).collect();
    let used = || -> Result<BTreeSet<Right>> {
        let asked = audit::of_operator(world.server)?;
        Ok(asked.iter().filter(|asked| !asked.resource.is_empty()).flat_map(needed).collect())
    };
    world
        .wait("every right to be used", || async {
            let used = used()?;
            let idle: Vec<_> = expected.difference(&used).collect();
            ensure!(idle.is_empty(), "granted and never used: {idle:?}");
            Ok(Some(()))
        })
        .await?;
    assert_eq!(used()?, expected, "the left side is what was asked for");
    let asked = audit::of_operator(world.server)?.into_iter();
    // In a namespace that is being deleted nothing can be made, whoever asks: that is no missing right.
    let forbidden = asked.filter(|asked| asked.code == 403 && !asked.message.contains("being terminated"));
    assert_eq!(forbidden.map(|asked| format!("{asked:?}")).collect::<Vec<_>>(), [""; 0]);
    Ok(())
}

/// The pod of the operator's Deployment is admitted by the strictest standard, which its namespace enforces.
#[tokio::test]
async fn the_operators_own_pod_is_admitted() -> Result<()> {
    let world = World::new().await?;
    world
        .wait("the Deployment's pod", || async {
            let selector = "app.kubernetes.io/name=kvtenant-operator";
            let pods = ["-n", "kvtenant-system", "get", "pods", "-l", selector, "-o", "name"];
            let found = running::kubectl(world.server, &pods)?;
            Ok(found.starts_with("pod/kvtenant-operator-").then_some(()))
        })
        .await
}
