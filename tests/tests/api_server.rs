//! A control plane alone (L2): it is the real one, it is shared, and it goes with its test program.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ListParams, PostParams};
use kvtenant_tests::api::ApiServer;
use kvtenant_tests::clock::{wait_for, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

const TESTBED: &str = env!("CARGO_BIN_EXE_testbed");
const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn controllers_act_on_objects() -> Result<()> {
    let server = ApiServer::shared(TESTBED);
    let client = server.client().await?;
    let namespace = server.namespace(&client).await?;
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), &namespace);
    let deployment = json!({
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "localhost/none:1"}]},
            },
        },
    });
    deployments.create(&PostParams::default(), &serde_json::from_value(deployment)?).await?;
    let pods: Api<k8s_openapi::api::core::v1::Pod> = Api::namespaced(client, &namespace);
    wait_until("the controllers to make a pod", SOON, || async {
        Ok((pods.list(&ListParams::default()).await?.items.len() == 1).then_some(()))
    })
    .await
}

#[tokio::test]
async fn tests_have_namespaces_of_their_own() -> Result<()> {
    let server = ApiServer::shared(TESTBED);
    let client = server.client().await?;
    let (first, second) = (server.namespace(&client).await?, server.namespace(&client).await?);
    assert_ne!(first, second);
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &first);
    let map = serde_json::from_value(json!({"metadata": {"name": "mine"}}))?;
    maps.create(&PostParams::default(), &map).await?;
    let others: Api<ConfigMap> = Api::namespaced(client, &second);
    assert!(others.get_opt("mine").await?.is_none());
    Ok(())
}

#[tokio::test]
async fn what_a_client_did_stands_in_the_audit_log() -> Result<()> {
    let server = ApiServer::shared(TESTBED);
    let client = server.client().await?;
    let namespace = server.namespace(&client).await?;
    let maps: Api<ConfigMap> = Api::namespaced(client, &namespace);
    maps.create(&PostParams::default(), &serde_json::from_value(json!({"metadata": {"name": "seen"}}))?).await?;
    let log = fs::read_to_string(server.audit_log())?;
    let seen = |line: &&str| line.contains("\"verb\":\"create\"") && line.contains("\"name\":\"seen\"");
    assert_eq!(log.lines().filter(seen).count(), 1);
    Ok(())
}

/// A supervisor that is ready, and the folder of its files.
fn supervisor() -> Result<(std::process::Child, String)> {
    let mut supervisor =
        Command::new(TESTBED).arg("control-plane").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(supervisor.stdout.take().expect("stdout was asked to be a pipe")).read_line(&mut line)?;
    let ready: serde_json::Value = serde_json::from_str(&line)?;
    let kubeconfig = ready["kubeconfig"].as_str().expect("a path").to_owned();
    let folder = kubeconfig.split("/pki/").next().expect("the folder comes first").to_owned();
    // The last of them was started just before the line was written, and a program has no words in /proc between
    // its exec and the kernel's filling of its stack.
    wait_for("etcd, API server and controllers to name their folder", SOON, || {
        Ok((processes_naming(&folder)?.len() >= 3).then_some(()))
    })?;
    Ok((supervisor, folder))
}

fn processes_naming(folder: &str) -> Result<Vec<i32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse() else { continue };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(folder) {
            found.push(pid);
        }
    }
    Ok(found)
}

#[test]
fn it_ends_when_its_test_program_ends() -> Result<()> {
    let (mut supervisor, folder) = supervisor()?;
    drop(supervisor.stdin.take());
    assert!(supervisor.wait()?.success());
    assert_eq!(processes_naming(&folder)?, Vec::<i32>::new());
    assert!(!fs::exists(&folder)?, "{folder} is left");
    Ok(())
}

#[test]
fn it_ends_even_when_its_supervisor_is_killed() -> Result<()> {
    let (mut supervisor, folder) = supervisor()?;
    kill(Pid::from_raw(i32::try_from(supervisor.id())?), Signal::SIGKILL)?;
    supervisor.wait()?;
    wait_for("the control plane to end with its supervisor", SOON, || {
        Ok(processes_naming(&folder)?.is_empty().then_some(()))
    })?;
    // Killed outright, it could not remove its files: that is what temporary folders are for.
    fs::remove_dir_all(&folder)?;
    Ok(())
}
