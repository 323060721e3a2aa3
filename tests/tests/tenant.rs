//! A first tenant on a whole cluster (L3): our own images, the operator installed as users install it, and what they
//! then do with kubectl and with HTTP.

use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::Method;
use kvtenant_tests::clock::wait_for;
use kvtenant_tests::cluster::{self, BUSYBOX, Cluster};
use kvtenant_tests::http::{Answer, request};
use kvtenant_tests::{home, products};
use serde_json::{Value, json};

/// Seconds on a quiet machine; other tests run beside these.
const SOON: Duration = Duration::from_secs(120);

/// The cluster, with our images on its nodes and the operator installed as the README says.
fn cluster() -> &'static Cluster {
    static INSTALLED: OnceLock<&'static Cluster> = OnceLock::new();
    let install = || -> Result<_> {
        let cluster = cluster::for_tests(env!("CARGO_BIN_EXE_testbed"));
        for archive in products::archives()? {
            cluster.load_image(&archive)?;
        }
        let config = home::workspace().join("config/default");
        cluster.kubectl(&["apply", "--server-side", "-k", &config.to_string_lossy()])?;
        let wait = "wait --for=condition=Available --timeout=120s deployment/kvtenant-operator";
        cluster.kubectl(&[&["-n", "kvtenant-system"][..], &wait.split(' ').collect::<Vec<_>>()].concat())?;
        Ok(cluster)
    };
    INSTALLED.get_or_init(|| install().unwrap_or_else(|error| panic!("no operator to test: {error:#}")))
}

/// Makes a namespace with one KVTenant in it.
fn apply_tenant(namespace: &str, name: &str, spec: &Value) -> Result<()> {
    let space = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    let tenant = json!({
        "apiVersion": "kvtenant.io/v1alpha1", "kind": "KVTenant",
        "metadata": {"name": name, "namespace": namespace}, "spec": spec,
    });
    cluster().apply(&format!("{space}\n---\n{tenant}")).map(drop)
}

fn wait_ready(namespace: &str, name: &str) -> Result<()> {
    let tenant = format!("kvtenant/{name}");
    let wait = ["-n", namespace, "wait", "--for=condition=Ready", "--timeout=120s", &tenant];
    cluster().kubectl(&wait).map(drop)
}

/// An object as the API server has it.
fn object(namespace: &str, kind_and_name: &str) -> Result<Value> {
    let text = cluster().kubectl(&["-n", namespace, "get", kind_and_name, "-o", "json"])?;
    serde_json::from_str(&text).context("kubectl prints JSON")
}

/// A request to the tenant's Service, from inside the cluster.
fn ask(namespace: &str, name: &str, method: Method, path: &str, body: Option<&str>) -> Result<Answer> {
    let service = object(namespace, &format!("service/{name}"))?;
    let authority = format!("{}:80", service["spec"]["clusterIP"].as_str().context("it has an address")?);
    cluster().network().block_on(|| async move { request(method, &authority, path, body).await })
}

/// C99, K10, K11, K12: four lines are enough, and the tenant answers at its Service.
#[test]
fn a_four_line_tenant_becomes_ready_and_serves_through_its_service() -> Result<()> {
    apply_tenant("first", "analytics", &json!({}))?;
    wait_ready("first", "analytics")?;

    let written = ask("first", "analytics", Method::PUT, "/analytics/kv/greeting", Some(r#"{"value":"hello"}"#))?;
    ensure!(written.status == 200, "{written:?}");
    assert_eq!(written.json()?["version"], 1);
    let read = ask("first", "analytics", Method::GET, "/analytics/kv/greeting", None)?.json()?;
    assert_eq!(read["value"], "hello");
    let list = ask("first", "analytics", Method::GET, "/analytics/kv", None)?.json()?;
    assert_eq!(list["keys"], json!(["greeting"]));
    let deleted = ask("first", "analytics", Method::DELETE, "/analytics/kv/greeting", None)?;
    assert_eq!(deleted.json()?["existed"], true);
    let gone = ask("first", "analytics", Method::GET, "/analytics/kv/greeting", None)?;
    assert_eq!(gone.status, 404);
    let health = ask("first", "analytics", Method::GET, "/analytics/health", None)?;
    assert_eq!(health.status, 200);
    let others = ask("first", "analytics", Method::GET, "/other/kv/greeting", None)?;
    assert_eq!(others.status, 404, "K36: another tenant's path");

    // By name, as other pods of the cluster do it.
    let url = "http://analytics.first.svc.cluster.local:80/analytics/health";
    let client = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client", "namespace": "first"},
        "spec": {"restartPolicy": "Never", "containers": [{
            "name": "main", "image": BUSYBOX, "imagePullPolicy": "Never", "command": ["wget", "-qO-", url]}]},
    });
    cluster().apply(&client.to_string())?;
    let answer = wait_for("a pod to reach the tenant by its name", SOON, || {
        let log = cluster().kubectl(&["-n", "first", "logs", "client"])?;
        Ok(log.contains("healthy").then_some(log))
    })?;
    assert_eq!(serde_json::from_str::<Value>(&answer)?["tenant"], "analytics");
    Ok(())
}

