//! Clusters come up beside each other, stand faults of their nodes, and go without a trace, in whatever way they or
//! their test program end (L3).

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::core::v1::Node;
use kube::{Api, Client};
use kvtenant_tests::clock::{wait_for, wait_until};
use kvtenant_tests::cluster::{Cluster, Guard, State, leftovers};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const TESTBED: &str = env!("CARGO_BIN_EXE_testbed");

/// The grace for a lost node is 20 s; all else here is seconds.
const SOON: Duration = Duration::from_secs(120);

/// A name that no other run of these tests uses.
fn name(role: &str) -> String {
    format!("{role}-{}", std::process::id())
}

async fn wait_for_node(client: Client, node: &str, ready: bool) -> Result<()> {
    let nodes: Api<Node> = Api::all(client);
    let what = format!("{node} to be {}", if ready { "Ready" } else { "NotReady" });
    wait_until(&what, SOON, || async {
        let status = nodes.get(node).await?.status.unwrap_or_default();
        let condition = status.conditions.into_iter().flatten().find(|condition| condition.type_ == "Ready");
        Ok(condition.is_some_and(|condition| (condition.status == "True") == ready).then_some(()))
    })
    .await
}

/// Cuts, stops and restarts one node of a cluster that stands beside another one, which must not notice.
#[test]
fn a_node_that_is_cut_or_stopped_becomes_not_ready_and_comes_back() -> Result<()> {
    let name = name("faults");
    let _guard = Guard::over(TESTBED, &name)?;
    let cluster = Cluster::up(&name, 2)?;

    cluster.cut("node2")?;
    cluster.run(|client| wait_for_node(client, "node2", false))?;
    cluster.heal("node2")?;
    cluster.run(|client| wait_for_node(client, "node2", true))?;

    cluster.stop("node2")?;
    assert!(!cluster.is_running("node2")?);
    cluster.run(|client| wait_for_node(client, "node2", false))?;
    cluster.start("node2")?;
    cluster.run(|client| wait_for_node(client, "node2", true))?;

    let error = cluster.cut("node7").unwrap_err().to_string();
    assert!(error.contains("no node node7"), "{error}");
    let error = Cluster::up(&name, 1).unwrap_err().to_string();
    assert!(error.contains("is up already"), "{error}");

    Cluster::down(&name)?;
    assert_eq!(leftovers(&name)?, Vec::<String>::new());
    Ok(())
}

/// A test program that is killed outright cannot clean up; its guard does.
#[test]
fn a_cluster_goes_when_its_test_program_is_killed() -> Result<()> {
    let name = name("killed");
    let mut program = Command::new(TESTBED)
        .args(["--name", &name, "with", "--nodes", "1", "--", "sleep", "600"])
        .env("KVT_CLUSTER", "local")
        .stdin(Stdio::null())
        .spawn()?;
    wait_for("the cluster to be up", SOON, || Ok(State::find(&name)?.filter(|state| state.complete)))?;
    kill(Pid::from_raw(i32::try_from(program.id())?), Signal::SIGKILL)?;
    program.wait()?;
    wait_for("the guard to take the cluster down", SOON, || {
        let left = leftovers(&name)?;
        anyhow::ensure!(left.is_empty(), "left: {}", left.join(", "));
        Ok(Some(()))
    })
}

/// `up` killed half-way leaves something half-dead; the next `up` of that name clears it away first.
#[test]
fn a_half_dead_cluster_is_cleared_away_by_the_next_up() -> Result<()> {
    let name = name("half");
    let _guard = Guard::over(TESTBED, &name)?;
    let mut up = Command::new(TESTBED)
        .args(["--name", &name, "up", "--nodes", "1"])
        .env("KVT_CLUSTER", "local")
        .stdin(Stdio::null())
        .spawn()?;
    wait_for("its API server to be on its way", SOON, || {
        let Some(state) = State::find(&name)? else { return Ok(None) };
        Ok(state.folder()?.join("log/kube-apiserver.log").exists().then_some(()))
    })?;
    kill(Pid::from_raw(i32::try_from(up.id())?), Signal::SIGKILL)?;
    up.wait()?;
    assert!(!leftovers(&name)?.is_empty(), "it was killed before it had made anything");
    assert!(Cluster::find(&name).is_err(), "half a cluster is none");

    let cluster = Cluster::up(&name, 1)?;
    cluster.run(|client| wait_for_node(client, "node1", true))?;
    Cluster::down(&name)?;
    assert_eq!(leftovers(&name)?, Vec::<String>::new());
    Ok(())
}