/// K64: `kubectl get kvtenants` tells in one line what people look for.
#[test]
fn kubectl_get_shows_the_tenant_in_one_line() -> Result<()> {
    apply_tenant("columns", "shop", &json!({"memory": "128Mi"}))?;
    wait_ready("columns", "shop")?;
    let table = cluster().kubectl(&["-n", "columns", "get", "kvt"])?;
    let mut lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(lines.next().context("a head")?, ["NAME", "READY", "STATUS", "MEMORY", "AGE"], "{table}");
    assert_eq!(lines.next().context("a line")?[..4], ["shop", "1/1", "Ready", "128Mi"], "{table}");
    Ok(())
}

/// K4, K40, K41: the pod runs without rights, cannot write where it should not, and has no token.
#[test]
fn the_pod_runs_without_rights() -> Result<()> {
    apply_tenant("rights", "safe", &json!({"memory": "128Mi"}))?;
    wait_ready("rights", "safe")?;
    let pod = object("rights", "pod/safe-0")?;
    let node = pod["spec"]["nodeName"].as_str().context("it is scheduled")?;
    // Looked at from the node: the image has no shell to ask.
    let find = "for p in /proc/[0-9]*; do \
        tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -q '^/kvnode .*--name safe-0' || continue; \
        grep -E '^(Uid|CapEff|NoNewPrivs|Seccomp):' $p/status; \
        done";
    let status = kvtenant_tests::shell::output(cluster().node_command(node, "sh")?.args(["-c", find]))?;
    let fields: Vec<_> = status.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    let field = |name: &str| fields.iter().find(|words| words[0] == name).map(|words| words[1]);
    assert_eq!(field("Uid:"), Some("1001"), "{status}");
    assert_eq!(field("CapEff:"), Some("0000000000000000"), "{status}");
    assert_eq!(field("NoNewPrivs:"), Some("1"), "{status}");
    assert_eq!(field("Seccomp:"), Some("2"), "{status}");
    let mounts = pod["spec"]["containers"][0]["volumeMounts"].to_string();
    assert!(!mounts.contains("serviceaccount"), "{mounts}");
    let can = cluster().kubectl(&["auth", "can-i", "list", "pods", "--as", "system:serviceaccount:rights:safe"]);
    assert!(can.is_err(), "a tenant's account has rights: {can:?}");
    Ok(())
}

/// A pod that cannot start says why in the tenant's own conditions, and a fixed spec recovers without help.
#[test]
fn an_image_that_does_not_exist_is_named_and_a_fixed_spec_recovers() -> Result<()> {
    let bad = json!({"memory": "128Mi", "image": {"repository": "localhost/none", "tag": "1"}});
    apply_tenant("images", "broken", &bad)?;
    let message = wait_for("a condition that names the pod and the reason", SOON, || {
        let tenant = object("images", "kvtenant/broken")?;
        let conditions = tenant["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let messages = conditions.iter().filter_map(|condition| condition["message"].as_str());
        let found =
            messages.filter(|text| text.contains("broken-0") && text.contains("Image")).map(str::to_owned).next();
        Ok(found)
    })?;
    assert!(message.contains("ImagePullBackOff") || message.contains("ErrImagePull"), "{message}");
    apply_tenant("images", "broken", &json!({"memory": "128Mi"}))?;
    wait_ready("images", "broken")
}

/// C108: deleting the tenant removes everything that was made for it, and nothing else.
#[test]
fn deleting_a_tenant_removes_all_its_objects_and_nothing_else() -> Result<()> {
    apply_tenant("removal", "old", &json!({"memory": "128Mi"}))?;
    let foreign = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "old-notes", "namespace": "removal"},
    });
    cluster().apply(&foreign.to_string())?;
    wait_ready("removal", "old")?;
    cluster().kubectl(&["-n", "removal", "delete", "kvtenant", "old", "--timeout=60s"])?;
    let kinds = "statefulsets,pods,services,configmaps,secrets,serviceaccounts,endpointslices";
    wait_for("all objects of the tenant to be gone", SOON, || {
        let left = cluster().kubectl(&["-n", "removal", "get", kinds, "-l", "kvtenant.io/tenant=old", "-o", "name"])?;
        ensure!(left.trim().is_empty(), "left: {left}");
        Ok(Some(()))
    })?;
    cluster().kubectl(&["-n", "removal", "get", "configmap", "old-notes"])?;
    Ok(())
}
